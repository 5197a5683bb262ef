//! The records of real-time signals that some subscriber has not read yet, each once.

use crate::SignalInfo;
use crate::tokio::slab::Slab;

#[derive(Debug, Default)]
pub(super) struct Records(Slab<Record>);

#[derive(Debug)]
struct Record {
    info: SignalInfo,
    /// How many logs and queues have it.
    keepers: usize,
    /// By a subscriber of one that had it.
    is_read: bool,
}

impl Records {
    pub(super) fn insert(&mut self, info: SignalInfo, keepers: usize) {
        self.0.insert(Record { info, keepers, is_read: false });
    }

    /// The number that the next [`insert`](Self::insert) gives.
    pub(super) fn next(&self) -> usize {
        self.0.next()
    }

    #[cfg(all(test, not(shuttle)))]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    pub(super) fn get(&self, number: usize) -> SignalInfo {
        self.0[number].info
    }

    /// A queue has the record, too.
    pub(super) fn keep(&mut self, number: usize) {
        self.0[number].keepers += 1;
    }

    /// A subscriber reads the record, which its queue has no more.
    #[inline]
    pub(super) fn read(&mut self, number: usize) -> SignalInfo {
        let info = self.get(number);
        self.leave(number, true);
        info
    }

    /// A log or a queue has the record no more; a subscriber of it has read it, or none has. Returns it if
    /// no subscriber of any has, nor can any more.
    #[inline]
    pub(super) fn leave(&mut self, number: usize, is_read: bool) -> Option<SignalInfo> {
        let record = &mut self.0[number];
        record.is_read |= is_read;
        record.keepers -= 1;
        if record.keepers > 0 {
            return None;
        }
        let Record { info, is_read, .. } = self.0.remove(number);
        (!is_read).then_some(info)
    }
}
