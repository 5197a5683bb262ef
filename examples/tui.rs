//! A program that has the whole terminal: stops at Ctrl-Z and goes on at `fg`, as `vi` does.
//!
//! ```text
//! $ cargo run --example tui
//! ```
//!
//! - `TSTP` (Ctrl-Z): gives the terminal back as it was, and stops by the same signal. Continued, it
//!   takes the terminal again, and draws.
//! - `CONT`: after a stop that it was not told of (`kill -STOP`), too.
//! - `WINCH`: draws in the new size.
//! - `INT` (Ctrl-C), `TERM`, `QUIT`, `HUP`: gives the terminal back, and dies of it.
//!
//! `TTOU` is not received: so it stops a program that would write to a terminal that it does not
//! have (`bg`).

use std::error::Error;
use std::io::{self, Write};

use clap::Parser;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{read, retry_on_intr};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use signal_source::process::{exit_by, stop_by};
use signal_source::{Signal, Signals};

/// Counts keys, in the whole terminal. q quits, Ctrl-Z stops.
#[derive(Parser)]
struct Args {}

fn main() -> Result<(), Box<dyn Error>> {
    let Args {} = Args::parse();
    let signals = Signals::new([
        Signal::TSTP,
        Signal::CONT,
        Signal::WINCH,
        Signal::INT,
        Signal::TERM,
        Signal::QUIT,
        Signal::HUP,
    ])?;
    let input = io::stdin();
    let mut screen = Screen::open()?;
    let mut keys = 0;
    loop {
        screen.draw(keys)?;
        let mut fds = [PollFd::new(&signals, PollFlags::IN), PollFd::new(&input, PollFlags::IN)];
        retry_on_intr(|| poll(&mut fds, None))?; // a stop and CONT interrupt it, on Linux
        let [signalled, typed] = fds.map(|fd| !fd.revents().is_empty());

        if signalled {
            while let Some(info) = signals.try_recv()? {
                match info.signal() {
                    Signal::TSTP => {
                        screen.give_back()?;
                        stop_by(Signal::TSTP)?;
                        screen.take_again()?;
                    }
                    Signal::CONT => screen.take()?,
                    Signal::WINCH => {} // drawn below
                    signal => {
                        // If the terminal has hung up, there is nothing to give back.
                        let _ = screen.give_back();
                        exit_by(signal);
                    }
                }
            }
        } else if typed {
            let mut typed = [0; 64];
            match read(&input, &mut typed)? {
                0 => return Ok(()),
                count if typed[..count].contains(&b'q') => return Ok(()),
                count => keys += count,
            }
        }
    }
}

/// The terminal, taken until this is dropped.
struct Screen {
    /// As the terminal was.
    before: Termios,
}

const ENTER: &str = "\x1b[?1049h"; // xterm's other screen
const LEAVE: &str = "\x1b[?1049l";

impl Screen {
    fn open() -> io::Result<Screen> {
        let screen = Screen { before: tcgetattr(io::stdin())? };
        screen.take()?;
        Ok(screen)
    }

    /// After others had it, who may have changed it.
    fn take_again(&mut self) -> io::Result<()> {
        self.before = tcgetattr(io::stdin())?;
        self.take()
    }

    fn take(&self) -> io::Result<()> {
        let mut raw = self.before.clone();
        raw.make_raw();
        // Keys go on making signals.
        raw.local_modes |= LocalModes::ISIG;
        set_modes(&raw)?;
        write!(io::stdout(), "{ENTER}")
    }

    fn give_back(&self) -> io::Result<()> {
        write!(io::stdout(), "{LEAVE}")?;
        io::stdout().flush()?;
        set_modes(&self.before)
    }

    fn draw(&self, keys: usize) -> io::Result<()> {
        let size = tcgetwinsize(io::stdin())?;
        let mut output = io::stdout().lock();
        write!(output, "\x1b[H\x1b[2J{} columns, {} rows. ", size.ws_col, size.ws_row)?;
        write!(output, "{keys} keys.\r\nq quits, Ctrl-Z stops.\r\n")?;
        output.flush()
    }
}

/// In the background the kernel stops the program in this call, by `TTOU`. When it is continued, FreeBSD
/// says that the call was interrupted.
fn set_modes(modes: &Termios) -> io::Result<()> {
    Ok(retry_on_intr(|| tcsetattr(io::stdin(), OptionalActions::Now, modes))?)
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.give_back();
    }
}
