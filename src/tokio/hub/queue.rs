//! What one subscriber has not read yet.

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::QUEUE;
use crate::{Signal, SignalInfo, SignalSet};

/// What a subscriber receives: a signal, and what became of those like it.
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
    info: SignalInfo,
    merged: u32,
    dropped: u32,
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

    /// How many real-time signals came after this one and were dropped, because this subscriber
    /// had left [`SignalHub::QUEUE`](super::SignalHub::QUEUE) unread.
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

/// A record that subscribers share, so that one more of them costs a pointer.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) info: SignalInfo,
    /// Of a real-time signal, which stands for itself.
    pub(super) is_queued: bool,
    /// How many queues have it; counted for real-time signals alone.
    queues: AtomicUsize,
    is_read: AtomicBool,
}

impl Record {
    pub(super) fn new(info: SignalInfo, is_queued: bool) -> Record {
        Record { info, is_queued, queues: AtomicUsize::new(0), is_read: AtomicBool::new(false) }
    }

    pub(super) fn is_read(&self) -> bool {
        self.is_read.load(Ordering::SeqCst)
    }
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) record: Arc<Record>,
    merged: u32,
    dropped: u32,
}

impl Entry {
    fn new(record: &Arc<Record>) -> Entry {
        if record.is_queued {
            record.queues.fetch_add(1, Ordering::SeqCst);
        }
        Entry { record: record.clone(), merged: 0, dropped: 0 }
    }

    /// Notes that it is read.
    pub(super) fn sign(self) -> HubEvent {
        let Entry { record, merged, dropped } = self;
        // Thousands may read the same record: the first of them writes.
        if !record.is_read() {
            record.is_read.store(true, Ordering::SeqCst);
        }
        if record.is_queued {
            record.queues.fetch_sub(1, Ordering::SeqCst);
        }
        HubEvent { info: record.info, merged, dropped }
    }

    /// Gives it up unread. Returns a real-time signal that nobody has read, nor can any more.
    pub(super) fn give_up(self) -> Option<SignalInfo> {
        let record = self.record;
        let was_last = record.is_queued && record.queues.fetch_sub(1, Ordering::SeqCst) == 1;
        (was_last && !record.is_read()).then_some(record.info)
    }
}

/// One subscriber's place.
#[derive(Debug, Default)]
pub(super) struct Slot {
    queue: Mutex<Queue>,
    /// Nothing is unread, and the waker is to be called when something is. Written under the lock.
    is_quiet: AtomicBool,
}

#[derive(Debug, Default)]
struct Queue {
    /// In the order of arrival; a merged signal keeps its first one's place, so that none starves.
    entries: VecDeque<Entry>,
    /// The standard signals among them.
    standard: SignalSet,
    /// How many of them are of real-time signals.
    real_time: usize,
    /// Of whoever polled last. It stays, so that reading one signal is waiting for the next.
    waker: Option<Waker>,
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether whoever polled last need not do so again: it will be woken.
    pub(super) fn is_quiet(&self) -> bool {
        self.is_quiet.load(Ordering::Acquire)
    }

    /// Takes a record, and returns who waits for it.
    pub(super) fn put(&self, record: &Arc<Record>) -> Option<Waker> {
        let mut queue = self.lock();
        queue.put(record);
        self.disturb(&queue)
    }

    /// Whoever waits, to look again.
    pub(super) fn rouse(&self) -> Option<Waker> {
        self.disturb(&self.lock())
    }

    fn disturb(&self, queue: &Queue) -> Option<Waker> {
        if !self.is_quiet() {
            return None;
        }
        self.is_quiet.store(false, Ordering::Release);
        queue.waker.clone()
    }

    /// The first unread.
    pub(super) fn pop(&self) -> Option<Entry> {
        self.lock().pop()
    }

    /// The first unread; or leaves the waker.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Entry> {
        let mut queue = self.lock();
        let found = queue.pop();
        if queue.entries.is_empty() {
            match &mut queue.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
            self.is_quiet.store(true, Ordering::Release);
        }
        found.map_or(Poll::Pending, Poll::Ready)
    }

    /// Takes out what is unread of the set.
    pub(super) fn withdraw(&self, set: SignalSet) -> VecDeque<Entry> {
        let mut queue = self.lock();
        let entries = mem::take(&mut queue.entries).into_iter();
        let out;
        (out, queue.entries) = entries.partition(|entry| set.contains(entry.record.info.signal()));
        queue.standard -= set;
        queue.real_time = queue.entries.iter().filter(|entry| entry.record.is_queued).count();
        out
    }
}

impl Queue {
    fn put(&mut self, record: &Arc<Record>) {
        let signal = record.info.signal();
        if record.is_queued {
            if self.real_time == QUEUE {
                let mut entries = self.entries.iter_mut().rev();
                if let Some(last) = entries.find(|entry| entry.record.is_queued) {
                    last.dropped = last.dropped.saturating_add(1);
                }
                return;
            }
            self.real_time += 1;
        } else if self.standard.contains(signal) {
            let mut entries = self.entries.iter_mut();
            if let Some(entry) = entries.find(|entry| entry.record.info.signal() == signal) {
                entry.merged = entry.merged.saturating_add(1);
                entry.record = record.clone();
            }
            return;
        } else {
            self.standard = self.standard.with(signal);
        }
        self.entries.push_back(Entry::new(record));
    }

    fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        if entry.record.is_queued {
            self.real_time -= 1;
        } else {
            self.standard = self.standard.without(entry.record.info.signal());
        }
        Some(entry)
    }
}
