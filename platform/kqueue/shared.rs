//! What all receivers of the process share.

use std::os::fd::RawFd;
use std::time::Duration;

use crate::mask::ThreadInfo;
use crate::platform::kernel;
use crate::{Signal, SignalSet};

#[derive(Default)]
pub(in crate::platform) struct Shared {
    queues: Vec<Open>,
}

/// An open queue.
struct Open {
    descriptor: RawFd,
    /// What it watches.
    set: SignalSet,
    /// Has the queue watch a signal, or not any more.
    watch: fn(RawFd, Signal, bool),
}

/// A signal needs no thread here: dispositions are the whole process'.
impl kernel::Shared for Shared {
    fn unblock_owed<K: kernel::Kernel<Shared = Self>>(&mut self, _: &K, _: SignalSet) -> SignalSet {
        SignalSet::EMPTY
    }

    /// No thread's mask can keep a signal from a receiver.
    fn wait_until_blocked<K: kernel::Kernel<Shared = Self>>(
        _: &K,
        _: SignalSet,
        _: Duration,
    ) -> Vec<ThreadInfo> {
        Vec::new()
    }

    fn pause(&mut self, signal: Signal) {
        self.change(signal, false);
    }

    fn resume(&mut self, signal: Signal) {
        self.change(signal, true);
    }
}

impl Shared {
    /// Notes what a queue watches beside the rest.
    pub(super) fn add(
        &mut self,
        descriptor: RawFd,
        set: SignalSet,
        watch: fn(RawFd, Signal, bool),
    ) {
        self.queues.push(Open { descriptor, set, watch });
    }

    /// Notes what a queue, which may be about to be closed, does not watch any more.
    pub(super) fn remove(&mut self, descriptor: RawFd, set: SignalSet) {
        let queues = self.queues.iter_mut().filter(|open| open.descriptor == descriptor);
        queues.for_each(|open| open.set -= set);
        self.queues.retain(|open| !open.set.is_empty());
    }

    /// Watches the signal no longer, or anew, in the queue of the receiver that has it.
    fn change(&mut self, signal: Signal, is_watched: bool) {
        for open in self.queues.iter().filter(|open| open.set.contains(signal)) {
            (open.watch)(open.descriptor, signal, is_watched);
        }
    }
}
