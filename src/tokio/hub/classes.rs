//! Subscribers by their sets, and those of them that wait.
//!
//! Subscribers with the same set wait for the same signals: they are one class, with one [`Log`] of
//! real-time signals. Its waiters that are
//! tasks of tokio are on its [`Roster`], or join it with the next signal; the other wakers are on a
//! list. A signal ends the generation of the classes that it is for ([`Turn`]): all that waited in
//! it are woken, and wait no more.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;
use std::task::Waker;

use super::log::Log;
use super::queue::Queue;
use super::records::Records;
use super::signal_state::SignalState;
use super::slab::Slab;
use super::turn::{Registration, Turn};
use crate::tokio::roster::{Call, Member, Roster, Task};
use crate::tokio::waiters::{Stale, Waiter, Woken};
use crate::{Signal, SignalSet};

#[derive(Default)]
pub(super) struct Classes {
    classes: Slab<Class>,
    /// The number of the last roster that was made: each has one of its own.
    last_roster: u64,
}

struct Class {
    set: SignalSet,
    members: usize,
    log: Log,
    turn: Arc<Turn>,
    /// Nothing waited in it when the reader thread looked last, and something in another class did.
    is_parked: bool,
    roster: Arc<Roster>,
    roster_number: u64,
    /// Tasks that are not on the roster yet.
    joiners: Vec<Member>,
    /// Waiters that are no tasks of tokio's, and their subscribers' numbers.
    others: Vec<(Waker, usize)>,
}

/// Where a subscriber is noted, as one that waits or, if it is a task of tokio's, one that may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Listing {
    #[default]
    Nowhere,
    /// At this place of the joiners.
    Joiner(usize),
    /// At this place of the roster with this number, if that is still the class'.
    Roster(u64, usize),
    /// At this place of the other waiters, if the generation still lasts.
    Other(u64, usize),
}

impl Class {
    fn new(set: SignalSet) -> Class {
        Class {
            set,
            members: 0,
            log: Log::new(set),
            turn: Arc::new(Turn::new()),
            is_parked: false,
            roster: Arc::default(),
            roster_number: 0,
            joiners: Vec::new(),
            others: Vec::new(),
        }
    }

    fn is_waited_in(&self) -> bool {
        !self.others.is_empty() || self.turn.is_waited_in()
    }

    /// Ends the generation, and moves its waiters to `woken`.
    fn wake(&mut self, last_roster: &mut u64, queues: &mut Slab<Queue>, woken: &mut Woken) {
        let (generation, waiting) = self.turn.end();
        woken.wakers.extend(self.others.drain(..).map(|(waker, _)| waker));
        if waiting == 0 {
            return;
        }
        // Those that do not wait go when they are most of it.
        if !self.joiners.is_empty() || waiting < self.roster.members().len() / 2 {
            *last_roster += 1;
            self.renew_roster(*last_roster, generation, queues, &mut woken.stale);
        }
        woken.calls.push(Call::Roster(self.roster.clone(), generation));
    }

    /// Makes a roster of those that wait in this generation.
    fn renew_roster(
        &mut self,
        roster: u64,
        generation: u64,
        queues: &mut Slab<Queue>,
        stale: &mut Stale,
    ) {
        let mut members = Vec::with_capacity(self.roster.members().len() + self.joiners.len());
        for (at, member) in self.roster.members().iter().enumerate() {
            let listing = queues.get(member.number).map(|queue| queue.listing);
            let is_own = listing == Some(Listing::Roster(self.roster_number, at));
            if is_own && member.task.waits() == generation {
                members.push(member.clone());
            }
        }
        for joiner in self.joiners.drain(..) {
            if joiner.task.waits() == generation {
                members.push(joiner);
            } else {
                queues[joiner.number].listing = Listing::Nowhere;
                stale.push(Waiter::Task(joiner.task));
            }
        }
        let renewed = Arc::new(Roster::new(members));
        for (at, member) in renewed.members().iter().enumerate() {
            queues[member.number].listing = Listing::Roster(roster, at);
        }
        self.roster_number = roster;
        stale.push(Waiter::Roster(mem::replace(&mut self.roster, renewed)));
    }

