//! Which subscribers a signal has, and what was read from the kernel's queue but by no subscriber.
//!
//! A standard signal costs the same however many subscribers it has: it closes their group
//! ([`SignalState`]), and hands on the rosters of those that wait, whole ([`Classes`]). A real-time signal
//! goes to the log of each class of its subscribers ([`Log`](super::log::Log)).
//!
//! Every record that is read goes to one subscriber at least, beyond the bound of its queue if need be;
//! a real-time signal that no subscriber has room for is not read any more but stays in the kernel's queue,
//! until a subscriber has read on. So what one subscriber is told as dropped, another one has.

mod reading;
mod subscribers;
#[cfg(all(test, not(shuttle)))]
mod tests;

use std::mem;
use std::task::Waker;

use super::classes::Classes;
use super::queue::{Entry, Queue};
use super::records::Records;
use super::signal_state::SignalState;
use super::states::States;
use super::turn::Registration;
use crate::tokio::slab::Slab;
use crate::tokio::source::{BATCH, Sink};
use crate::tokio::waiters::{Waiter, Woken};
use crate::{Signal, SignalInfo, SignalSet};

/// The most deliveries to classes that a thread which reads makes while it holds the lock.
const DELIVERIES: usize = 4096;

pub(in crate::tokio) struct Registry {
    pub(in crate::tokio) signals: States,
    /// By the subscribers' numbers.
    queues: Slab<Queue>,
    classes: Classes,
    records: Records,
    /// How many records have been read for subscribers.
    arrivals: u64,
    /// What the hub was opened with and has had no subscriber yet.
    pub(in crate::tokio) reserved: SignalSet,
    /// What threads are about to subscribe to.
    pub(in crate::tokio) joins: Vec<SignalSet>,
    pub(in crate::tokio) subscribers: usize,
    /// How many handles can still subscribe.
    pub(in crate::tokio) hubs: usize,
    /// Whether a receiver that is opened again checks the other threads.
    pub(in crate::tokio) is_audited: bool,
    /// The subscriber that has taken what none had room for, in the batch that is being read.
    overfilled: Option<usize>,
    /// What the descriptor yields, and whether that may have changed.
    watched: SignalSet,
    is_watch_stale: bool,
}

impl Sink for Registry {
    fn wants(&mut self) -> usize {
        if self.classes.is_waited_in(&mut self.is_watch_stale) { self.limit() } else { 0 }
    }

    fn put(&mut self, info: SignalInfo, woken: &mut Woken) {
        let signal = info.signal();
        let Some(state) = self.signals.get_mut(signal) else {
            // Not one that is received: the descriptor yields no such record.
            debug_assert!(false, "{signal}");
            return;
        };
        state.count += 1;
        if state.subscribers == 0 {
            state.unread.push(info);
            return;
        }
        self.arrivals += 1;
        // A subscriber that waits has read everything: this is for all of them.
        self.classes.wake(&state.classes, &mut self.queues, woken);
        if signal.is_real_time() {
            self.put_real_time(info);
        } else {
            state.put(info, self.arrivals);
        }
    }

    fn watch(&mut self) -> Option<SignalSet> {
        if !mem::take(&mut self.is_watch_stale) {
            return None;
        }
        self.overfilled = None;
        let is_wanted = |signal: Signal, state: &SignalState| {
            // Standard signals merge: there is always room.
            state.subscribers > 0
                && (!signal.is_real_time() || self.classes.have_room(&state.classes))
                && self.classes.is_any_served(&state.classes)
        };
        let wanted = self.signals.which(is_wanted);
        let earlier = mem::replace(&mut self.watched, wanted);
        (earlier != wanted).then_some(wanted)
    }

    fn all(&mut self, woken: &mut Woken) {
        self.classes.wake_all(&mut self.queues, woken);
    }
}

impl Registry {
    pub(in crate::tokio) fn new(set: SignalSet, is_audited: bool) -> Registry {
        let mut signals = States::default();
        signals.receive(set, &mut Vec::new());
        Registry {
            signals,
            queues: Slab::default(),
            classes: Classes::default(),
            records: Records::default(),
            arrivals: 0,
            reserved: set,
            joins: Vec::new(),
            subscribers: 0,
            hubs: 1,
            is_audited,
            overfilled: None,
            // What the descriptor of a new receiver yields.
            watched: set,
            is_watch_stale: true,
        }
    }

    /// How many records a thread may read while it holds the lock.
    pub(in crate::tokio) fn limit(&self) -> usize {
        DELIVERIES.checked_div(self.classes.len()).unwrap_or(BATCH).clamp(1, BATCH)
    }

