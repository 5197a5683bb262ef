//! A supervisor: starts workers, restarts those that end, stops them all when told to.
//!
//! ```text
//! cargo run --example supervisor -- --workers 3 -- my-worker --its-option
//! cargo run --example supervisor -- --demo crashing
//! ```
//!
//! - `CHLD`: waits for every child that has ended, also for orphans that it was given as the first
//!   process of a container, and starts dead workers again, after a pause that doubles each time.
//! - `HUP`: goes on to the workers.
//! - `TERM`, `INT`: asks the workers to terminate, kills those that have not after a while (or at
//!   the second signal), and ends by the signal that it received.
//!
//! One thread does it all, and waits in one place.
#![allow(unreachable_pub)] // an example is a crate of its own

mod demo;
mod pool;

use std::error::Error;
use std::ffi::OsString;
use std::io;
use std::time::{Duration, Instant};

use clap::Parser;
use signal_source::process::exit_by;
use signal_source::{Disposition, Signal, SignalInfo, SignalSet, Signals};

use demo::Demo;
use pool::Pool;

/// Starts workers and keeps them running.
#[derive(Debug, Parser)]
pub struct Options {
    /// How many workers run
    #[arg(long, default_value_t = 3)]
    workers: usize,
    /// How long the workers have to stop, in milliseconds; then they are killed
    #[arg(long, value_name = "MS", default_value = "5000", value_parser = milliseconds)]
    grace: Duration,
    /// The first pause before a worker that has ended is started again, in milliseconds
    #[arg(long, value_name = "MS", default_value = "100", value_parser = milliseconds)]
    pause: Duration,
    /// The longest pause; a worker that ran as long starts over with the first one
    #[arg(long, value_name = "MS", default_value = "10000", value_parser = milliseconds)]
    longest_pause: Duration,
    /// What the workers do if no command is given
    #[arg(long, value_enum, default_value_t = Demo::Steady)]
    demo: Demo,
    /// Be such a worker
    #[arg(long, hide = true)]
    as_worker: bool,
    /// The command that is a worker, and its arguments
    #[arg(trailing_var_arg = true)]
    command: Vec<OsString>,
}

fn milliseconds(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_millis)
}

/// Says something. A log whose reader has gone must not end a supervisor.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}
pub(crate) use say;

/// Supervises, or is a worker of the demonstration.
pub fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    if options.as_worker {
        return options.demo.run();
    }
    // Before anything else: from here on no signal is lost.
    let signals = Signals::new(wanted())?;
    let signal = supervise(&signals, &mut Pool::new(options)?)?;
    // The caller sees which signal ended this; PID 1, which no signal ends, exits with 128 + n.
    exit_by(signal)
}

/// What to receive. Under nohup, or in a shell's background, HUP or INT is ignored from the start,
/// and should stay so.
fn wanted() -> SignalSet {
    let optional = [Signal::HUP, Signal::INT].into_iter();
    let heeded = optional.filter(|s| !matches!(s.disposition(), Ok(Disposition::Ignore)));
    SignalSet::from([Signal::TERM, Signal::CHLD]) | heeded.collect::<SignalSet>()
}

/// Runs until told to stop, and returns the signal that told it.
fn supervise(signals: &Signals, pool: &mut Pool) -> io::Result<Signal> {
    let mut received = Vec::new();
    loop {
        pool.reap()?;
        pool.on_time(Instant::now());
        if let Some(signal) = pool.stopped_by() {
            return Ok(signal);
        }
        received.extend(wait(signals, pool.next_deadline())?);
        // All that are pending at once: one by one, a flood of HUP would hold back TERM.
        signals.try_recv_many(&mut received, 64)?;
        for info in received.drain(..) {
            match info.signal() {
                // Some children have changed, one or many: the loop waits for all that did.
                Signal::CHLD => {}
                Signal::HUP => pool.forward(Signal::HUP),
                signal => {
                    say!("received {info}");
                    pool.stop(signal);
                }
            }
        }
    }
}

/// The next signal, or `None` at the deadline.
fn wait(signals: &Signals, deadline: Option<Instant>) -> io::Result<Option<SignalInfo>> {
    match deadline {
        None => signals.recv().map(Some),
        Some(deadline) => signals.recv_timeout(deadline.saturating_duration_since(Instant::now())),
    }
}
