//! Subscribers with the same set, and those of them that wait.
//!
//! They wait for the same signals: they are one class, with one [`Log`] of real-time signals. Its
//! waiters that are tasks of tokio are on its [`Roster`], or join it with the next signal; the other
//! wakers are on a list. A signal ends the generation of the classes that it is for ([`Turn`]): all
//! that waited in it are woken, and wait no more.

use std::mem;
use std::sync::Arc;
use std::task::Waker;

use super::log::Log;
use super::queue::Queue;
use super::turn::{Registration, Turn};
use crate::SignalSet;
use crate::tokio::roster::{Call, Member, Roster, Task};
use crate::tokio::slab::Slab;
use crate::tokio::waiters::{Stale, Waiter, Woken};

pub(super) struct Class {
    pub(super) set: SignalSet,
    pub(super) members: usize,
    pub(super) log: Log,
    pub(super) turn: Arc<Turn>,
    /// Whether a task has been told this generation, or a waker is noted in it: if not, it need not end.
    pub(super) is_told: bool,
    /// Nothing waited in it when the reader thread looked last, and something in another class did.
    pub(super) is_parked: bool,
    pub(super) roster: Arc<Roster>,
    pub(super) roster_number: u64,
    /// Tasks that are not on the roster yet.
    pub(super) joiners: Vec<Member>,
    /// Waiters that are no tasks of tokio's, and their subscribers' numbers.
    pub(super) others: Vec<(Waker, usize)>,
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
    pub(super) fn new(set: SignalSet) -> Class {
        Class {
            set,
            members: 0,
            log: Log::new(set),
            turn: Arc::new(Turn::new()),
            is_told: false,
            is_parked: false,
            roster: Arc::default(),
            roster_number: 0,
            joiners: Vec::new(),
            others: Vec::new(),
        }
    }

    pub(super) fn is_waited_in(&self) -> bool {
        !self.others.is_empty() || self.turn.is_waited_in()
    }

    /// Ends the generation, and moves its waiters to `woken`.
    pub(super) fn wake(
        &mut self,
        last_roster: &mut u64,
        queues: &mut Slab<Queue>,
        woken: &mut Woken,
    ) {
        if !mem::take(&mut self.is_told) {
            return;
        }
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

    pub(super) fn unlist(&mut self, number: usize, queues: &mut Slab<Queue>) -> Option<Waiter> {
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
    pub(super) fn list_task(
        &mut self,
        number: usize,
        queues: &mut Slab<Queue>,
        registration: &mut Registration,
    ) -> Option<Waiter> {
        self.is_told = true;
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
