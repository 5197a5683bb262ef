//! Which subscribers a signal has, and what was read from the kernel's queue but by no subscriber.
//!
//! A signal costs as much as it has *active* subscribers: those whose queue takes its next record.
//! One that has the signal unread already is not active. For a standard signal the counter and the
//! latest record of the signal tell it, when it reads, what has merged since. For a real-time signal
//! it leaves when its queue is full, and the counters tell it what it has missed.
//!
//! Every record that is read goes to one queue at least, beyond its bound if need be; a real-time
//! signal that no queue has room for is not read any more but stays in the kernel's queue, until a
//! subscriber has read on. So what one subscriber is told as dropped, another one has.

use std::collections::BTreeMap;
use std::mem;
use std::task::Waker;

use super::queue::{Entry, HubEvent, Noted, Queue, Records};
use super::signal_state::{Latest, SignalState};
use crate::tokio::local;
use crate::tokio::reader::Stale;
use crate::tokio::source::{BATCH, Sink};
use crate::{Signal, SignalInfo, SignalSet};

/// The most deliveries that the reader thread makes while it holds the lock.
const DELIVERIES: usize = 4096;

#[derive(Debug)]
pub(in crate::tokio) struct Registry {
    pub(in crate::tokio) signals: BTreeMap<Signal, SignalState>,
    /// By the subscribers' numbers.
    queues: Vec<Option<Queue>>,
    free: Vec<usize>,
    records: Records,
    /// What the hub was opened with and has had no subscriber yet.
    pub(in crate::tokio) reserved: SignalSet,
    pub(in crate::tokio) subscribers: usize,
    /// How many of them wait.
    waiting: usize,
    /// How many handles can still subscribe.
    pub(in crate::tokio) hubs: usize,
    /// Whether a receiver that is opened again checks the other threads.
    pub(in crate::tokio) is_audited: bool,
    /// What the descriptor yields, and whether that may have changed.
    watched: SignalSet,
    is_watch_stale: bool,
}

impl Sink for Registry {
    fn wants(&self) -> usize {
        if self.waiting == 0 {
            return 0;
        }
        DELIVERIES.checked_div(self.subscribers).unwrap_or(BATCH).clamp(1, BATCH)
    }

    fn put(&mut self, info: SignalInfo, wakers: &mut Vec<Waker>) {
        let signal = info.signal();
        let Some(state) = self.signals.get_mut(&signal) else {
            // Not one that is received: the descriptor yields no such record.
            debug_assert!(false, "{signal}");
            return;
        };
        state.count += 1;
        if state.subscribers == 0 {
            state.unread.push_back(info);
        } else if signal.is_real_time() {
            self.put_real_time(info, wakers);
        } else {
            self.put_standard(info, wakers);
        }
    }

    fn watch(&mut self) -> Option<SignalSet> {
        if !mem::take(&mut self.is_watch_stale) {
            return None;
        }
        let is_wanted = |signal: Signal, state: &SignalState| {
            // Standard signals merge: there is always room.
            state.subscribers > 0 && (!state.active.is_empty() || !signal.is_real_time())
        };
        let states = self.signals.iter().filter(|&(&signal, state)| is_wanted(signal, state));
        let wanted = states.map(|(&signal, _)| signal).collect();
        let earlier = mem::replace(&mut self.watched, wanted);
        (earlier != wanted).then_some(wanted)
    }

    fn all(&mut self, wakers: &mut Vec<Waker>) {
        for queue in self.queues.iter_mut().flatten() {
            notify(queue, &mut self.waiting, wakers);
        }
    }
}

/// Notifies the subscriber whose queue this is, if it waits.
fn notify(queue: &mut Queue, waiting: &mut usize, wakers: &mut Vec<Waker>) {
    if !mem::take(&mut queue.is_waiting) {
        return;
    }
    *waiting -= 1;
    // To clone one of this crate's own runs no code of the program.
    let waker = if queue.waker.as_ref().is_some_and(local::is_own) {
        queue.waker.clone()
    } else {
        queue.waker.take()
    };
    wakers.extend(waker);
}

impl Registry {
    pub(in crate::tokio) fn new(set: SignalSet, is_audited: bool) -> Registry {
        Registry {
            signals: set.iter().map(|signal| (signal, SignalState::default())).collect(),
            queues: Vec::new(),
            free: Vec::new(),
            records: Records::default(),
            reserved: set,
            subscribers: 0,
            waiting: 0,
            hubs: 1,
            is_audited,
            // What the descriptor of a new receiver yields.
            watched: set,
            is_watch_stale: true,
        }
    }

