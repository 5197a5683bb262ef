//! One process a case: what a signal does, it does to the whole process.
//!
//! A test binary speaks libtest's language (`--list`, a filter, `--exact`), but runs each case in a
//! fresh child of itself: on that child's only thread, with default dispositions, an empty mask, a
//! process group of its own, and a deadline that guards against hanging and says nothing about
//! speed. So "the signal must kill the process" is an ordinary expectation.
//!
//! A case that needs another process (a sender, a worker) starts a *role*: the same binary again,
//! with mask and dispositions inherited as any child's.
//!
//! A case that a system leaves out is listed all the same, as ignored and with the reason: by `cfg`
//! in [`cases!`], or by [`skip`] where only the running case can tell.
#![allow(dead_code, unused_imports)] // each test binary uses a part of it
#![allow(unsafe_code)] // handlers, fork and the like; the cases themselves have none
#![allow(unreachable_pub)] // each test binary is a crate of its own

mod children;
pub mod elsewhere;
#[cfg(target_os = "linux")]
pub mod forged;
pub mod kernel;
mod latch;
#[cfg(target_os = "linux")]
pub mod namespaces;
mod receivers;
mod resources;
mod runtimes;
#[cfg(target_os = "linux")]
pub mod seccomp;
mod signals;
mod threads;

use std::env;
use std::fmt::Display;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use nix::libc;
use nix::sys::signal::SigSet;
use signal_source::{Signal, SignalSet};

use self::children::ROLE;
pub use self::{
    children::*, latch::*, receivers::*, resources::*, runtimes::*, signals::*, threads::*,
};

/// Beyond this a case hangs; `SIGNAL_SOURCE_TEST_DEADLINE` has another number of seconds.
fn deadline() -> Duration {
    let given = env::var("SIGNAL_SOURCE_TEST_DEADLINE").ok();
    Duration::from_secs(given.and_then(|seconds| seconds.parse().ok()).unwrap_or(180))
}

/// Names the case to run, in the environment of a child.
const CASE: &str = "SIGNAL_SOURCE_TEST_CASE";

/// The exit code of a case that returned although it should not have.
const SURVIVED: i32 = 99;

/// The exit code of a case that was skipped.
const SKIPPED: i32 = 98;

/// How a case has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The function returns.
    Passes,
    /// The process exits with this code.
    Exits(i32),
    /// The signal kills the process.
    DiesOf(Signal),
}

/// One case.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub name: &'static str,
    /// The function; or why this build has none.
    pub run: Result<fn(), &'static str>,
    pub end: End,
}

/// A function that a case can run in another process.
#[derive(Clone, Copy, Debug)]
pub struct Role {
    pub name: &'static str,
    pub run: fn(&[String]),
}