    /// Whether the subscriber is noted with this very task.
    fn is_listed(&self, listing: Listing, task: &Arc<Task>) -> bool {
        match listing {
            Listing::Joiner(at) => Arc::ptr_eq(&self.joiners[at].task, task),
            Listing::Roster(roster, at) if roster == self.roster_number => {
                Arc::ptr_eq(&self.roster.members()[at].task, task)
            }
            _ => false,
        }
    }

    /// The task waits no more.
    fn end_waiting(&self, task: &Task) {
        let generation = task.waits();
        task.set_waits(0);
        if generation != 0 {
            self.turn.leave(generation);
        }
    }

    fn unlist(&mut self, number: usize, queues: &mut Slab<Queue>) -> Option<Waiter> {
        match mem::take(&mut queues[number].listing) {
            Listing::Joiner(at) => {
                let Member { task, .. } = self.joiners.swap_remove(at);
                if let Some(moved) = self.joiners.get(at) {
                    queues[moved.number].listing = Listing::Joiner(at);
                }
                self.end_waiting(&task);
                Some(Waiter::Task(task))
            }
            Listing::Roster(roster, at) if roster == self.roster_number => {
                self.end_waiting(&self.roster.members()[at].task);
                None
            }
            Listing::Other(generation, at) if generation == self.turn.generation() => {
                let (waker, _) = self.others.swap_remove(at);
                if let Some((_, moved)) = self.others.get(at) {
                    queues[*moved].listing = Listing::Other(generation, at);
                }
                Some(Waiter::Waker(waker))
            }
            _ => None,
        }
    }

    /// Notes the registration's task, if it is not noted. It may wait in this generation then.
    #[inline]
    fn list_task(
        &mut self,
        number: usize,
        queues: &mut Slab<Queue>,
        registration: &mut Registration,
    ) -> Option<Waiter> {
        if registration.roster() == self.roster_number && self.roster_number != 0 {
            registration.set_turn(&self.turn, self.roster_number);
            return None;
        }
        let task = registration.task()?;
        let mut stale = None;
        if !self.is_listed(queues[number].listing, task) {
            stale = self.unlist(number, queues);
            queues[number].listing = Listing::Joiner(self.joiners.len());
            self.joiners.push(Member { task: task.clone(), number });
        }
        let roster = match queues[number].listing {
            Listing::Roster(roster, _) => roster,
            _ => 0,
        };
        registration.set_turn(&self.turn, roster);
        stale
    }
}

impl Classes {
    /// Whether a subscriber waits. If one does, the classes in which none waits are parked; if none
    /// does, none is. A task that would wait in one of the former without the lock finds its
    /// generation ended. `is_changed` is set if what is parked may have changed.
    pub(super) fn is_waited_in(&mut self, is_changed: &mut bool) -> bool {
        let (mut is_waited_in, mut were_parked) = (false, false);
        for (_, class) in self.classes.iter_mut() {
            were_parked |= class.is_parked;
            if !class.is_parked {
                class.is_parked = !class.is_waited_in() && class.turn.end_unless_waited_in();
                is_waited_in |= !class.is_parked;
                *is_changed |= class.is_parked;
            }
        }
        if !is_waited_in {
            self.classes.iter_mut().for_each(|(_, class)| class.is_parked = false);
            *is_changed |= were_parked;
        }
        is_waited_in
    }

    /// Whether one of these classes is not parked: the descriptor is to yield what they have in common.
    pub(super) fn is_any_served(&self, classes: &[usize]) -> bool {
        classes.iter().any(|&class| !self.classes[class].is_parked)
    }

    pub(super) fn is_parked(&self, queue: &Queue) -> bool {
        queue.class.is_some_and(|class| self.classes[class].is_parked)
    }

    /// Returns whether the subscriber's class was parked; it is not any more.
    pub(super) fn unpark(&mut self, queue: &Queue) -> bool {
        self.of(queue).is_some_and(|class| mem::take(&mut class.is_parked))
    }

    /// Moves the waiters of these classes to `woken`.
    pub(super) fn wake(&mut self, classes: &[usize], queues: &mut Slab<Queue>, woken: &mut Woken) {
        for &class in classes {
            self.classes[class].wake(&mut self.last_roster, queues, woken);
        }
    }

