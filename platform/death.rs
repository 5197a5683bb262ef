//! Dying of a signal.

use nix::libc;

use super::sigset::{self, Action};
use super::{backend, numbers};
use crate::Signal;

/// Kills this process by the signal's default action, without a core dump. Returns if that can't
/// be: the default is not to kill, or the kernel protects the process.
pub(crate) fn die_by(signal: Signal) {
    if numbers::SURVIVED_BY_DEFAULT.contains(&signal.as_raw()) {
        return;
    }
    backend::forbid_core();
    // KILL needs no action, and lets none be set.
    let _ = Action::default().set(signal);
    sigset::unblock(signal.into());
    // Directed at this thread, which lets it in: it acts before the call returns.
    // SAFETY: sending a signal touches no memory of ours.
    unsafe { libc::raise(signal.as_raw()) };
}
