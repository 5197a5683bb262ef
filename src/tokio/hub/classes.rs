//! Subscribers by their sets, and those of them that wait.
//!
//! Subscribers with the same set wait for the same signals: they are one class, whose waiters are on
//! one list. A signal moves the lists of the classes that it is for, whole, and the generation of such
//! a class tells those that were on it that they wait no more.

use std::collections::BTreeMap;

use super::queue::Queue;
use super::signal_state::SignalState;
use super::slab::Slab;
use crate::tokio::waiters::{List, Waiter, Who, Woken};
use crate::{Signal, SignalSet};

#[derive(Default)]
pub(super) struct Classes {
    classes: Slab<Class>,
    /// How many subscribers wait.
    waiting: usize,
}

struct Class {
    set: SignalSet,
    members: usize,
    waiters: List,
    /// How often the list was moved, and one more.
    generation: u64,
}

impl Class {
    fn is_waiting(&self, queue: &Queue) -> bool {
        queue.generation == self.generation
    }

    fn wake(&mut self, waiting: &mut usize, woken: &mut Woken) {
        if self.waiters.len() > 0 {
            *waiting -= self.waiters.len();
            self.generation += 1;
            woken.take(&mut self.waiters);
        }
    }
}

impl Classes {
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Moves the waiters of these classes to `woken`.
    pub(super) fn wake(&mut self, classes: &[usize], woken: &mut Woken) {
        for &class in classes {
            self.classes[class].wake(&mut self.waiting, woken);
        }
    }

    pub(super) fn wake_all(&mut self, woken: &mut Woken) {
        for (_, class) in self.classes.iter_mut() {
            class.wake(&mut self.waiting, woken);
        }
    }

    /// The class of a subscriber that waits.
    fn of_waiter(&self, queue: &Queue) -> Option<usize> {
        queue.class.filter(|&class| self.classes[class].is_waiting(queue))
    }

    pub(super) fn waits_as(&self, queue: &Queue, who: Who<'_>) -> bool {
        let class = self.of_waiter(queue);
        class.is_some_and(|class| self.classes[class].waiters.is_at(queue.at, who))
    }

    /// Makes a subscriber a waiter. Returns what it waited with before.
    pub(super) fn wait(
        &mut self,
        queues: &mut Slab<Queue>,
        number: usize,
        waiter: Waiter,
    ) -> Option<Waiter> {
        let earlier = self.stop_waiting(queues, number);
        let queue = &mut queues[number];
        let Some(class) = queue.class else { return Some(waiter) };
        let class = &mut self.classes[class];
        queue.at = class.waiters.push(waiter, number);
        queue.generation = class.generation;
        self.waiting += 1;
        earlier
    }

    pub(super) fn stop_waiting(
        &mut self,
        queues: &mut Slab<Queue>,
        number: usize,
    ) -> Option<Waiter> {
        let queue = &mut queues[number];
        let class = self.of_waiter(queue)?;
        let at = queue.at;
        queue.generation = 0;
        let (waiter, moved) = self.classes[class].waiters.remove(at);
        if let Some(moved) = moved {
            queues[moved].at = at;
        }
        self.waiting -= 1;
        Some(waiter)
    }

    /// Puts a subscriber that does not wait into the class of its set, which has changed.
    pub(super) fn change(
        &mut self,
        queue: &mut Queue,
        signals: &mut BTreeMap<Signal, SignalState>,
    ) {
        if let Some(number) = queue.class.take() {
            self.classes[number].members -= 1;
            if self.classes[number].members == 0 {
                for signal in self.classes.remove(number).set {
                    if let Some(state) = signals.get_mut(&signal) {
                        state.classes.retain(|&class| class != number);
                    }
                }
            }
        }
        queue.generation = 0;
        if queue.set.is_empty() {
            return;
        }
        let same = self.classes.iter_mut().find(|(_, class)| class.set == queue.set);
        let number = same.map(|(number, _)| number).unwrap_or_else(|| {
            let number = self.classes.next();
            for signal in queue.set {
                signals.entry(signal).or_default().classes.push(number);
            }
            self.classes.insert(Class {
                set: queue.set,
                members: 0,
                waiters: List::default(),
                generation: 1,
            })
        });
        self.classes[number].members += 1;
        queue.class = Some(number);
    }
}