    fn put_standard(&mut self, info: SignalInfo, wakers: &mut Vec<Waker>) {
        let signal = info.signal();
        let Some(state) = self.signals.get_mut(&signal) else { return };
        let earlier = state.latest.as_ref().map_or(0, |latest| latest.queues);
        let queues = earlier + state.active.len();
        for number in state.active.drain(..) {
            let Some(queue) = &mut self.queues[number] else { continue };
            queue.entries.push_back(Entry::Standard { signal, before: state.count - 1 });
            notify(queue, &mut self.waiting, wakers);
        }
        state.latest = Some(Latest { info, queues, is_read: false });
    }

    fn put_real_time(&mut self, info: SignalInfo, wakers: &mut Vec<Waker>) {
        let signal = info.signal();
        let Some(state) = self.signals.get_mut(&signal) else { return };
        let record = self.records.next();
        let mut index = 0;
        while let Some(&number) = state.active.get(index) {
            let Some(queue) = &mut self.queues[number] else {
                state.active.swap_remove(index);
                continue;
            };
            if queue.is_full() {
                queue.missed.push((signal, state.count - 1));
                state.last_full = Some(number);
                state.active.swap_remove(index);
                continue;
            }
            queue.push_real_time(signal, record);
            notify(queue, &mut self.waiting, wakers);
            index += 1;
        }
        if index > 0 {
            self.records.insert(info, index);
            return;
        }
        self.is_watch_stale = true;
        let last = state.last_full.and_then(|number| self.queues[number].as_mut());
        let Some(queue) = last else {
            state.unread.push_back(info);
            return;
        };
        if let Some((_, count)) = queue.missed.iter_mut().find(|(missed, _)| *missed == signal) {
            *count += 1;
        }
        queue.push_real_time(signal, record);
        self.records.insert(info, 1);
    }

    fn queue(&mut self, number: usize) -> &mut Queue {
        self.queues[number].as_mut().expect("a subscriber has its queue until it is dropped")
    }

    /// Whether something is unread.
    pub(in crate::tokio) fn is_unread(&self, number: usize) -> bool {
        self.queues[number].as_ref().is_some_and(|queue| !queue.entries.is_empty())
    }

    /// The subscriber's first unread signal. If there is one, it is no waiter any more.
    pub(in crate::tokio) fn pop(&mut self, number: usize, stale: &mut Stale) -> Option<HubEvent> {
        let entry = self.queue(number).entries.pop_front()?;
        self.stop_waiting(number, stale);
        let mut event = match entry {
            Entry::Standard { signal, before } => {
                let state =
                    self.signals.get_mut(&signal).expect("a subscribed signal has its state");
                state.active.push(number);
                let latest = state.latest.as_mut().expect("an entry is of a record");
                latest.is_read = true;
                latest.queues -= 1;
                let merged = u32::try_from(state.count - before - 1).unwrap_or(u32::MAX);
                HubEvent { info: latest.info, merged, dropped: 0 }
            }
            Entry::RealTime { record, dropped, .. } => {
                let queue = self.queue(number);
                queue.real_time -= 1;
                // What was missed up to now came after the latest entry that is left. This entry
                // itself is that, if it was the only one.
                queue.dropped += dropped;
                if !queue.missed.is_empty() && !queue.is_full() {
                    self.reactivate(number);
                }
                HubEvent { info: self.records.read(record), merged: 0, dropped: 0 }
            }
        };
        let dropped = mem::take(&mut self.queue(number).dropped);
        event.dropped = u32::try_from(dropped).unwrap_or(u32::MAX);
        Some(event)
    }

    /// Makes a queue that was full active again, and notes what it has missed.
    fn reactivate(&mut self, number: usize) {
        let missed = mem::take(&mut self.queue(number).missed);
        let mut count = 0;
        for (signal, before) in missed {
            let state = self.signals.get_mut(&signal).expect("a subscribed signal has its state");
            count += state.count - before;
            self.is_watch_stale |= state.active.is_empty();
            state.active.push(number);
            if state.last_full == Some(number) {
                state.last_full = None;
            }
        }
        self.queue(number).note_dropped(count);
    }

    /// How the waker stands to the subscriber's.
    pub(in crate::tokio) fn noted(&self, number: usize, waker: &Waker) -> Noted {
        let Some(queue) = &self.queues[number] else { return Noted::Not };
        match &queue.waker {
            Some(other) if !other.will_wake(waker) => Noted::Not,
            Some(_) if queue.is_waiting => Noted::Waiting,
            Some(_) => Noted::Again,
            None => Noted::Not,
        }
    }

