//! Who subscribes to which signal, and what nobody has read.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::mem;
use std::sync::Arc;
use std::task::Waker;

use super::QUEUE;
use super::queue::{Entry, Record, Slot};
use crate::platform;
use crate::tokio::shared::{Shared, Sink, State, send_again};
use crate::{OpenError, Signal, SignalInfo, SignalSet, Signals};

/// The most records that one read takes.
const BATCH: usize = 64;

/// Enough deliveries for one batch.
const DELIVERIES: usize = 1 << 16;

#[derive(Debug)]
pub(super) struct Registry {
    lines: BTreeMap<Signal, Line>,
    records: Records,
    /// What the hub was opened with and nobody has subscribed to yet.
    reserved: SignalSet,
    subscribers: usize,
    /// How many can still subscribe.
    hubs: usize,
    next: u64,
    /// A forked child's copy does not act for its parent.
    generation: u64,
}

/// One received signal.
#[derive(Debug, Default)]
struct Line {
    /// In the order of the subscribers' numbers, so the longest there is served first.
    slots: Vec<(u64, Arc<Slot>)>,
    /// Of a standard signal: who reads it, has read all that merged with it.
    latest: Option<Arc<Record>>,
    /// Real-time signals that nobody has read, nor can any more.
    orphans: VecDeque<SignalInfo>,
}

impl Line {
    fn insert(&mut self, id: u64, slot: &Arc<Slot>) {
        if let Err(index) = self.slots.binary_search_by_key(&id, |&(id, _)| id) {
            self.slots.insert(index, (id, slot.clone()));
        }
    }

    fn remove(&mut self, id: u64) {
        if let Ok(index) = self.slots.binary_search_by_key(&id, |&(id, _)| id) {
            self.slots.remove(index);
        }
    }

    fn put(&mut self, record: &Arc<Record>, wakers: &mut Vec<Waker>) -> usize {
        for (_, slot) in &self.slots {
            wakers.extend(slot.put(record));
        }
        if !record.is_queued {
            self.latest = Some(record.clone());
        } else if self.slots.is_empty() {
            self.orphan(record.info);
        }
        self.slots.len()
    }

    fn orphan(&mut self, info: SignalInfo) {
        if self.orphans.len() < QUEUE {
            self.orphans.push_back(info);
        }
    }

    /// What has to act, now that nobody can read it.
    fn unread(self) -> impl Iterator<Item = SignalInfo> {
        let latest = self.latest.filter(|record| !record.is_read());
        latest.map(|record| record.info).into_iter().chain(self.orphans)
    }
}

/// Records to be used again, so that a signal costs no memory of its own.
#[derive(Debug, Default)]
struct Records {
    /// One may be in use when its turn comes; then it is let go, and a new one takes its place.
    ring: VecDeque<Arc<Record>>,
}

impl Records {
    const KEPT: usize = 16;

    fn record(&mut self, info: SignalInfo) -> Arc<Record> {
        let new = Record::new(info, info.signal().is_real_time());
        let oldest = if self.ring.len() < Records::KEPT { None } else { self.ring.pop_front() };
        let record = match oldest {
            Some(mut oldest) => match Arc::get_mut(&mut oldest) {
                Some(unused) => {
                    *unused = new;
                    oldest
                }
                None => Arc::new(new),
            },
            None => Arc::new(new),
        };
        self.ring.push_back(record.clone());
        record
    }
}

impl Sink for Registry {
    fn wants(&self) -> usize {
        DELIVERIES.checked_div(self.subscribers).unwrap_or(BATCH).clamp(1, BATCH)
    }

    fn put(&mut self, info: SignalInfo, wakers: &mut Vec<Waker>) -> usize {
        // Each received signal has a line.
        let record = self.records.record(info);
        self.lines.get_mut(&info.signal()).map_or(0, |line| line.put(&record, wakers))
    }

    fn is_done(&self) -> bool {
        false
    }

    fn everybody(&mut self, wakers: &mut Vec<Waker>) {
        for line in self.lines.values() {
            wakers.extend(line.slots.iter().filter_map(|(_, slot)| slot.rouse()));
        }
    }
}

