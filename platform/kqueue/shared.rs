//! What all receivers of the process share.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use rustix::event::kqueue::{self, EventFlags};

use super::dispositions::Change;
use super::queue::Queue;
use crate::platform::kernel;
use crate::{Signal, SignalSet};

#[derive(Default)]
pub(in crate::platform) struct Shared {
    /// In a forked child: what a receiver of the parent's had changed, for signals that the child
    /// has a receiver of. The end of that one undoes it.
    pub(super) inherited: Vec<Change>,
    /// The open queues, and what each watches.
    queues: Vec<(RawFd, SignalSet)>,
}

/// A signal needs no thread here: dispositions are the whole process'.
impl kernel::Shared for Shared {
    fn let_in<K: kernel::Kernel<Shared = Self>>(&mut self, _: &K, _: SignalSet) -> SignalSet {
        SignalSet::EMPTY
    }

    fn pause(&mut self, signal: Signal) {
        self.change(signal, EventFlags::DELETE);
    }

    fn resume(&mut self, signal: Signal) {
        self.change(signal, EventFlags::ADD);
    }
}

impl Shared {
    /// Notes what a queue watches beside the rest.
    pub(super) fn add(&mut self, queue: &Queue, set: SignalSet) {
        self.queues.push((queue.as_fd().as_raw_fd(), set));
    }

    /// Notes what a queue, which may be about to be closed, does not watch any more.
    pub(super) fn remove(&mut self, queue: &Queue, set: SignalSet) {
        let fd = queue.as_fd().as_raw_fd();
        self.queues.iter_mut().filter(|entry| entry.0 == fd).for_each(|entry| entry.1 -= set);
        self.queues.retain(|entry| !entry.1.is_empty());
    }

    /// Watches the signal no longer, or anew, in the queue of the receiver that has it.
    fn change(&mut self, signal: Signal, flags: EventFlags) {
        let Some(named) = rustix::process::Signal::from_named_raw(signal.as_raw()) else { return };
        for (fd, _) in self.queues.iter().filter(|(_, set)| set.contains(signal)) {
            // SAFETY: a queue's entry goes under the lock, before it is closed.
            let queue = unsafe { BorrowedFd::borrow_raw(*fd) };
            let filter = kqueue::EventFilter::Signal { signal: named, times: 0 };
            let event = kqueue::Event::new(filter, flags, std::ptr::null_mut());
            let mut none: [kqueue::Event; 0] = [];
            // It fails where there is nothing to delete.
            // SAFETY: the event is of a signal: no descriptor goes into the queue.
            let _ = unsafe { kqueue::kevent(queue, &[event], &mut none, None) };
        }
    }
}
