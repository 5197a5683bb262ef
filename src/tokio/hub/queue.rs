//! What one subscriber has not read yet.

use std::collections::VecDeque;
use std::fmt;
use std::mem;

use super::classes::Listing;
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
    /// The number of the class of subscribers with this set; none without a signal.
    pub(super) class: Option<usize>,
    pub(super) listing: Listing,
    /// How far it has read each standard signal of its set.
    pub(super) marks: Vec<Mark>,
    /// Where it is in its class' log.
    pub(super) position: u64,
    /// Real-time signals that it has beside those, in the order of arrival. They came before them.
    pub(super) entries: VecDeque<Entry>,
    /// What is told as dropped with the next event, whichever it is.
    pub(super) dropped: u64,
}

/// A standard signal, and the group of subscribers that have read as far: see
/// [`SignalState`](super::signal_state::SignalState).
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) signal: Signal,
    pub(super) group: usize,
}

/// A real-time signal that a subscriber has in its own queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) signal: Signal,
    /// Which one it was of all records that were read.
    pub(super) arrival: u64,
    /// The number of its record.
    pub(super) record: usize,
    /// How many were dropped after it.
    pub(super) dropped: u64,
}

impl Queue {
    /// Takes its first entry, and what was dropped after that.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.dropped += entry.dropped;
        Some(entry)
    }

    /// Notes that so many were dropped after the latest real-time signal.
    pub(super) fn note_dropped(&mut self, count: u64) {
        let latest = self.entries.back_mut().map(|entry| &mut entry.dropped);
        *latest.unwrap_or(&mut self.dropped) += count;
    }

    /// Takes out what is unread of the set's real-time signals. What was dropped after those is told
    /// by the one before.
    pub(super) fn withdraw(&mut self, set: SignalSet) -> Vec<Entry> {
        let mut withdrawn = Vec::new();
        for entry in mem::take(&mut self.entries) {
            if !set.contains(entry.signal) {
                self.entries.push_back(entry);
                continue;
            }
            self.note_dropped(entry.dropped);
            withdrawn.push(entry);
        }
        withdrawn
    }
}