    pub(super) fn wake_all(&mut self, queues: &mut Slab<Queue>, woken: &mut Woken) {
        for (_, class) in self.classes.iter_mut() {
            class.wake(&mut self.last_roster, queues, woken);
        }
    }

    fn of(&mut self, queue: &Queue) -> Option<&mut Class> {
        queue.class.map(|class| &mut self.classes[class])
    }

    /// Lets the registration's task, which has read everything, wait in this generation without the lock.
    #[inline]
    pub(super) fn admit(
        &mut self,
        queues: &mut Slab<Queue>,
        number: usize,
        registration: &mut Registration,
    ) -> Option<Waiter> {
        self.of(&queues[number])?.list_task(number, queues, registration)
    }

    /// Whether the subscriber waits with this very waker, which is no task's of tokio.
    pub(super) fn waits_with(&mut self, queue: &Queue, waker: &Waker) -> bool {
        let Some(class) = self.of(queue) else { return false };
        match queue.listing {
            Listing::Other(generation, at) if generation == class.turn.generation() => {
                class.others[at].0.will_wake(waker)
            }
            _ => false,
        }
    }

    /// Has the waker, which is no task's of tokio, called with the next signal. Returns what the
    /// subscriber waited with before.
    pub(super) fn wait_with(
        &mut self,
        queues: &mut Slab<Queue>,
        number: usize,
        waker: Waker,
    ) -> Option<Waiter> {
        let Some(class) = self.of(&queues[number]) else { return Some(Waiter::Waker(waker)) };
        let earlier = class.unlist(number, queues);
        queues[number].listing = Listing::Other(class.turn.generation(), class.others.len());
        class.others.push((waker, number));
        earlier
    }

    pub(super) fn stop_waiting(
        &mut self,
        queues: &mut Slab<Queue>,
        number: usize,
    ) -> Option<Waiter> {
        self.of(&queues[number])?.unlist(number, queues)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.classes.len()
    }

    #[cfg(all(test, not(shuttle)))]
    pub(super) fn longest_log(&mut self) -> usize {
        self.classes.iter_mut().map(|(_, class)| class.log.len()).max().unwrap_or(0)
    }

    pub(super) fn log(&self, queue: &Queue) -> Option<&Log> {
        queue.class.map(|class| &self.classes[class].log)
    }

    pub(super) fn log_mut(&mut self, class: usize) -> &mut Log {
        &mut self.classes[class].log
    }

    /// Whether one of these classes has a subscriber with room for a real-time signal.
    pub(super) fn have_room(&self, classes: &[usize]) -> bool {
        classes.iter().any(|&class| self.classes[class].log.has_room())
    }

    /// Takes a subscriber that does not wait out of its class.
    pub(super) fn leave(
        &mut self,
        queue: &mut Queue,
        records: &mut Records,
        signals: &mut BTreeMap<Signal, SignalState>,
        stale: &mut Stale,
    ) {
        let Some(left) = queue.class.take() else { return };
        let class = &mut self.classes[left];
        class.log.leave(queue, records);
        class.members -= 1;
        if class.members == 0 {
            let class = self.classes.remove(left);
            for signal in class.set {
                if let Some(state) = signals.get_mut(&signal) {
                    state.classes.retain(|&class| class != left);
                }
            }
            stale.push(Waiter::Roster(class.roster));
        }
    }

    /// Puts a subscriber that is in no class into that of its set.
    pub(super) fn enter(&mut self, queue: &mut Queue, signals: &mut BTreeMap<Signal, SignalState>) {
        if queue.set.is_empty() {
            return;
        }
        let same = self.classes.iter_mut().find(|(_, class)| class.set == queue.set);
        let entered = same.map(|(number, _)| number).unwrap_or_else(|| {
            let number = self.classes.insert(Class::new(queue.set));
            for signal in queue.set {
                signals.entry(signal).or_default().classes.push(number);
            }
            number
        });
        let class = &mut self.classes[entered];
        class.members += 1;
        class.log.enter(queue);
        queue.class = Some(entered);
    }
}
