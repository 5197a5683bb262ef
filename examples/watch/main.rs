//! Shows every signal that reaches it: which process sent it (and whether the kernel vouches for
//! that), with which payload, what became of which child.
//!
//! An example of a blocking program that receives everything and still behaves well in a terminal:
//! Ctrl-C, Ctrl-Z and `fg`, a closed window, a pipe whose reader has gone.
//!
//! ```text
//! $ cargo run --all-features --example watch
//! $ cargo run --all-features --example watch -- --json USR1 USR2 RTMIN+3
//! ```

mod report;

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::process;
use std::time::{Duration, Instant};

use clap::Parser;
use report::Report;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, retry_on_intr};
use signal_source::process::{exit_by, stop_by};
use signal_source::{
    Disposition, OpenError, Origin, ParseSignalError, Signal, SignalInfo, SignalSet, Signals,
};

/// Shows every signal that reaches this process, one line for each.
///
/// What the system does not tell (on macOS and the BSDs: the sender) is left out. What any process of
/// this user can make up, as `sigqueue` lets it, is marked as unverified. The names of a sender's
/// process, command and user are those of now: it may have gone, and another have its number.
///
/// Ctrl-C is shown; a second one within a second ends the program. Ctrl-Z is shown, then stops it
/// as usual; so do TTIN and TTOU. It also ends when its terminal hangs up, and when the reader
/// of its output has gone. All else, TERM too, is shown and nothing more: from outside, KILL ends it.
/// INT or HUP that was ignored when it started (a script's background job, nohup) does not end it.
#[derive(Parser)]
#[command(name = "watch")]
struct Args {
    /// Receive only these: TERM, SIGTERM, RTMIN+3, RTMAX-1 or 15. The others act as usual
    #[arg(value_name = "SIGNAL", value_parser = receivable)]
    signals: Vec<Signal>,

    /// Print a JSON object a line
    #[arg(long)]
    json: bool,
}

fn receivable(name: &str) -> Result<Signal, String> {
    let signal: Signal = name.parse().map_err(|error: ParseSignalError| error.to_string())?;
    if signal.is_receivable() {
        Ok(signal)
    } else {
        Err(OpenError::NotReceivable(signal).to_string())
    }
}

fn main() {
    let args = Args::parse();
    let set = match args.signals[..] {
        [] => SignalSet::all(),
        ref named => named.into(),
    };
    let mut ending = Ending::now();
    let signals = Signals::new(set).unwrap_or_else(|error| fail(error.into()));

    // Leaves without dropping the receiver: signals that are still unread would act.
    match watch(&signals, &mut ending, args.json) {
        // A shell that runs this in a loop sees why it ended.
        Ok(signal) => exit_by(signal),
        Err(error) if reader_has_gone(&error) => process::exit(0),
        Err(error) => fail(error),
    }
}

fn fail(error: io::Error) -> ! {
    eprintln!("watch: {error}");
    process::exit(1)
}

/// Shows signals until one is to end the program.
fn watch(signals: &Signals, ending: &mut Ending, json: bool) -> io::Result<Signal> {
    let (pid, set) = (process::id(), signals.set());
    let what = if set == SignalSet::all() { "every signal".into() } else { set.to_string() };
    let twice = if set.contains(Signal::INT) { ", twice within a second," } else { "" };
    // Whether this can be written does not matter.
    let _ = writeln!(io::stderr(), "Process {pid} receives {what}. Ctrl-C{twice} ends it.");
    loop {
        wait(signals)?;
        let info = signals.recv()?;
        show(&info, json)?;

        let signal = info.signal();
        if ending.is_due(&info) {
            return Ok(signal);
        }
        if let Signal::TSTP | Signal::TTIN | Signal::TTOU = signal {
            // TTIN and TTOU come from other processes only: while they are received, the terminal
            // sends none. It lets a process in the background write then, whatever `stty tostop` says.
            stop_by(signal)?;
        }
    }
}

/// Sleeps until a signal is pending; an error if the reader of the output has gone.
fn wait(signals: &Signals) -> io::Result<()> {
    let output = io::stdout();
    // To be told that the reader has gone, NetBSD and DragonFly BSD want a pipe's writer to ask for
    // something: for what it never gets to read. From a terminal something does come.
    let asked = if is_pipe(&output) { PollFlags::IN } else { PollFlags::empty() };
    let mut fds = [PollFd::new(signals, PollFlags::IN), PollFd::new(&output, asked)];
    retry_on_intr(|| poll(&mut fds, None))?;
    let [signalled, output] = fds.map(|fd| fd.revents());
    if signalled.is_empty() && output.intersects(PollFlags::ERR | PollFlags::HUP) {
        return Err(Errno::PIPE.into());
    }
    Ok(())
}

fn is_pipe(output: &impl AsFd) -> bool {
    let file = output.as_fd().try_clone_to_owned().map(File::from);
    file.and_then(|file| file.metadata()).is_ok_and(|data| data.file_type().is_fifo())
}

/// Whether the output was a pipe without a reader, or a terminal that has hung up.
fn reader_has_gone(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::PIPE | Errno::IO))
}

fn show(info: &SignalInfo, json: bool) -> io::Result<()> {
    let (mut output, report) = (io::stdout().lock(), Report::now(info));
    if output.is_terminal() {
        write!(output, "\r")?; // the terminal may have shown the key: ^Z
    }
    if json { writeln!(output, "{}", report.into_json()) } else { writeln!(output, "{report}") }
}

/// What ends the program: a second INT soon after a first, and the loss of the terminal.
struct Ending {
    /// Less what was ignored at the start, which is to stay without effect.
    by: SignalSet,
    had_terminal: bool,
    interrupted: Option<Instant>,
}

impl Ending {
    /// To be called before a receiver is open, which may change dispositions.
    fn now() -> Ending {
        let acts = |signal: &Signal| !matches!(signal.disposition(), Ok(Disposition::Ignore));
        let by = [Signal::INT, Signal::HUP].into_iter().filter(acts).collect();
        Ending { by, had_terminal: has_terminal(), interrupted: None }
    }

    fn is_due(&mut self, info: &SignalInfo) -> bool {
        match info.signal() {
            signal if !self.by.contains(signal) => false,
            Signal::HUP => {
                info.origin() == Origin::Kernel || (self.had_terminal && !has_terminal())
            }
            _ => {
                let before = self.interrupted.replace(Instant::now());
                let again = before.is_some_and(|before| before.elapsed() < Duration::from_secs(1));
                again || info.count() > 1
            }
        }
    }
}

/// Whether this process has a controlling terminal.
fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}
