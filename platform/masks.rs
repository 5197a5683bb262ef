//! Holding signals blocked in threads, and putting every thread's mask back.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::kernel::{Kernel, Os, Shared as _};
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
pub(crate) struct Block(Guard<Os>);

impl Block {
    /// Blocks the set in the calling thread.
    pub(crate) fn new(set: SignalSet) -> io::Result<Block> {
        Ok(Block(Guard::new(Os, set)?))
    }

    /// The thread's mask before.
    pub(crate) fn before(&self) -> SignalSet {
        self.0.before
    }

    /// Leaves the signals blocked for good: they count as blocked before.
    pub(crate) fn keep(self) {
        self.0.keep();
    }
}

#[derive(Debug)]
pub(super) struct Guard<K: Kernel> {
    kernel: K,
    thread: Arc<Record>,
    set: SignalSet,
    before: SignalSet,
    /// Whether the signals stay blocked.
    is_kept: bool,
}

impl<K: Kernel> Guard<K> {
    pub(super) fn new(kernel: K, set: SignalSet) -> io::Result<Self> {
        let guard = locked(&kernel, |change| {
            let before = change.block(set);
            change.own.add_guard(set);
            // What no thread was known to owe yields to the guard.
            change.state.know(change.own);
            change.settle();
            let (kernel, thread) = (kernel.clone(), change.own.clone());
            Guard { kernel, thread, set, before, is_kept: false }
        });
        let guard = guard.map_err(|error| Refused::wrap("pthread_sigmask(3)", error))?;
        // A delegate may be letting them in. It stops first, unless it is inside a handler.
        K::Shared::wait_until_blocked(&kernel, set, ANSWER);
        Ok(guard)
    }

    pub(super) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl<K: Kernel> Drop for Guard<K> {
    /// On the thread that made it.
    fn drop(&mut self) {
        locked_anyhow(&self.kernel, |change| {
            if self.is_kept {
                self.thread.keep(self.set);
            }
            self.thread.remove_guard(self.set);
            change.state.know(&self.thread);
            change.settle();
        });
    }
}

/// How long a thread that blocks something, or lets it in again, waits until this crate's own threads
/// do not let it in any more.
const ANSWER: Duration = Duration::from_millis(100);

/// The calling thread's mask, after what it owes has been undone.
pub(crate) fn current() -> io::Result<SignalSet> {
    settle(&Os)
}

/// See [`current`].
pub(super) fn settle<K: Kernel>(kernel: &K) -> io::Result<SignalSet> {
    let (mask, taken_back) = locked(kernel, |change| {
        let before = *change.mask;
        change.settle();
        (*change.mask, before - *change.mask)
    })
    .map_err(|error| Refused::wrap("pthread_sigmask(3)", error))?;
    if !taken_back.is_empty() {
        // A delegate may be about to act on what this thread lets in again. It does so first, unless
        // it is inside a handler.
        K::Shared::wait_until_blocked(kernel, taken_back, ANSWER);
    }
    Ok(mask)
}
