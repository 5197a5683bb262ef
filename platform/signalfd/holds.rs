//! What receivers keep blocked in the threads that opened them.

use std::sync::Arc;

use crate::SignalSet;
use crate::platform::kernel::Kernel;
use crate::platform::process::Change;
use crate::platform::threads::Record;

/// Signals that one receiver keeps blocked in the thread that opened it.
pub(super) struct Hold {
    thread: Arc<Record>,
    /// What is left of it.
    pub(super) set: SignalSet,
    /// The process that it was made in.
    generation: u64,
}

impl Hold {
    /// Takes the part that `set` names out of the hold.
    pub(super) fn split(&mut self, set: SignalSet) -> Hold {
        let set = self.set & set;
        self.set -= set;
        Hold { thread: self.thread.clone(), set, generation: self.generation }
    }
}

impl<K: Kernel> Change<'_, K> {
    /// Blocks the set in the calling thread, for a receiver.
    pub(super) fn hold(&mut self, set: SignalSet) -> Hold {
        self.block(set);
        self.own.add_receiver(set);
        Hold { thread: self.own.clone(), set, generation: self.kernel.generation() }
    }

    /// Ends the part of `hold` that `set` names.
    ///
    /// If the calling thread is the one that blocks the signals, it unblocks them when the lock is
    /// released. Otherwise that thread does so at its next call into this crate, and the backend
    /// sees to it that they find a thread until then. What some receiver needs stays blocked: the
    /// caller unclaims its own before, and settles after.
    pub(super) fn release(&mut self, hold: &mut Hold, set: SignalSet) {
        let set = hold.set & set;
        hold.set -= set;
        let generation = self.kernel.generation();
        if hold.generation == generation {
            hold.thread.remove_receiver(set);
            return;
        }
        // A forked child has one thread of the parent's. That blocks what it did then, whichever
        // thread opened the receiver.
        let forked = self.kernel.forked_record();
        let forking = forked.as_ref().unwrap_or(self.own);
        forking.enter(generation, || 0);
        // The reservation was the parent's; only the receiver kept this blocked in the child.
        forking.block(set & self.kernel.reserved_at_fork());
        if !Arc::ptr_eq(forking, &hold.thread) {
            // What a guard holds there as well, the program itself wanted blocked; and what it kept
            // here. What has been put back here since is not blocked any more.
            let newly = hold.thread.newly() - hold.thread.guarded();
            forking.block(set & (newly - forking.kept() - forking.restored()));
            self.state.know(forking);
        }
        if forked.is_none() || Arc::ptr_eq(forking, &hold.thread) {
            // Where no hook told who forked, it may have been the thread that opened it.
            hold.thread.enter(generation, || 0);
            hold.thread.remove_inherited(set);
            self.state.know(&hold.thread);
        }
    }
}
