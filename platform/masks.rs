//! Holding signals blocked in threads, and putting every thread's mask back.

use std::io;
use std::mem;
use std::sync::Arc;

use super::backend;
use super::kernel::{Kernel, Os};
use super::process::{Change, locked, locked_anyhow};
use super::threads::Record;
use crate::SignalSet;
use crate::error::Refused;

impl<K: Kernel> Change<'_, K> {
    /// Blocks the set in the calling thread. Returns the mask before.
    pub(super) fn block(&mut self, set: SignalSet) -> SignalSet {
        // What this thread still owes is none of its mask before.
        self.settle();
        let before = *self.mask;
        self.own.block(set - before);
        self.kernel.note_newly_blocked(set - before);
        *self.mask |= set;
        before
    }
}

/// Signals that a guard keeps blocked in the thread that made it; dropping it ends that.
#[derive(Debug)]
pub(crate) struct Block {
    thread: Arc<Record>,
    set: SignalSet,
    before: SignalSet,
}

impl Block {
    /// Blocks the set in the calling thread.
    pub(crate) fn new(set: SignalSet) -> io::Result<Block> {
        let guard = guard(&Os, set);
        let guard = guard.map_err(|error| Refused::wrap("pthread_sigmask(3)", error))?;
        // A delegate may be letting them in. It stops first, unless it is inside a handler.
        backend::let_act(set);
        Ok(guard)
    }

    /// The thread's mask before.
    pub(crate) fn before(&self) -> SignalSet {
        self.before
    }

    /// Leaves the signals blocked for good: they count as blocked before.
    pub(crate) fn keep(self) {
        locked_anyhow(&Os, |change| {
            self.thread.keep(self.set);
            self.thread.remove_guard(self.set);
            change.settle();
        });
        mem::forget(self);
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        unguard(&Os, self);
    }
}

/// Blocks the set in the calling thread, for a guard.
pub(super) fn guard<K: Kernel>(kernel: &K, set: SignalSet) -> io::Result<Block> {
    locked(kernel, |change| {
        let before = change.block(set);
        change.own.add_guard(set);
        // What no thread was known to owe yields to the guard.
        change.state.know(change.own);
        change.settle();
        Block { thread: change.own.clone(), set, before }
    })
}

/// Ends a guard, on the thread that made it.
pub(super) fn unguard<K: Kernel>(kernel: &K, guard: &Block) {
    locked_anyhow(kernel, |change| {
        guard.thread.remove_guard(guard.set);
        change.state.know(&guard.thread);
        change.settle();
    });
}

/// The calling thread's mask, after what it owes has been undone.
pub(crate) fn current() -> io::Result<SignalSet> {
    let (mask, taken_back) = locked(&Os, |change| {
        let before = *change.mask;
        change.settle();
        (*change.mask, before - *change.mask)
    })
    .map_err(|error| Refused::wrap("pthread_sigmask(3)", error))?;
    // A delegate may be about to act on what this thread lets in again. It does so first, unless it
    // is inside a handler.
    backend::let_act(taken_back);
    Ok(mask)
}