/// The cases of a test binary: `cases![opens, is_killed => End::DiesOf(Signal::TERM)]`.
///
/// A case may have a condition and a reason, which a build that does not meet the condition tells:
/// `#[cfg(target_os = "linux", "only Linux has an audit")] names_threads`. All of a list may, beside their own:
/// `cases![#![cfg(target_os = "linux", "only Linux has an audit")] names_threads, names_signals]`.
#[macro_export]
macro_rules! cases {
    (
        #![cfg($all:meta, $reason:literal)]
        $($(#[cfg($cfg:meta, $why:literal)])? $name:ident $(=> $end:expr)?),* $(,)?
    ) => {
        const { &[$(
            #[cfg(all($all $(, $cfg)?))]
            $crate::cases!(@case $name $($end)?),
            #[cfg(not($all))]
            $crate::cases!(@left_out $name $reason),
            $(
                #[cfg(all($all, not($cfg)))]
                $crate::cases!(@left_out $name $why),
            )?
        )*] }
    };
    ($($(#[cfg($cfg:meta $(, $reason:literal)?)])? $name:ident $(=> $end:expr)?),* $(,)?) => {
        const { &[$(
            $(#[cfg($cfg)])?
            $crate::cases!(@case $name $($end)?),
            $(
                #[cfg(not($cfg))]
                $crate::cases!(@left_out $name concat!("needs ", stringify!($cfg) $(, ": ", $reason)?)),
            )?
        )*] }
    };
    (@case $name:ident $($end:expr)?) => {
        $crate::harness::Case {
            name: stringify!($name),
            run: Ok($name),
            end: $crate::cases!(@end $($end)?),
        }
    };
    (@left_out $name:ident $reason:expr) => {
        $crate::harness::Case {
            name: stringify!($name),
            run: Err($reason),
            end: $crate::harness::End::Passes,
        }
    };
    (@end) => { $crate::harness::End::Passes };
    (@end $end:expr) => { $end };
}

/// The roles of a test binary: `roles![sender, worker]`.
#[macro_export]
macro_rules! roles {
    ($($(#[$cfg:meta])* $name:ident),* $(,)?) => {
        &[$($(#[$cfg])* $crate::harness::Role { name: stringify!($name), run: $name }),*]
    };
}

/// The `main` of a test binary.
pub fn main(cases: &'static [Case], roles: &'static [Role]) {
    if let Ok(name) = env::var(ROLE) {
        let role = roles.iter().find(|role| role.name == name).expect("a role of this binary");
        (role.run)(&env::args().skip(1).collect::<Vec<_>>());
        return;
    }
    if let Ok(name) = env::var(CASE) {
        run_here(cases.iter().find(|case| case.name == name).expect("a case of this binary"));
    }
    let trials = cases.iter().map(|case| {
        Trial::ignorable_test(case.name, || match case.run {
            Ok(_) => run_in_child(case),
            Err(reason) => Ok(Completion::ignored_with(reason)),
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}

/// In the child: runs the case on the first and only thread.
fn run_here(case: &Case) -> ! {
    // SAFETY: makes this process the first of a group, which the deadline can end as a whole.
    unsafe { libc::setpgid(0, 0) };
    // SAFETY: no thread of this process reads the environment: there is no other.
    unsafe { env::remove_var(CASE) };
    // What the suite was started with (nohup, a shell's background job) is not the case's.
    SignalSet::all().iter().for_each(set_default);
    set_ignored(Signal::PIPE); // as Rust's runtime does before `main`
    SigSet::empty().thread_set_mask().expect("an empty mask");
    case.run.expect("a case of this build")();
    let _ = io::stdout().flush();
    std::process::exit(if case.end == End::Passes { 0 } else { SURVIVED });
}

/// Ends the case, which says here why this system, or this user, leaves it out: it is listed as
/// ignored.
pub fn skip(reason: impl Display) -> ! {
    eprintln!("{reason}");
    std::process::exit(SKIPPED);
}

/// Runs the case in a child of its own and judges how it ended.
fn run_in_child(case: &Case) -> Result<Completion, Failed> {
    let mut command = Command::new(env::current_exe()?);
    command.env(CASE, case.name).env("RUST_BACKTRACE", "0");
    let (end, output) = outcome(&mut command)?;
    let as_expected = match (case.end, end) {
        (_, None) => false,
        (End::Passes, Some(status)) => status.success(),
        (End::Exits(code), Some(status)) => status.code() == Some(code),
        (End::DiesOf(signal), Some(status)) => status.signal() == Some(signal.as_raw()),
    };
    if as_expected {
        return Ok(Completion::Completed);
    }
    if end.and_then(|status| status.code()) == Some(SKIPPED) {
        return Ok(Completion::ignored_with(output.lines().last().unwrap_or("skipped")));
    }
    let end = match end {
        None => "hung, and was killed".into(),
        Some(status) if status.code() == Some(SURVIVED) => "returned".into(),
        Some(status) => status.to_string(),
    };
    Err(format!("expected: {:?}; got: {end}\n{output}", case.end).into())
}

/// Runs a command to its end, or to the deadline, with all that it prints.
fn outcome(command: &mut Command) -> io::Result<(Option<ExitStatus>, String)> {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (stdout, stderr) = (read_all(child.stdout.take()), read_all(child.stderr.take()));
    let status = wait_until(&mut child, Instant::now() + deadline())?;
    // A process that the case left behind in its group would keep the pipes open.
    // SAFETY: sends a signal; the group is the child's own or already gone.
    unsafe { libc::killpg(signed(child.id()), libc::SIGKILL) };
    if status.is_none() {
        child.kill()?;
        child.wait()?;
    }
    let text = |reader: JoinHandle<String>| reader.join().unwrap_or_default();
    Ok((status, text(stdout) + &text(stderr)))
}

/// Reads a pipe to its end, on a thread of its own.
fn read_all(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut output = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut output);
        }
        String::from_utf8_lossy(&output).into_owned()
    })
}

/// Waits for a child; `None` if it has not ended by the deadline.
fn wait_until(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() > deadline {
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}
