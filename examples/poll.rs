//! The bare descriptor in a loop of the program's own: `poll(2)`, on signals and standard input.
//!
//! The receiver is readable while a signal is pending, so `epoll(7)`, `kqueue(2)` and io_uring take
//! it as well.
//!
//! ```text
//! $ cargo run --example poll
//! ```

use std::error::Error;
use std::{io, process};

use clap::Parser;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{read, retry_on_intr};
use signal_source::{Signal, Signals};

/// Shows HUP, INT and TERM, and how much is typed; ends at the latter two.
#[derive(Parser)]
struct Args {}

fn main() -> Result<(), Box<dyn Error>> {
    let Args {} = Args::parse();
    let signals = Signals::new([Signal::HUP, Signal::INT, Signal::TERM])?;
    let input = io::stdin();
    println!("READY");
    eprintln!("Type something, or try: kill -HUP {}", process::id());

    let mut buffer = [0; 1024];
    loop {
        let mut fds = [PollFd::new(&signals, PollFlags::IN), PollFd::new(&input, PollFlags::IN)];
        // Should the program have signal handlers of its own, they interrupt the wait.
        retry_on_intr(|| poll(&mut fds, None))?;
        let [signalled, typed] = fds.map(|fd| !fd.revents().is_empty());

        if signalled {
            while let Some(info) = signals.try_recv()? {
                println!("{info}");
                if info.signal() != Signal::HUP {
                    return Ok(());
                }
            }
        }
        if typed {
            match read(&input, &mut buffer)? {
                0 => return Ok(()),
                bytes => println!("{bytes} bytes of input"),
            }
        }
    }
}
