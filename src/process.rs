//! What children start with, and how a process ends by a signal.

use std::io::{self, Write};
use std::os::unix::process::CommandExt as _;
use std::process::{self, Command};

use crate::Signal;
use crate::platform::{child, death};

/// Children that start as if this crate were not there.
pub trait CommandExt {
    /// Makes the child start with the signal mask and dispositions that it would have if this crate
    /// had changed none, whatever receivers and guards are open, or have been.
    ///
    /// A child inherits blocked and ignored signals, also across exec: without this a child of a
    /// program that receives `TERM` can't be stopped by `TERM`. Decided in the child, at each
    /// spawn: its mask is the spawning thread's, less every signal that this crate has newly
    /// blocked in any thread of the process ([`MaskGuard::keep`](crate::mask::MaskGuard::keep)
    /// included). What the program blocked by other means, or was started with, stays.
    ///
    /// tokio's `Command` has it through `as_std_mut()`.
    ///
    /// # Errors
    ///
    /// None of its own. If the system refuses to put something back, the spawn fails with that
    /// error.
    ///
    /// # Platform notes
    ///
    /// The child is made by `fork(2)` and `exec(2)` instead of `posix_spawn(3)`; in between run
    /// `pthread_sigmask(3)` and, where needed, `sigaction(2)`, nothing else.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use signal_source::process::CommandExt;
    /// use signal_source::{Signal, Signals};
    ///
    /// let signals = Signals::new([Signal::TERM, Signal::CHLD])?;
    /// let child = std::process::Command::new("worker").restore_signals().spawn()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn restore_signals(&mut self) -> &mut Self;
}

impl CommandExt for Command {
    #[allow(unsafe_code)]
    fn restore_signals(&mut self) -> &mut Command {
        // SAFETY: `restore` is async-signal-safe: system calls and atomic loads, no memory, no lock.
        unsafe { self.pre_exec(child::restore) }
    }
}

/// Ends this process by the signal, so that its parent sees that the signal killed it.
///
/// Shells, supervisors and `make` look at that: a program that cleans up after Ctrl-C and then
/// exits with some code seems to have chosen to end, and a script that called it goes on. So after
/// cleaning up, die of the signal that was received.
///
/// Flushes Rust's standard streams, makes sure that no core is dumped (not even for `QUIT`), puts
/// the signal to its default action, unblocks it and sends it to the calling thread. Destructors
/// are not run.
///
/// Where the signal can't kill, the process exits with code 128 + its number: signals whose
/// default action is not to kill (`CHLD`, `WINCH`, `TSTP`...), and the first process of a pid
/// namespace (a container's PID 1), which the kernel protects.
///
/// # Examples
///
/// ```no_run
/// use signal_source::{Signal, Signals, process};
///
/// let info = Signals::new([Signal::INT, Signal::TERM])?.recv()?;
/// // ... clean up ...
/// process::exit_by(info.signal())
/// # ; Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn exit_by(signal: Signal) -> ! {
    // Whoever read the streams may have gone: that must not keep the process from ending.
    let _ = io::stdout().flush();
    let _ = io::stderr().flush();
    death::die_by(signal);
    process::exit(128 + signal.as_raw())
}
