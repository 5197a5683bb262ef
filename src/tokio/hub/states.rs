//! The signals that a hub receives.

use super::signal_state::SignalState;
use crate::{Signal, SignalInfo, SignalSet};

/// The [`SignalState`] of each signal that is received, at the signal's number.
#[derive(Debug, Default)]
pub(in crate::tokio) struct States {
    received: SignalSet,
    states: Vec<Option<SignalState>>,
}

impl States {
    #[inline]
    pub(super) fn get(&self, signal: Signal) -> Option<&SignalState> {
        self.states.get(index(signal))?.as_ref()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, signal: Signal) -> Option<&mut SignalState> {
        self.states.get_mut(index(signal))?.as_mut()
    }

    /// The state of a signal that is received from now on, if it was not before.
    pub(super) fn entry(&mut self, signal: Signal) -> &mut SignalState {
        let index = index(signal);
        if index >= self.states.len() {
            self.states.resize_with(index + 1, || None);
        }
        self.received |= signal.into();
        self.states[index].get_or_insert_default()
    }

    /// Notes what is received from now on; takes out what is unread of the rest.
    pub(super) fn receive(&mut self, set: SignalSet, unread: &mut Vec<SignalInfo>) {
        for signal in self.received - set {
            if let Some(gone) = self.states[index(signal)].take() {
                gone.give_up(unread);
            }
        }
        for signal in set - self.received {
            self.entry(signal);
        }
        self.received = set;
    }

    /// The received signals of which this is true.
    pub(super) fn which(&self, is_true: impl Fn(Signal, &SignalState) -> bool) -> SignalSet {
        let mut which = SignalSet::EMPTY;
        for signal in self.received {
            if self.get(signal).is_some_and(|state| is_true(signal, state)) {
                which |= signal.into();
            }
        }
        which
    }
}

fn index(signal: Signal) -> usize {
    signal.as_raw() as usize
}
