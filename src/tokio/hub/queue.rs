//! What one subscriber has not read yet.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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

/// Whether a record was read by anybody, shared by the subscribers that have it in their queues.
#[derive(Clone, Debug)]
pub(super) enum Receipt {
    /// Of a standard signal: the number of the record, and of the latest that was read. Who reads
    /// one has read all before it.
    Upto { number: u64, read: Arc<AtomicU64> },
    /// Of a real-time signal, which stands for itself.
    Own(Arc<AtomicBool>),
}

impl Receipt {
    pub(super) fn own() -> Receipt {
        Receipt::Own(Arc::new(AtomicBool::new(false)))
    }

    /// Gives the receipt back unread. Tells whether the record can't be read any more and never
    /// was; of a standard signal the hub knows.
    pub(super) fn give_back_unread(self) -> bool {
        match self {
            Receipt::Upto { .. } => false,
            Receipt::Own(read) => Arc::into_inner(read).is_some_and(|read| !read.into_inner()),
        }
    }
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) event: HubEvent,
    pub(super) receipt: Receipt,
}

impl Entry {
    /// Notes that it is read.
    pub(super) fn sign(self) -> HubEvent {
        match self.receipt {
            Receipt::Upto { number, read } => {
                read.fetch_max(number, Ordering::SeqCst);
            }
            Receipt::Own(read) => read.store(true, Ordering::SeqCst),
        }
        self.event
    }
}

/// One subscriber's place.
#[derive(Debug, Default)]
pub(super) struct Slot(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    /// In the order of arrival; a merged signal keeps its first one's place, so that none starves.
    entries: VecDeque<Entry>,
    /// The standard signals among them.
    standard: SignalSet,
    /// How many of them are of real-time signals.
    real_time: usize,
    waker: Option<Waker>,
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a record, and returns who waits for it.
    pub(super) fn put(&self, info: SignalInfo, receipt: Receipt) -> Option<Waker> {
        let mut queue = self.lock();
        queue.put(info, receipt);
        queue.waker.take()
    }

    /// The first unread.
    pub(super) fn pop(&self) -> Option<Entry> {
        self.lock().pop()
    }

    /// The first unread; or leaves the waker.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Entry> {
        let mut queue = self.lock();
        if let Some(entry) = queue.pop() {
            return Poll::Ready(entry);
        }
        match &mut queue.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    pub(super) fn take_waker(&self) -> Option<Waker> {
        self.lock().waker.take()
    }

    /// Takes out what is unread of the set.
    pub(super) fn withdraw(&self, set: SignalSet) -> VecDeque<Entry> {
        let mut queue = self.lock();
        let entries = std::mem::take(&mut queue.entries);
        let (out, stay) = entries.into_iter().partition(|entry| set.contains(entry.event.signal()));
        queue.entries = stay;
        queue.standard -= set;
        let own = |entry: &&Entry| matches!(entry.receipt, Receipt::Own(_));
        queue.real_time = queue.entries.iter().filter(own).count();
        out
    }
}

impl Queue {
    fn put(&mut self, info: SignalInfo, receipt: Receipt) {
        let event = HubEvent { info, merged: 0, dropped: 0 };
        match receipt {
            Receipt::Upto { .. } if self.standard.contains(info.signal()) => {
                let mut entries = self.entries.iter_mut();
                if let Some(entry) = entries.find(|entry| entry.event.signal() == info.signal()) {
                    entry.event.merged = entry.event.merged.saturating_add(1);
                    entry.event.info = info;
                    entry.receipt = receipt;
                }
                return;
            }
            Receipt::Upto { .. } => self.standard = self.standard.with(info.signal()),
            Receipt::Own(_) if self.real_time == QUEUE => {
                let mut entries = self.entries.iter_mut().rev();
                let own = |entry: &&mut Entry| matches!(entry.receipt, Receipt::Own(_));
                if let Some(last) = entries.find(own) {
                    last.event.dropped = last.event.dropped.saturating_add(1);
                }
                return;
            }
            Receipt::Own(_) => self.real_time += 1,
        }
        self.entries.push_back(Entry { event, receipt });
    }

    fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        match entry.receipt {
            Receipt::Upto { .. } => self.standard = self.standard.without(entry.event.signal()),
            Receipt::Own(_) => self.real_time -= 1,
        }
        Some(entry)
    }
}
