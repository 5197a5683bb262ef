//! Workers to try the supervisor with.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::io;
use std::process::{Command, id};
use std::thread::sleep;
use std::time::Duration;

use clap::ValueEnum;
use signal_source::{Signal, Signals, mask};

use super::say;

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Demo {
    /// Reloads on HUP, stops on TERM
    Steady,
    /// Exits with an error after a moment
    Crashing,
    /// Has a helper, and does not stop
    Hanging,
    /// Leaves an orphan behind
    Forking,
    /// The helper or orphan
    #[value(hide = true)]
    Sleeping,
}

impl Demo {
    /// The command that is such a worker: this program.
    pub fn command(self) -> io::Result<(OsString, Vec<OsString>)> {
        let name = format!("{self:?}").to_lowercase();
        let arguments = ["--as-worker", "--demo", &name].map(OsString::from);
        Ok((env::current_exe()?.into(), arguments.into()))
    }

    pub fn run(self) -> Result<(), Box<dyn Error>> {
        say!("{self:?} worker (pid {}) runs, blocks {:?}", id(), mask::current()?);
        match self {
            Demo::Steady => steady()?,
            Demo::Crashing => {
                sleep(Duration::from_millis(20));
                return Err("a worker's error".into());
            }
            Demo::Hanging => {
                mask::block([Signal::TERM, Signal::INT, Signal::HUP])?.keep();
                start_sleeper()?;
                sleep(Duration::MAX);
            }
            Demo::Forking => start_sleeper()?,
            Demo::Sleeping => sleep(Duration::from_secs(600)),
        }
        Ok(())
    }
}

fn steady() -> Result<(), Box<dyn Error>> {
    let signals = Signals::new([Signal::HUP, Signal::TERM])?;
    say!("Steady worker (pid {}) is ready", id());
    for info in &signals {
        match info?.signal() {
            Signal::HUP => say!("Steady worker (pid {}) reloads", id()),
            _ => break,
        }
    }
    say!("Steady worker (pid {}) stops", id());
    Ok(())
}

/// Starts a child and does not wait for it.
fn start_sleeper() -> io::Result<()> {
    let (program, arguments) = Demo::Sleeping.command()?;
    Command::new(program).args(arguments).spawn().map(drop)
}