impl Registry {
    pub(super) fn new(set: SignalSet) -> Registry {
        Registry {
            lines: set.iter().map(|signal| (signal, Line::default())).collect(),
            records: Records::default(),
            reserved: set,
            subscribers: 0,
            hubs: 1,
            next: 0,
            generation: platform::generation(),
        }
    }

    /// What has to be received.
    fn needed(&self) -> SignalSet {
        let lines = self.lines.iter().filter(|(_, line)| !line.slots.is_empty());
        lines.map(|(&signal, _)| signal).fold(self.reserved, SignalSet::with)
    }
}

/// A change of who subscribes, with what it takes in the receiver.
impl State<Registry> {
    pub(super) fn add_hub(&mut self) {
        self.sink.hubs += 1;
    }

    /// Nobody can subscribe to what is reserved once the last hub has gone.
    pub(super) fn remove_hub(&mut self) {
        self.sink.hubs -= 1;
        if self.sink.hubs == 0 {
            self.sink.reserved = SignalSet::EMPTY;
            self.narrow();
        }
    }

    pub(super) fn add_subscriber(
        &mut self,
        shared: &Shared<Registry>,
        slot: &Arc<Slot>,
        set: SignalSet,
    ) -> Result<u64, OpenError> {
        let id = self.sink.next;
        self.sink.next += 1;
        self.join(shared, id, slot, set)?;
        self.sink.subscribers += 1;
        Ok(id)
    }

    pub(super) fn remove_subscriber(&mut self, id: u64, slot: &Slot, set: SignalSet) {
        self.sink.subscribers -= 1;
        if self.sink.subscribers == 0 {
            self.sink.reserved = SignalSet::EMPTY;
        }
        self.leave(id, slot, set);
    }

    /// Has a subscriber see what is sent from now on of `set`.
    pub(super) fn join(
        &mut self,
        shared: &Shared<Registry>,
        id: u64,
        slot: &Arc<Slot>,
        set: SignalSet,
    ) -> Result<(), OpenError> {
        let received = self.signals.as_ref().map_or(SignalSet::EMPTY, Signals::set);
        if !(set - received).is_empty() {
            match &mut self.signals {
                Some(signals) => signals.update(received | set)?,
                None => self.signals = Some(Signals::new(set)?),
            }
            for signal in set - received {
                self.sink.lines.entry(signal).or_default();
            }
        }
        // What is pending is for those who were there before.
        if let Err(error) = self.drain(shared) {
            self.narrow();
            return Err(OpenError::Os(error));
        }
        for signal in set {
            let line = self.sink.lines.entry(signal).or_default();
            line.insert(id, slot);
        }
        self.sink.reserved -= set;
        Ok(())
    }

    /// Ends a subscriber's part in `set`. If it was the last one for a signal, that acts again.
    pub(super) fn leave(&mut self, id: u64, slot: &Slot, set: SignalSet) {
        for signal in set {
            if let Some(line) = self.sink.lines.get_mut(&signal) {
                line.remove(id);
            }
        }
        for info in slot.withdraw(set).into_iter().filter_map(Entry::give_up) {
            if let Some(line) = self.sink.lines.get_mut(&info.signal()) {
                line.orphan(info);
            }
        }
        self.narrow();
    }

    /// Reads until nothing is left; under a flood that never ends, until it is certainly of now.
    fn drain(&mut self, shared: &Shared<Registry>) -> io::Result<()> {
        for _ in 0..1024 {
            if shared.read_locked(self)? {
                break;
            }
        }
        Ok(())
    }

    /// Receives no more than is needed; what acts again and was not read by anybody acts now.
    fn narrow(&mut self) {
        let needed = self.sink.needed();
        if needed.is_empty() {
            self.close();
        } else if let Some(signals) = &mut self.signals {
            if signals.set() == needed || signals.update(needed).is_err() {
                return;
            }
        }
        let lines = mem::take(&mut self.sink.lines).into_iter();
        let gone: BTreeMap<Signal, Line>;
        (self.sink.lines, gone) = lines.partition(|(signal, _)| needed.contains(*signal));
        if self.sink.generation == platform::generation() {
            gone.into_values().flat_map(Line::unread).for_each(send_again);
        }
    }
}
