//! The classes of subscribers, by their sets.

use std::mem;
use std::task::Waker;

use super::class::{Class, Listing};
use super::log::Log;
use super::queue::Queue;
use super::records::Records;
use super::states::States;
use super::turn::Registration;
use crate::tokio::slab::Slab;
use crate::tokio::waiters::{Stale, Waiter, Woken};

#[derive(Default)]
pub(super) struct Classes {
    classes: Slab<Class>,
    /// The number of the last roster that was made: each has one of its own.
    last_roster: u64,
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
        class.is_told = true;
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
        signals: &mut States,
        stale: &mut Stale,
    ) {
        let Some(left) = queue.class.take() else { return };
        let class = &mut self.classes[left];
        class.log.leave(queue, records);
        class.members -= 1;
        if class.members == 0 {
            let class = self.classes.remove(left);
            for signal in class.set {
                if let Some(state) = signals.get_mut(signal) {
                    state.classes.retain(|&class| class != left);
                }
            }
            stale.push(Waiter::Roster(class.roster));
        }
    }

    /// Puts a subscriber that is in no class into that of its set.
    pub(super) fn enter(&mut self, queue: &mut Queue, signals: &mut States) {
        if queue.set.is_empty() {
            return;
        }
        let same = self.classes.iter_mut().find(|(_, class)| class.set == queue.set);
        let entered = same.map(|(number, _)| number).unwrap_or_else(|| {
            let number = self.classes.insert(Class::new(queue.set));
            for signal in queue.set {
                signals.entry(signal).classes.push(number);
            }
            number
        });
        let class = &mut self.classes[entered];
        class.members += 1;
        class.log.enter(queue);
        queue.class = Some(entered);
    }
}
