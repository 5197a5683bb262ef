//! In a forked child: what receivers of the parent's had changed that have ended in the child, for
//! signals of which the child has a receiver.

use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use super::dispositions::Change;
use crate::SignalSet;

/// A list that only grows: unlike the state it is there in a forked child, whatever another thread
/// did with it at the fork. Changed under the lock of the process' state.
pub(super) struct Inherited(AtomicPtr<Entry>);

struct Entry {
    change: Change,
    is_taken: AtomicBool,
    next: Option<&'static Entry>,
}

impl Inherited {
    pub(super) const fn new() -> Inherited {
        Inherited(AtomicPtr::new(ptr::null_mut()))
    }

    fn first(&self) -> Option<&'static Entry> {
        // Acquire, with the Release below: an entry is complete before its address is seen.
        // SAFETY: null, or an entry that was leaked below and is never freed.
        unsafe { self.0.load(Ordering::Acquire).as_ref() }
    }

    /// Adds changes, one for each signal of a receiver at most: entries are as few as forks.
    pub(super) fn add(&self, changes: Vec<Change>) {
        for change in changes {
            let entry = Entry { change, is_taken: AtomicBool::new(false), next: self.first() };
            self.0.store(Box::into_raw(Box::new(entry)), Ordering::Release);
        }
    }

    /// Takes out what concerns the set, the earliest first.
    pub(super) fn take(&self, set: SignalSet) -> Vec<Change> {
        let mut taken = Vec::new();
        let mut next = self.first();
        while let Some(entry) = next {
            // Relaxed: the lock orders it.
            let concerned = set.contains(entry.change.signal());
            if concerned && !entry.is_taken.swap(true, Ordering::Relaxed) {
                taken.push(entry.change);
            }
            next = entry.next;
        }
        taken.reverse();
        taken
    }
}