    /// Whether the descriptor does not yield the subscriber's signals, for none with its set waits.
    #[inline]
    pub(in crate::tokio) fn is_parked(&self, number: usize) -> bool {
        self.classes.is_parked(&self.queues[number])
    }

    /// Those of the subscriber's signals that are not left in the kernel's queue for want of room.
    pub(in crate::tokio) fn readable(&self, number: usize) -> SignalSet {
        let has_room = |signal: &Signal| {
            let state = self.signals.get(*signal);
            !signal.is_real_time()
                || state.is_some_and(|state| self.classes.have_room(&state.classes))
        };
        self.queues[number].set.iter().filter(has_room).collect()
    }

    /// Has the descriptor yield the subscriber's signals. Returns whether it did not.
    pub(in crate::tokio) fn unpark(&mut self, number: usize) -> bool {
        let was_parked = self.classes.unpark(&self.queues[number]);
        self.is_watch_stale |= was_parked;
        was_parked
    }

    /// Puts a record into the logs of its classes. If no subscriber has room for it, one of those that
    /// have the least takes it, and what the rest of the batch brings.
    fn put_real_time(&mut self, info: SignalInfo) {
        let signal = info.signal();
        let Some(state) = self.signals.get(signal) else { return };
        let (arrival, record) = (self.arrivals, self.records.next());
        let mut keepers = 0;
        if !self.classes.have_room(&state.classes) {
            self.is_watch_stale = true;
            let class = |queue: &Queue| queue.class.filter(|class| state.classes.contains(class));
            let earlier =
                self.overfilled.filter(|&one| self.queues.get(one).and_then(class).is_some());
            let all = self.queues.iter_mut().filter(|(_, queue)| class(queue).is_some());
            let least = || Some(all.min_by_key(|(_, queue)| queue.entries.len())?.0);
            self.overfilled = earlier.or_else(least);
            if let Some(queue) = self.overfilled.map(|number| &mut self.queues[number]) {
                let log = class(queue).map(|class| self.classes.log_mut(class));
                let next = Entry { signal, arrival, record, dropped: 0 };
                log.expect("a subscriber is in a class").overfill(queue, next, &mut self.records);
                keepers += 1;
            }
        }
        for &class in &state.classes {
            let log = self.classes.log_mut(class);
            keepers += usize::from(log.put(signal, arrival, record));
            self.is_watch_stale |= !log.has_room();
        }
        self.records.insert(info, keepers);
    }

    /// Lets the registration's task, if it has one, wait without the lock: it has read everything. Returns
    /// what the subscriber waited with before, if that is another.
    #[inline]
    pub(in crate::tokio) fn admit(
        &mut self,
        number: usize,
        registration: &mut Registration,
    ) -> Option<Waiter> {
        registration.task()?;
        self.classes.admit(&mut self.queues, number, registration)
    }

    /// Whether the subscriber waits with this very waker, which is no task's of tokio.
    pub(in crate::tokio) fn waits_with(&mut self, number: usize, waker: &Waker) -> bool {
        self.classes.waits_with(&self.queues[number], waker)
    }

    /// Has the waker, which is no task's of tokio, called with the next signal: nothing is unread.
    /// Returns what the subscriber waited with before.
    pub(in crate::tokio) fn wait_with(&mut self, number: usize, waker: Waker) -> Option<Waiter> {
        self.classes.wait_with(&mut self.queues, number, waker)
    }

    /// Notes that the subscriber waits no more.
    pub(in crate::tokio) fn stop_waiting(&mut self, number: usize) -> Option<Waiter> {
        self.classes.stop_waiting(&mut self.queues, number)
    }

    /// What has to be received.
    pub(in crate::tokio) fn needed(&self) -> SignalSet {
        let mut needed = self.reserved | self.signals.which(|_, state| state.subscribers > 0);
        for &join in &self.joins {
            needed |= join;
        }
        needed
    }

    /// Notes what the receiver's set is now, all of which its descriptor yields; takes out what is
    /// unread of the rest.
    pub(in crate::tokio) fn received(&mut self, set: SignalSet, unread: &mut Vec<SignalInfo>) {
        self.signals.receive(set, unread);
        self.watched = set;
        self.is_watch_stale = true;
    }

    /// Notes that the descriptor yields `set` alone for the moment.
    pub(in crate::tokio) fn watches(&mut self, set: SignalSet) {
        self.watched = set;
        self.is_watch_stale = true;
    }
}
