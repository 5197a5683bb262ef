//! Waiting again without a lock.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;

use crate::tokio::local::Runtime;
use crate::tokio::roster::Task;
use crate::tokio::sync::AtomicU64;

/// Room for the waiters of one generation: more than any memory has subscribers.
const WAITERS: u32 = 24;

/// The generation of a class of subscribers, and how many of their tasks wait in it.
///
/// A record for the class ends its generation, under the hub's lock, if any task has been told it; so does
/// the disarming of the hub's source. A task that had read everything when it last looked under the lock,
/// when the source was armed, is told that generation. As long as it lasts there is nothing to read and
/// the reader thread serves the class: then the task counts itself as a waiter without the lock. Both are
/// one atomic, changed by compare-and-swap: a task can't be counted in a generation that has ended, and
/// one that is counted is seen by whatever ends the generation.
///
/// Which tasks wait, each of them tells ([`Task::waits`]). That is written before the task is counted
/// (release) and read after the generation has ended (acquire), so it needs no ordering of its own.
pub(in crate::tokio) struct Turn(AtomicU64);

impl Turn {
    pub(super) fn new() -> Turn {
        Turn(AtomicU64::new(1 << WAITERS))
    }

    /// The generation, which is never 0, under the hub's lock.
    pub(super) fn generation(&self) -> u64 {
        self.0.load(Ordering::Relaxed) >> WAITERS
    }

    pub(super) fn is_waited_in(&self) -> bool {
        self.0.load(Ordering::Relaxed) & ((1 << WAITERS) - 1) > 0
    }

    /// Changes the number of waiters, if this generation still lasts.
    #[inline]
    fn count(&self, generation: u64, by: impl Fn(u64) -> u64) -> bool {
        let count = |turn: u64| (turn >> WAITERS == generation).then(|| by(turn));
        self.0.fetch_update(Ordering::AcqRel, Ordering::Relaxed, count).is_ok()
    }

    #[inline]
    pub(super) fn enter(&self, generation: u64) -> bool {
        self.count(generation, |turn| turn + 1)
    }

    pub(super) fn leave(&self, generation: u64) -> bool {
        self.count(generation, |turn| turn - 1)
    }

    /// Ends the generation, under the hub's lock. Returns it, and how many waited in it.
    pub(super) fn end(&self) -> (u64, usize) {
        let generation = self.generation();
        let ended = self.0.swap((generation + 1) << WAITERS, Ordering::AcqRel);
        (generation, usize::try_from(ended - (generation << WAITERS)).unwrap_or(usize::MAX))
    }

    /// Ends the generation, under the hub's lock, unless a task waits in it.
    pub(super) fn end_unless_waited_in(&self) -> bool {
        let idle = self.generation() << WAITERS;
        let next = idle + (1 << WAITERS);
        self.0.compare_exchange(idle, next, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

/// Where a subscriber's task stands: kept by the subscriber, for the task that polled last.
#[derive(Default)]
pub(in crate::tokio) struct Registration {
    task: Option<Arc<Task>>,
    turn: Option<Arc<Turn>>,
    /// The generation in which the task may wait without the lock: it is on the class' roster, or is
    /// going to be. 0 for none.
    generation: u64,
    /// The number of the roster that the task is on.
    roster: u64,
}

impl Registration {
    /// Sees to it that the registration is that of `waker`'s task, if it is the current one of tokio's.
    #[inline]
    pub(in crate::tokio) fn renew(&mut self, waker: &Waker) {
        if !self.task.as_ref().is_some_and(|task| task.will_wake(waker)) {
            let runtime = Runtime::of(waker);
            self.set_task(runtime.map(|runtime| Task::new(waker.clone(), runtime)));
        }
    }

    /// None for what waits that is not a task of tokio's.
    pub(in crate::tokio) fn set_task(&mut self, task: Option<Task>) {
        self.forget_turn();
        self.task = task.map(Arc::new);
    }

    /// The task is noted no more: it is another one, or its class is.
    pub(in crate::tokio) fn forget_turn(&mut self) {
        self.generation = 0;
        self.roster = 0;
        self.turn = None;
    }

    /// The number of the roster that the task is on.
    pub(super) fn roster(&self) -> u64 {
        self.roster
    }

    #[inline]
    pub(in crate::tokio) fn task(&self) -> Option<&Arc<Task>> {
        self.task.as_ref()
    }

    /// The task, which has nothing to read, may wait in this generation; under the hub's lock.
    #[inline]
    pub(super) fn set_turn(&mut self, turn: &Arc<Turn>, roster: u64) {
        self.roster = roster;
        if !self.turn.as_ref().is_some_and(|own| Arc::ptr_eq(own, turn)) {
            self.turn = Some(turn.clone());
        }
        self.generation = turn.generation();
    }

    /// Waits, if there can be nothing to read yet.
    #[inline]
    pub(super) fn enter(&mut self) -> bool {
        let generation = std::mem::take(&mut self.generation);
        let (Some(task), Some(turn)) = (&self.task, &self.turn) else { return false };
        if generation == 0 {
            return false;
        }
        if task.waits() == generation {
            return true;
        }
        task.set_waits(generation);
        let has_entered = turn.enter(generation);
        if !has_entered {
            task.set_waits(0);
        }
        has_entered
    }

    /// Waits no more; `false` if the task can't be one that waits.
    pub(super) fn leave(&mut self) -> bool {
        let (Some(task), Some(turn)) = (&self.task, &self.turn) else { return false };
        let generation = task.waits();
        task.set_waits(0);
        if generation != 0 && turn.leave(generation) {
            self.generation = generation;
        }
        true
    }
}
