//! Sending a signal to one process, with the pid checked (`kill(2)`, `sigqueue(3)`).

use std::io;

use crate::Signal;
use crate::platform;

/// Sends a signal to a process (`kill(2)`).
///
/// Unlike `raise(3)`, which is directed at the calling thread, `kill(std::process::id(), ...)`
/// is received by a receiver of this process.
///
/// # Errors
///
/// - `InvalidInput`: pid 0, which would mean the whole process group, or one above `i32::MAX`.
/// - `ESRCH` ([`raw_os_error`](io::Error::raw_os_error)): there is no such process.
/// - `PermissionDenied`: it belongs to another user.
///
/// # Examples
///
/// ```
/// use signal_source::{Signal, send};
///
/// // No process has this pid.
/// assert!(send::kill(i32::MAX as u32, Signal::TERM).is_err());
/// assert!(send::kill(0, Signal::TERM).is_err());
/// ```
pub fn kill(pid: u32, signal: Signal) -> io::Result<()> {
    platform::kill(checked(pid)?, signal)
}

/// Sends a signal with an integer to a process (`sigqueue(3)`).
///
/// A real-time signal is queued behind those that are pending already, each with its integer.
///
/// # Errors
///
/// As [`kill`], and
///
/// - `WouldBlock`: the queue is full (`RLIMIT_SIGPENDING`). Nothing was sent; try again later.
/// - `Unsupported`: macOS, iOS, OpenBSD and DragonFly BSD have no such call.
///
/// # Platform notes
///
/// On FreeBSD and NetBSD the signal arrives, but a receiver on kqueue is not told the integer.
///
/// # Examples
///
/// ```
/// use signal_source::{Signal, Signals, send};
///
/// # #[cfg(target_os = "linux")] {
/// let job = Signal::rt(1).expect("Linux has real-time signals");
/// let signals = Signals::new(job)?;
/// send::sigqueue(std::process::id(), job, 42)?;
/// assert_eq!(signals.recv()?.value(), Some(42));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sigqueue(pid: u32, signal: Signal, value: i32) -> io::Result<()> {
    platform::sigqueue(checked(pid)?, signal, as_wide(value))
}

/// The integer where a C union has it that is as wide as a pointer: in the first bytes.
fn as_wide(value: i32) -> usize {
    let mut bytes = [0; size_of::<usize>()];
    bytes[..size_of::<i32>()].copy_from_slice(&value.to_ne_bytes());
    usize::from_ne_bytes(bytes)
}

/// The pid as the kernel takes it, if it names one process.
fn checked(pid: u32) -> io::Result<i32> {
    let reason = match i32::try_from(pid) {
        Ok(0) => "would be sent to the whole process group: name one process",
        Ok(pid) => return Ok(pid),
        Err(_) => "is no process: pids end at 2147483647",
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("a signal to pid {pid} {reason}")))
}
