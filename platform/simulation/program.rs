//! What the random programs of both backends have in common.

use super::scheduler::{self, random};
use crate::{Signal, SignalSet};

/// Before each call: others may go on, and what is pending may interrupt.
pub(in crate::platform) fn enter(deliver: fn(), call: impl FnOnce() -> String) {
    scheduler::pause();
    deliver();
    scheduler::trace(call);
}

/// Waits until all threads of the program have come here, and daemons wait.
pub(in crate::platform) fn wait_for_all(deliver: fn()) {
    let phase = scheduler::phase();
    while scheduler::phase() == phase {
        scheduler::block(scheduler::State::Barrier);
        deliver();
    }
}

/// What a program does how often, and with which signals. Drawn anew for each schedule, so that some do
/// hardly anything but what others never do: what takes a rare step twice comes up that way.
#[derive(Clone)]
pub(in crate::platform) struct Habits {
    weights: Vec<usize>,
    signals: Vec<Signal>,
}

impl Habits {
    /// Of a program whose steps have these weights as a rule, and that uses these signals.
    pub(in crate::platform) fn random(usual: &[usize], signals: &[Signal]) -> Habits {
        let (mut weights, mut signals) = (usual.to_vec(), signals.to_vec());
        if random(2) == 0 {
            weights.iter_mut().for_each(|weight| *weight *= [0, 1, 1, 8][random(4)]);
            // The last does nothing, so that there is always one.
            *weights.last_mut().expect("there are steps") = 1;
        }
        let count = [1, 2, signals.len(), signals.len()][random(4)];
        while signals.len() > count {
            signals.swap_remove(random(signals.len()));
        }
        Habits { weights, signals }
    }

    /// The number of the next step.
    pub(in crate::platform) fn step(&self) -> usize {
        let mut left = random(self.weights.iter().sum());
        let is_it = |weight: &usize| match left.checked_sub(*weight) {
            None => true,
            Some(less) => {
                left = less;
                false
            }
        };
        self.weights.iter().position(is_it).expect("less than all of them")
    }

    pub(in crate::platform) fn signal(&self) -> Signal {
        self.signals[random(self.signals.len())]
    }
}

/// One of them, if there is one.
pub(in crate::platform) fn take_any<T>(all: &mut Vec<T>) -> Option<T> {
    let index = if all.is_empty() { return None } else { random(all.len()) };
    Some(all.swap_remove(index))
}

/// The guards that a thread holds.
#[derive(Clone, Default)]
pub(in crate::platform) struct Guarded(Vec<SignalSet>);

impl Guarded {
    pub(in crate::platform) fn set(&self) -> SignalSet {
        self.0.iter().fold(SignalSet::EMPTY, |all, set| all | *set)
    }

    pub(in crate::platform) fn add(&mut self, set: SignalSet) {
        self.0.push(set);
    }

    pub(in crate::platform) fn forget(&mut self, set: SignalSet) {
        let index = self.0.iter().position(|guard| *guard == set);
        self.0.swap_remove(index.expect("it is held"));
    }

    pub(in crate::platform) fn clear(&mut self) {
        self.0.clear();
    }
}
