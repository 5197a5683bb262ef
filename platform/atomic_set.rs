//! A `SignalSet` that threads share.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::SignalSet;

/// Two halves that change one after the other: a reader without the lock may see one of them new
/// and one old, which is as good as two changes of single signals in either order.
///
/// Many threads read a set, and one at a time changes it: under a lock, or as the only one that ever
/// does. So a change is a load and a store, which takes a tenth of the time of an atomic operation.
///
/// All loads are Acquire and all stores Release: a thread that finds a signal gone sees what the
/// thread did that took it out, before it did.
#[derive(Debug, Default)]
pub(super) struct AtomicSet([AtomicU64; 2]);

impl From<SignalSet> for AtomicSet {
    fn from(set: SignalSet) -> AtomicSet {
        let new = AtomicSet::new();
        new.set(set);
        new
    }
}

#[allow(clippy::cast_possible_truncation)] // the halves of a 128-bit set
impl AtomicSet {
    pub(super) const fn new() -> AtomicSet {
        AtomicSet([AtomicU64::new(0), AtomicU64::new(0)])
    }

    pub(super) fn insert(&self, set: SignalSet) {
        self.set(self.get() | set);
    }

    pub(super) fn remove(&self, set: SignalSet) {
        self.set(self.get() - set);
    }

    /// As [`remove`](Self::remove), for a set that nothing is inserted into: by any number of threads
    /// at a time.
    pub(super) fn remove_shared(&self, set: SignalSet) {
        self.0[0].fetch_and(!(set.bits() as u64), Ordering::AcqRel);
        self.0[1].fetch_and(!((set.bits() >> 64) as u64), Ordering::AcqRel);
    }

    pub(super) fn set(&self, set: SignalSet) {
        self.0[0].store(set.bits() as u64, Ordering::Release);
        self.0[1].store((set.bits() >> 64) as u64, Ordering::Release);
    }

    pub(super) fn get(&self) -> SignalSet {
        let low = u128::from(self.0[0].load(Ordering::Acquire));
        let high = u128::from(self.0[1].load(Ordering::Acquire));
        SignalSet::from_bits(low | high << 64)
    }
}