    /// Notes the waker that the subscriber is going to wait with.
    pub(in crate::tokio) fn set_waker(&mut self, number: usize, waker: Waker, stale: &mut Stale) {
        stale.extend(self.queue(number).waker.replace(waker));
    }

    /// Notes that the subscriber waits.
    pub(in crate::tokio) fn wait(&mut self, number: usize) {
        if !mem::replace(&mut self.queue(number).is_waiting, true) {
            self.waiting += 1;
        }
    }

    /// Notes that the subscriber waits no more.
    pub(in crate::tokio) fn stop_waiting(&mut self, number: usize, stale: &mut Stale) {
        let queue = self.queue(number);
        if !mem::take(&mut queue.is_waiting) {
            return;
        }
        if !queue.waker.as_ref().is_some_and(local::is_own) {
            stale.extend(queue.waker.take());
        }
        self.waiting -= 1;
    }

    /// A new subscriber's number; it has no signal yet.
    pub(in crate::tokio) fn add(&mut self) -> usize {
        self.subscribers += 1;
        let queue = Some(Queue::default());
        match self.free.pop() {
            Some(number) => {
                self.queues[number] = queue;
                number
            }
            None => {
                self.queues.push(queue);
                self.queues.len() - 1
            }
        }
    }

    /// Ends what [`add`](Self::add) began; its signals have been taken from it.
    pub(in crate::tokio) fn remove(&mut self, number: usize, stale: &mut Stale) {
        self.stop_waiting(number, stale);
        stale.extend(self.queue(number).waker.take());
        self.queues[number] = None;
        self.free.push(number);
        self.subscribers -= 1;
    }

    /// Gives `set` to the subscriber, from the next record on.
    pub(in crate::tokio) fn join(&mut self, number: usize, set: SignalSet) {
        self.queue(number).set |= set;
        for signal in set {
            let state = self.signals.entry(signal).or_default();
            state.subscribers += 1;
            state.active.push(number);
        }
        self.reserved -= set;
        self.is_watch_stale = true;
    }

    /// Takes `set` from the subscriber. What only it could have read is unread for good.
    pub(in crate::tokio) fn leave(&mut self, number: usize, set: SignalSet) {
        self.reactivate(number);
        let queue = self.queue(number);
        queue.set -= set;
        for entry in queue.withdraw(set) {
            let state = self.signals.get_mut(&entry.signal());
            let state = state.expect("a subscribed signal has its state");
            match entry {
                Entry::RealTime { record, .. } => {
                    state.unread.extend(self.records.give_up(record));
                }
                Entry::Standard { .. } => {
                    let latest = state.latest.as_mut().expect("an entry is of a record");
                    latest.queues -= 1;
                    if latest.queues == 0 {
                        let latest = state.latest.take().filter(|latest| !latest.is_read);
                        state.unread.extend(latest.map(|latest| latest.info));
                    }
                }
            }
        }
        for signal in set {
            if let Some(state) = self.signals.get_mut(&signal) {
                state.subscribers -= 1;
                state.active.retain(|&other| other != number);
                if state.last_full == Some(number) {
                    state.last_full = None;
                }
            }
        }
        self.is_watch_stale = true;
    }

    /// What has to be received.
    pub(in crate::tokio) fn needed(&self) -> SignalSet {
        let states = self.signals.iter().filter(|(_, state)| state.subscribers > 0);
        states.map(|(&signal, _)| signal).fold(self.reserved, SignalSet::with)
    }

    /// Notes what the receiver's set is now, all of which its descriptor yields; takes out what is
    /// unread of the rest.
    pub(in crate::tokio) fn received(&mut self, set: SignalSet, unread: &mut Vec<SignalInfo>) {
        let states = mem::take(&mut self.signals).into_iter();
        let gone: BTreeMap<Signal, SignalState>;
        (self.signals, gone) = states.partition(|(signal, _)| set.contains(*signal));
        for signal in set {
            self.signals.entry(signal).or_default();
        }
        unread.extend(gone.into_values().flat_map(SignalState::into_unread));
        self.watched = set;
        self.is_watch_stale = true;
    }

    /// Notes that the descriptor yields `set` alone for the moment.
    pub(in crate::tokio) fn watches(&mut self, set: SignalSet) {
        self.watched = set;
        self.is_watch_stale = true;
    }
}
