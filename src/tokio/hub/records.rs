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

    /// A queue has the record, too.
    pub(super) fn keep(&mut self, number: usize) {
        self.0[number].keepers += 1;
    }

    /// A subscriber reads the record; whether its log or queue has it no more.
    #[inline]
    pub(super) fn read(&mut self, number: usize, leaves: bool) -> SignalInfo {
        let record = &mut self.0[number];
        record.is_read = true;
        let info = record.info;
        if leaves {
            self.leave(number);
        }
        info
    }

    /// A queue gives its record up. Returns it if no subscriber has read it, nor can any more.
    pub(super) fn give_up(&mut self, number: usize) -> Option<SignalInfo> {
        self.leave(number).filter(|record| !record.is_read).map(|record| record.info)
    }

    #[inline]
    fn leave(&mut self, number: usize) -> Option<Record> {
        let record = &mut self.0[number];
        record.keepers -= 1;
        (record.keepers == 0).then(|| self.0.remove(number))
    }
}
