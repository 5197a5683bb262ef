//! Dying of a signal.

use std::sync::atomic::{AtomicI32, Ordering};

use nix::libc;

use super::sigset::{self, Action};
use super::{ByDefault, backend, numbers};
use crate::Signal;

/// What the process dies of when it exits.
static AT_EXIT: AtomicI32 = AtomicI32::new(0);

/// Has the process die of the signal instead of exiting, once `std::process::exit` has flushed what
/// is buffered; unless the signal's default action is not to end a process.
///
/// Only the standard library's own exit flushes its output without waiting for the lock, which some
/// thread may hold that is stuck writing to a pipe nobody reads. What it calls next, `exit(3)`,
/// begins with the function that was registered last.
pub(crate) fn die_at_exit(signal: Signal) {
    if numbers::by_default(signal.as_raw()) != ByDefault::Ends {
        return;
    }
    AT_EXIT.store(signal.as_raw(), Ordering::SeqCst);
    // SAFETY: `die` unwinds into nothing and, should the process survive it, returns.
    if unsafe { libc::atexit(die) } != 0 {
        // No memory: better an unflushed line than the wrong end.
        die();
    }
}

/// Kills this process by the signal's default action, without a core dump. Returns if the kernel
/// protects the process, or the C library the signal.
extern "C" fn die() {
    let Some(signal) = Signal::from_raw(AT_EXIT.load(Ordering::SeqCst)) else { return };
    backend::forbid_core();
    // KILL needs no action, and lets none be set.
    let _ = Action::default().set(signal);
    sigset::unblock(signal.into());
    // Directed at this thread, which lets it in: it acts before the call returns.
    // SAFETY: sending a signal touches no memory of ours.
    unsafe { libc::raise(signal.as_raw()) };
}
