//! What a spawned child must undo, and the undoing between fork and exec.
//!
//! Memory and dispositions are not copied at one moment, and other threads go on meanwhile: what the
//! child finds in its memory may say nothing about the dispositions that it got. So a changed
//! disposition carries its own mark, and memory holds one thing only: a set that never shrinks.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::BorrowedFd;

use super::actions::{self, Action};
use super::kernel::{Kernel, Os};
use super::{backend, os};
use crate::{Disposition, Signal, SignalSet};

pub(crate) use super::backend::pidfd;

/// A program to be started, as C has it.
#[allow(dead_code)] // where there is no posix_spawn
pub(crate) struct Request<'a> {
    pub(crate) program: &'a CStr,
    /// In the folders of this process' `PATH`, unless it is a path itself.
    pub(crate) is_looked_for: bool,
    pub(crate) arguments: &'a [CString],
    pub(crate) environment: &'a [CString],
    pub(crate) directory: Option<&'a CStr>,
    /// For 0, 1 and 2, where it is not to inherit its own.
    pub(crate) files: [Option<BorrowedFd<'a>>; 3],
    pub(crate) group: Option<i32>,
}

/// What puts mask and dispositions of a child to what they would be without this crate, between fork
/// and exec.
///
/// # Errors
///
/// In the process itself, where exec takes place without a fork: nothing could undo it if the program
/// can't be executed.
pub(crate) fn restorer() -> impl FnMut() -> io::Result<()> + Send + Sync + 'static {
    // Asked before the fork, so that in the child it takes no memory.
    let parent = Os.generation();
    actions::marked_at_start();
    move || {
        if Os.generation() == parent {
            return Err(io::Error::other(NOT_IN_A_CHILD));
        }
        restore()
    }
}

/// A message in no memory of its own: it is made in any process.
const NOT_IN_A_CHILD: &str = "restore_signals: exec in this very process could not be undone if it \
    failed: start it with signal_source::process::exec";

/// What [`restore`] changed.
pub(crate) struct Restored {
    mask: SignalSet,
    actions: Vec<(Signal, Action)>,
}

/// Puts mask and dispositions of this very process to what they would be without this crate.
pub(crate) fn restore_here() -> io::Result<Restored> {
    // The standard library's exec puts PIPE to its default, which it ignores.
    let mut actions = Vec::new();
    if let Ok(action) = Action::of(Signal::PIPE) {
        actions.push((Signal::PIPE, action));
    }
    let undo = |actions: &[(Signal, Action)]| {
        for (signal, action) in actions.iter().rev() {
            let _ = action.set(*signal);
        }
    };
    for (signal, action) in marked() {
        let before = Action::of(signal)?;
        if let Err(error) = action.set(signal) {
            undo(&actions);
            return Err(error);
        }
        actions.push((signal, before));
    }
    let all = Os.set_mask(SignalSet::from_bits(u128::MAX));
    let done = all.and_then(|mask| {
        if let Err(error) = Os.set_mask(mask - newly_blocked()) {
            put_back(mask);
            return Err(error);
        }
        Ok(mask)
    });
    match done {
        Ok(mask) => Ok(Restored { mask, actions }),
        Err(error) => {
            undo(&actions);
            Err(error)
        }
    }
}

impl Restored {
    /// Undoes it.
    pub(crate) fn undo(self) {
        put_back(self.mask);
        for (signal, action) in self.actions.into_iter().rev() {
            let _ = action.set(signal);
        }
    }
}

/// The system let the mask be changed before, so a refusal lasts for a moment at most.
fn put_back(mask: SignalSet) {
    let _ = (0..3).find_map(|_| Os.set_mask(mask).ok());
}

/// The actions that replace the ones of this crate's doing.
fn marked() -> impl Iterator<Item = (Signal, Action)> {
    backend::touched()
        .iter()
        .filter_map(|signal| Some((signal, Action::of(signal).ok()?.for_child(signal)?)))
}

/// What this crate blocked and the calling thread inherits from that: not what it has put back here,
/// which the program itself has blocked since.
pub(super) fn newly_blocked() -> SignalSet {
    os::newly_blocked() - os::restored()
}

/// For a child between fork and exec: async-signal-safe, allocates nothing and takes no lock.
fn restore() -> io::Result<()> {
    for (signal, action) in marked() {
        action.set(signal)?;
    }
    // No handler of the parent's may run in the child, should a signal have reached it already.
    let mask = Os.set_mask(SignalSet::from_bits(u128::MAX))?;
    let unblock = newly_blocked() & mask;
    for signal in unblock {
        // exec would make it the default anyway.
        if disposition(signal) == Some(Disposition::Handler) {
            Action::default().set(signal)?;
        }
    }
    Os.set_mask(mask - unblock).map(drop)
}

/// `None` for the numbers that the C library keeps for itself: it does not tell.
fn disposition(signal: Signal) -> Option<Disposition> {
    Action::of(signal).ok().map(|action| action.disposition())
}
