//! What child processes and a replacing program start with, and how a process ends or stops by a
//! signal.

mod spawn;

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

pub use self::spawn::{Spawn, Spawned};
use crate::Signal;
use crate::platform;

/// Extends [`std::process::Command`]: children that start with the signal mask and dispositions of a
/// program that does not use this crate.
pub trait CommandExt {
    /// Makes the child start with the signal mask and dispositions that it would have if this crate
    /// had changed none, whatever receivers and guards are open, or have been.
    ///
    /// A child inherits blocked and ignored signals, also across exec: without this a child of a
    /// program that receives `TERM` can't be stopped by `TERM`. Decided in the child, at each
    /// spawn: its mask is the spawning thread's, less every signal that this crate has newly
    /// blocked in any thread of the process ([`MaskGuard::keep`](crate::mask::MaskGuard::keep)
    /// included). Every other signal that is blocked stays so, by the program's own doing or since
    /// it was started; so does a disposition that the program itself has set meanwhile, or was
    /// started with: also where it was started by a program that uses this crate, without this call.
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
    /// The child is made by `fork(2)` and `exec(2)` instead of `posix_spawn(3)`, as with every
    /// [`pre_exec`](std::os::unix::process::CommandExt::pre_exec). Between the two run
    /// `sigaction(2)` and `pthread_sigmask(3)`, and nothing that allocates or locks. The fork copies
    /// the page tables, which takes the longer the more memory the process has in use: a large process
    /// starts children by [`Spawn`], which does not fork.
    ///
    /// With the standard library's [`exec`](std::os::unix::process::CommandExt::exec) there is no
    /// child, and nothing could be undone if the program can't be executed: that is an error, and
    /// nothing has been changed. Use [`exec`](exec()) of this module.
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
    ///
    /// With tokio:
    ///
    /// ```no_run
    /// use signal_source::process::CommandExt;
    ///
    /// # async fn run() -> std::io::Result<()> {
    /// let mut command = tokio::process::Command::new("worker");
    /// command.as_std_mut().restore_signals();
    /// let status = command.status().await?;
    /// # Ok(())
    /// # }
    /// ```
    fn restore_signals(&mut self) -> &mut Self;
}

impl CommandExt for Command {
    #[allow(unsafe_code)]
    fn restore_signals(&mut self) -> &mut Command {
        // SAFETY: what runs is async-signal-safe: system calls and atomic loads, no memory, no lock.
        unsafe { self.pre_exec(platform::restorer()) }
    }
}

/// Replaces this process by the program, which starts as if this crate were not there (`exec(3)`, as
/// [`exec`](std::os::unix::process::CommandExt::exec) of the standard library). Returns only if it
/// fails, and then all is as it was: mask, dispositions, handlers, receivers.
///
/// Without it the program would inherit blocked and ignored signals, as a child does:
/// see [`restore_signals`](CommandExt::restore_signals), which this makes unnecessary.
///
/// A signal that is pending acts before the program is executed, as it would have before a receiver
/// was opened. It stays pending if there is no such program, or no right to execute it.
///
/// # Errors
///
/// What `exec(3)` reports: there is no such program, it can't be executed. Also if the system refuses
/// to change mask or dispositions.
///
/// # Examples
///
/// ```no_run
/// use std::process::Command;
/// use signal_source::{Signal, Signals, process};
///
/// let signals = Signals::new(Signal::TERM)?;
/// let error = process::exec(Command::new("the-new-version").arg("--resume"));
/// eprintln!("going on with the old version: {error}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn exec(command: &mut Command) -> io::Error {
    let restored = find(command).and_then(|_| platform::restore_here());
    match restored {
        Ok(restored) => {
            let error = command.exec();
            restored.undo();
            error
        }
        Err(error) => error,
    }
}

