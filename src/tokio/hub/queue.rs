//! What one subscriber has not read yet.

use std::collections::VecDeque;
use std::mem;
use std::ops::Range;

use super::class::Listing;
use crate::{Signal, SignalSet};

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
    /// What it has taken from the log, before its position, and may have returned since.
    pub(super) taken: Range<u64>,
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
