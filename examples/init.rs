//! The first process of a container, PID 1: sends signals on, waits for orphans, and ends as its
//! child does. As `tini` and `docker run --init`.
//!
//! ```text
//! $ cargo build --example init
//! $ unshare --user --map-root-user --pid --fork --mount-proc target/debug/examples/init -- sleep 100
//! ```
//!
//! - What PID 1 does not receive, the kernel discards. So it receives everything, and sends it on.
//! - The terminal belongs to the child: its keys make signals there, and none here.
//! - One `CHLD` may stand for many children, so all that have ended are waited for.
//!
//! A program that waits for *any* child takes the status from who started that child, as
//! `tokio::process` does. So PID 1 is a process of its own: the one below, which starts nothing but
//! the program itself. That one may start children as it likes; this one waits for orphans alone.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::process::{self, Command};

use clap::Parser;
use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, WaitStatus, getpgrp, kill_process_group, wait};
use rustix::termios::{tcgetpgrp, tcsetpgrp};
use signal_source::process::{CommandExt, exit_by};
use signal_source::{Origin, Signal, SignalInfo, SignalSet, Signals, send};

/// Runs a command as the first process of a container should.
#[derive(Parser)]
struct Args {
    /// Send signals to all processes of the child's group, not to the child alone
    #[arg(short, long)]
    group: bool,

    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true)]
    command: Vec<OsString>,
}

fn main() -> io::Result<()> {
    let args = Args::parse();
    // Before the child exists: what is sent from now on waits, and goes on to it.
    let signals = Signals::new(SignalSet::all())?;
    adopt_orphans()?;

    let (program, arguments) = args.command.split_first().expect("clap requires one");
    let mut command = Command::new(program);
    // Without `restore_signals` the child would block all that this program receives.
    std::os::unix::process::CommandExt::process_group(command.args(arguments), 0).restore_signals();
    #[allow(clippy::zombie_processes)] // `ended` waits for every child
    let child = command.spawn().unwrap_or_else(|error| {
        eprintln!("init: {}: {error}", program.to_string_lossy());
        // As shells have it.
        process::exit(if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 })
    });
    let child = Pid::from_child(&child);
    give_terminal(child);

    for info in &signals {
        let info = info?;
        match info.signal() {
            Signal::CHLD => match ended(child)? {
                // The kernel kills what is left in the container then.
                Some(status) => end(status),
                None => continue,
            },
            _ => forward(&info, child, args.group),
        }
    }
    unreachable!("the iterator has no end")
}

/// Waits for every child that has ended, and returns how this one did.
fn ended(child: Pid) -> io::Result<Option<WaitStatus>> {
    let mut ended = None;
    loop {
        match wait(WaitOptions::NOHANG | WaitOptions::UNTRACED) {
            Ok(Some((pid, status))) if pid == child => {
                ended = Some(status).filter(|status| !status.stopped());
                if let Some(signal) = status.stopping_signal().and_then(Signal::from_raw) {
                    stopped(child, signal)?;
                }
            }
            Ok(Some(_)) => {} // an orphan
            Ok(None) | Err(Errno::CHILD) => return Ok(ended),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Continues a child that was stopped since it did not have the terminal, and has it by now.
fn stopped(child: Pid, signal: Signal) -> io::Result<()> {
    let wanted_terminal = matches!(signal, Signal::TTIN | Signal::TTOU);
    if wanted_terminal && foreground().is_some_and(|(_, group)| group == child) {
        send::kill(child.as_raw_pid().unsigned_abs(), Signal::CONT)?;
    }
    Ok(())
}

fn end(status: WaitStatus) -> ! {
    match status.terminating_signal().and_then(Signal::from_raw) {
        // As PID 1 it exits with 128 + its number, for the kernel lets no signal kill it.
        Some(signal) => exit_by(signal),
        None => process::exit(status.exit_status().unwrap_or_default()),
    }
}

fn forward(info: &SignalInfo, child: Pid, group: bool) {
    let (pid, signal) = (child.as_raw_pid().unsigned_abs(), info.signal());
    let named = rustix::process::Signal::from_named_raw(signal.as_raw());
    let sent = match (info.origin(), named) {
        // Real-time signals have no name, and go to the child alone.
        (_, Some(named)) if group => kill_process_group(child, named).map_err(Into::into),
        (Origin::Queue { value, .. }, _) => send::sigqueue(pid, signal, value),
        _ => send::kill(pid, signal),
    };
    if let Err(error) = sent {
        eprintln!("init: {signal}: {error}");
    }
}

/// The terminal, and which group is in its foreground.
fn foreground() -> Option<(File, Pid)> {
    let terminal = File::open("/dev/tty").ok()?;
    let group = tcgetpgrp(&terminal).ok()?;
    Some((terminal, group))
}

/// Gives the terminal's foreground to the child's group, if this process has it.
fn give_terminal(child: Pid) {
    if let Some((terminal, _)) = foreground().filter(|(_, group)| *group == getpgrp()) {
        // TTOU is received, so it can't stop this process here.
        if let Err(error) = tcsetpgrp(&terminal, child) {
            eprintln!("init: the terminal: {error}");
        }
    }
}

/// Has orphans come to this process, should it not be PID 1.
#[cfg(target_os = "linux")]
fn adopt_orphans() -> io::Result<()> {
    Ok(nix::sys::prctl::set_child_subreaper(true)?)
}

#[cfg(not(target_os = "linux"))]
fn adopt_orphans() -> io::Result<()> {
    Ok(())
}
