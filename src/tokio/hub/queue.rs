//! What one subscriber has not read yet.

use std::collections::VecDeque;
use std::fmt;
use std::task::Waker;

use super::QUEUE;
use crate::{Signal, SignalInfo, SignalSet};

/// What a [`Subscriber`](super::Subscriber) receives: a signal's record, and how many like it were
/// merged into it or dropped.
///
/// # Examples
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use signal_source::Signal;
/// use signal_source::tokio::SignalHub;
///
/// let mut subscriber = SignalHub::new(Signal::HUP)?.subscribe(Signal::HUP)?;
/// let event = subscriber.recv_blocking()?;
/// println!("{}, and {} more before it", event.info(), event.merged());
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HubEvent {
    pub(super) info: SignalInfo,
    pub(super) merged: u32,
    pub(super) dropped: u32,
}

impl HubEvent {
    /// The signal.
    pub fn signal(&self) -> Signal {
        self.info.signal()
    }

    /// The latest record of the signal.
    pub fn info(&self) -> SignalInfo {
        self.info
    }

    /// How many records of the same signal came before the latest one and were not read: they
    /// merged with it. 0 for real-time signals.
    ///
    /// The kernel merges standard signals too, while they are pending: what it merged is in
    /// [`SignalInfo::count`] where it counts, and nowhere on Linux.
    pub fn merged(&self) -> u32 {
        self.merged
    }

    /// How many real-time signals came after this one that this subscriber missed, because it had
    /// left [`SignalHub::QUEUE`](super::SignalHub::QUEUE) unread. Other subscribers have them.
    ///
    /// If [`Subscriber::update`](super::Subscriber::update) removed the one that they came after,
    /// the next one tells it.
    pub fn dropped(&self) -> u32 {
        self.dropped
    }
}

impl fmt::Display for HubEvent {
    /// `SIGHUP from process 4321 (uid 1000), 2 merged`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.info)?;
        if self.merged > 0 {
            write!(f, ", {} merged", self.merged)?;
        }
        if self.dropped > 0 {
            write!(f, ", {} after it dropped", self.dropped)?;
        }
        Ok(())
    }
}

/// What one subscriber has not read.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) set: SignalSet,
    /// In the order of arrival; a merged signal stays where the first one of it was, so that none
    /// starves.
    pub(super) entries: VecDeque<Entry>,
    /// How many of them are of real-time signals.
    pub(super) real_time: usize,
    /// The real-time signals that it does not get while it is full, and how many of each had been
    /// read by then: what it has missed is told by the difference.
    pub(super) missed: Vec<(Signal, u64)>,
    /// What is told as dropped with the next event, whichever it is.
    pub(super) dropped: u64,
    /// Of the task or thread that waited last. One of this crate's own stays here, so that to wait
    /// again costs no clone; one of the program's goes with its notification.
    pub(super) waker: Option<Waker>,
    /// The waker is to be called when there is something to read.
    pub(super) is_waiting: bool,
}

/// How a waker stands to what a queue has.
pub(in crate::tokio) enum Noted {
    /// It is the one that is to be called.
    Waiting,
    /// It is here, and not to be called.
    Again,
    Not,
}

#[derive(Debug)]
pub(super) enum Entry {
    /// A standard signal; `before` of its records had been read when this one came.
    Standard { signal: Signal, before: u64 },
    /// A real-time signal: the index of its record, and how many were dropped after it.
    RealTime { signal: Signal, record: usize, dropped: u64 },
}

impl Entry {
    pub(super) fn signal(&self) -> Signal {
        match *self {
            Entry::Standard { signal, .. } | Entry::RealTime { signal, .. } => signal,
        }
    }
}

impl Queue {
    pub(super) fn is_full(&self) -> bool {
        self.real_time >= QUEUE
    }

    pub(super) fn push_real_time(&mut self, signal: Signal, record: usize) {
        self.real_time += 1;
        self.entries.push_back(Entry::RealTime { signal, record, dropped: 0 });
    }

    /// Notes that so many were dropped after the latest real-time signal.
    pub(super) fn note_dropped(&mut self, count: u64) {
        let mut entries = self.entries.iter_mut().rev();
        let latest = entries.find_map(|entry| match entry {
            Entry::RealTime { dropped, .. } => Some(dropped),
            Entry::Standard { .. } => None,
        });
        *latest.unwrap_or(&mut self.dropped) += count;
    }

    /// Takes out what is unread of the set. What was dropped after those is told by the one before.
    pub(super) fn withdraw(&mut self, set: SignalSet) -> Vec<Entry> {
        let mut withdrawn = Vec::new();
        for entry in std::mem::take(&mut self.entries) {
            if !set.contains(entry.signal()) {
                self.entries.push_back(entry);
                continue;
            }
            if let Entry::RealTime { dropped, .. } = entry {
                self.real_time -= 1;
                self.note_dropped(dropped);
            }
            withdrawn.push(entry);
        }
        withdrawn
    }
}

/// The records of real-time signals that some queue has, each once.
#[derive(Debug, Default)]
pub(super) struct Records {
    records: Vec<Record>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Record {
    info: SignalInfo,
    /// How many queues have it.
    queues: usize,
    is_read: bool,
}

impl Records {
    pub(super) fn insert(&mut self, info: SignalInfo, queues: usize) -> usize {
        let record = Record { info, queues, is_read: false };
        match self.free.pop() {
            Some(index) => {
                self.records[index] = record;
                index
            }
            None => {
                self.records.push(record);
                self.records.len() - 1
            }
        }
    }

    /// The index that the next [`insert`](Self::insert) returns.
    pub(super) fn next(&self) -> usize {
        self.free.last().copied().unwrap_or(self.records.len())
    }

    /// A queue's record is read, and leaves the queue.
    pub(super) fn read(&mut self, index: usize) -> SignalInfo {
        self.records[index].is_read = true;
        self.leave(index);
        self.records[index].info
    }

    /// A queue gives its record up. Returns it if no subscriber has read it, nor can any more.
    pub(super) fn give_up(&mut self, index: usize) -> Option<SignalInfo> {
        let was_last = self.leave(index);
        let record = &self.records[index];
        (was_last && !record.is_read).then_some(record.info)
    }

    fn leave(&mut self, index: usize) -> bool {
        let record = &mut self.records[index];
        record.queues -= 1;
        if record.queues == 0 {
            self.free.push(index);
        }
        record.queues == 0
    }
}
