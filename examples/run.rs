//! Runs a command, as if this program were not there: a wrapper, as `uv run`, `nice` and `env` are.
//!
//! ```text
//! $ cargo run --example run -- sleep 100
//! ^C
//! $ echo $?
//! 130
//! ```
//!
//! The child is in the same process group, so that job control works. Hence the question that this
//! program answers: who sent a signal? The terminal sends Ctrl-C to the whole group, so the child
//! has it already; what a process sends to this one, the child has not, so it goes on to it. The
//! kernel tells them apart ([`Origin`]).
//!
//! - When the child stops (Ctrl-Z), this program stops by the same signal, and the shell sees that.
//! - When the child ends, this program ends in the same way: with its code, or by its signal.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::mem;
use std::process::{self, Command};

use clap::Parser;
use nix::unistd::{Pid, getpgid, getpgrp, getpid, getsid, tcgetpgrp};
use rustix::process::{WaitOptions, waitpid};
use signal_source::process::{CommandExt, exit_by, stop_by};
use signal_source::{Origin, Signal, SignalInfo, SignalSet, Signals, send};

/// Runs a command: signals go on to it, its end becomes this program's own.
#[derive(Parser)]
struct Args {
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true)]
    command: Vec<OsString>,
}

fn main() -> io::Result<()> {
    let args = Args::parse();
    // Before the child exists: what is sent from now on waits, and goes on to it.
    let signals = Signals::new(SignalSet::all())?;
    // The terminal can't have sent it to a child that is not there.
    let mut early = Vec::new();
    while signals.try_recv_many(&mut early, 64)? > 0 {}

    let (program, arguments) = args.command.split_first().expect("clap requires one");
    // Without `restore_signals` the child would block all that this program receives.
    let spawned = Command::new(program).args(arguments).restore_signals().spawn();
    #[allow(clippy::zombie_processes)] // `follow` waits for it: std would not tell of a stop
    let child = spawned.unwrap_or_else(|error| {
        eprintln!("run: {}: {error}", program.to_string_lossy());
        // As shells have it.
        process::exit(if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 })
    });
    let pid = child.id().try_into().expect("a pid is a positive pid_t");
    let mut child = Child { pid: Pid::from_raw(pid), has_continued: false };

    early.iter().for_each(|info| child.send(info));
    for info in &signals {
        let info = info?;
        match info.signal() {
            Signal::CHLD => child.follow()?,
            Signal::CONT => {
                child.follow()?;
                // A shell continues the whole group: then the child has gone on.
                if !mem::take(&mut child.has_continued) {
                    child.send(&info);
                }
            }
            _ if child.has_it_too(&info) => {}
            _ => child.send(&info),
        }
    }
    unreachable!("the iterator has no end")
}

struct Child {
    pid: Pid,
    /// Since its last stop.
    has_continued: bool,
}

impl Child {
    /// Does what the child has done: ends, or stops.
    fn follow(&mut self) -> io::Result<()> {
        let options = WaitOptions::NOHANG | WaitOptions::UNTRACED | WaitOptions::CONTINUED;
        let pid = rustix::process::Pid::from_raw(self.pid.as_raw());
        // One CHLD may stand for several changes.
        while let Some((_, status)) = waitpid(pid, options)? {
            self.has_continued = status.continued();
            if let Some(code) = status.exit_status() {
                process::exit(code);
            }
            if let Some(signal) = signal(status.terminating_signal()) {
                exit_by(signal);
            }
            if let Some(signal) = signal(status.stopping_signal()) {
                stop_by(signal)?; // returns when the shell continues the job
            }
        }
        Ok(())
    }

    /// Whether the kernel has sent it to the child as well, as to all of the terminal's foreground.
    fn has_it_too(&self, info: &SignalInfo) -> bool {
        let same_group = getpgid(Some(self.pid)) == Ok(getpgrp());
        match info.origin() {
            // A terminal that hangs up tells its session's first process alone.
            Origin::Kernel if info.signal() == Signal::HUP => {
                same_group && getsid(None) != Ok(getpid())
            }
            Origin::Kernel => same_group,
            // A process did; one outside this pid namespace too, which has no pid here.
            _ if info.code().is_some() => false,
            // macOS and the BSDs do not say. Where the terminal can send signals, it most likely did.
            _ => same_group && is_in_foreground() && FROM_TERMINAL.contains(&info.signal()),
        }
    }

    fn send(&self, info: &SignalInfo) {
        let (pid, signal) = (self.pid.as_raw().unsigned_abs(), info.signal());
        let sent = match info.origin() {
            Origin::Queue { value, .. } => send::sigqueue(pid, signal, value),
            _ => send::kill(pid, signal),
        };
        // The child may have ended, or be another user's.
        if let Err(error) = sent {
            eprintln!("run: {signal}: {error}");
        }
    }
}

fn signal(number: Option<i32>) -> Option<Signal> {
    number.and_then(Signal::from_raw)
}

/// What a terminal sends to its foreground.
const FROM_TERMINAL: [Signal; 5] =
    [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TSTP, Signal::WINCH];

fn is_in_foreground() -> bool {
    File::open("/dev/tty").is_ok_and(|terminal| tcgetpgrp(terminal) == Ok(getpgrp()))
}
