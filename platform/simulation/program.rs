//! What the random programs of both backends have in common.

use super::scheduler::{self, random};
use crate::SignalSet;

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