/// Looks for the program as `execvp(3)` does, and returns its path. In `exec` an error here spares what
/// is pending.
fn find(command: &Command) -> io::Result<PathBuf> {
    let program = Path::new(command.get_program());
    let own = command.get_envs().find(|&(name, _)| name == "PATH");
    let path = own.map_or_else(|| env::var_os("PATH"), |(_, path)| path.map(OsString::from));
    let folders: Vec<PathBuf> = if program.as_os_str().as_bytes().contains(&b'/') {
        vec![PathBuf::new()]
    } else {
        env::split_paths(&path.unwrap_or_else(|| "/bin:/usr/bin".into())).collect()
    };
    let directory = command.get_current_dir().unwrap_or(Path::new(""));
    let refused = |kind, why| io::Error::new(kind, format!("{}: {why}", program.display()));
    let mut error = refused(io::ErrorKind::NotFound, "there is no such program");
    for folder in folders {
        let path = folder.join(program);
        match directory.join(&path).metadata() {
            Ok(file) if file.is_file() && file.permissions().mode() & 0o111 != 0 => {
                return Ok(path);
            }
            Ok(_) => error = refused(io::ErrorKind::PermissionDenied, "it can't be executed"),
            Err(_) => {}
        }
    }
    Err(error)
}

/// Ends this process by the signal, so that its parent sees that the signal killed it.
///
/// Shells, supervisors and `make` look at that: a program that cleans up after Ctrl-C and then
/// exits with some code seems to have chosen to end, and a script that called it goes on. So after
/// cleaning up, die of the signal that was received.
///
/// Flushes Rust's standard output as [`std::process::exit`] does, makes sure that no core is dumped
/// (not even for `QUIT`), puts the signal to its default action, unblocks it and sends it to the
/// calling thread. Works from any thread, whatever receivers are open, and ends the process even if
/// another thread holds on to the output. Destructors are not run, those of the calling thread's
/// thread-local values included, nor are functions registered with `atexit(3)`.
///
/// Where the signal can't kill, the process exits with code 128 + its number, as shells have it:
/// signals whose default action is not to kill (`CHLD`, `WINCH`, `TSTP`...), and the first process
/// of a pid namespace (a container's PID 1), which the kernel protects. The same goes for the signals 127
/// and 128, with code 255: no parent can be told that they killed (127 is `SIGRTMAX` of Linux on MIPS).
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
    platform::die_at_exit(signal);
    process::exit(platform::exit_code(signal.as_raw()))
}

/// Stops this process by the signal, as if no receiver had it, and returns when the process is
/// continued (`CONT`).
///
/// For programs that receive `TSTP` to put their terminal in order before they stop (Ctrl-Z), and to
/// take it again afterwards. The shell sees that this signal stopped it.
///
/// Works from any thread, whatever receivers and guards are open, and whatever the signal's
/// disposition is: for a moment that is the default, and the calling thread lets in this signal
/// alone and sends it to itself. Mask, disposition and receivers are as before afterwards; a
/// receiver of `CONT` receives the one that continued the process. What is unread of the signal
/// then is forgotten, as the kernel forgets every pending stop signal at `CONT`.
///
/// It stops this process, not its group: in a pipeline that Ctrl-Z stops, the others have had the
/// terminal's signal too.
///
/// Where the kernel discards a stop signal, this returns at once, and the program goes on, as it
/// would have without a receiver. That is so in an orphaned process group, which no shell would
/// continue (a session's first process, or what a shell left behind), and in the first process of a
/// pid namespace. On FreeBSD a session's first process is stopped like any other until its parent has
/// ended. `STOP` stops an orphaned group as well, maybe for ever.
///
/// # Errors
///
/// [`InvalidInput`](io::ErrorKind::InvalidInput) if the signal's default action is not to stop: that
/// of `TSTP`, `TTIN`, `TTOU` and `STOP` is. What the system reports if it refuses to change mask or
/// disposition; then nothing has changed.
///
/// # Examples
///
/// ```no_run
/// use signal_source::{Signal, Signals, process};
///
/// let signals = Signals::new([Signal::TSTP, Signal::TERM])?;
/// while signals.recv()?.signal() == Signal::TSTP {
///     // ... put the terminal in order ...
///     process::stop_by(Signal::TSTP)?;
///     // ... take it again, and draw ...
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "SIGTSTP")]
pub fn stop_by(signal: Signal) -> io::Result<()> {
    platform::stop(signal)
}
