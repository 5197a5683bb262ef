//! The law of receivers: what one has, no other has, and nothing else becomes of it.

use super::law::Law;
use super::world::{Sent, World};
use crate::platform::simulation::scheduler;
use crate::{Signal, SignalSet};

/// A receiver as its user sees it.
pub(super) struct Opened {
    pub(super) number: usize,
    pub(super) generation: u64,
    /// What it receives, so that it must not act.
    pub(super) receives: SignalSet,
    /// The sets that it may have while it is changed: the one before, and those of the changes.
    pub(super) possible: Vec<SignalSet>,
    /// How many threads change it just now, and the sets of the changes that are done meanwhile.
    pub(super) changing: usize,
    pub(super) done: Vec<SignalSet>,
    /// Several threads have changed it at once: which of them has opened what, nothing tells.
    pub(super) is_blurred: bool,
    /// How many threads wait for it just now, or have since one began to change it.
    pub(super) waiting: usize,
    pub(super) waited: usize,
    /// All that it has claimed or may have, and the thread that opened it with that.
    pub(super) holds: Vec<(usize, SignalSet)>,
    /// Whether all other threads were seen to block it.
    pub(super) is_audited: bool,
    /// What a thread would let in after a handler that was running during the audit.
    pub(super) excepted: SignalSet,
}

impl Law {
    /// The receiver that has the signal.
    pub(super) fn receiver(&self, signal: Signal) -> Option<&Opened> {
        self.opened.iter().find(|opened| {
            opened.generation == self.generation
                && opened.is_audited
                && (opened.receives - opened.excepted).contains(signal)
        })
    }

    pub(super) fn opened(&mut self, number: usize) -> &mut Opened {
        self.opened.iter_mut().find(|opened| opened.number == number).expect("it is open")
    }

    /// A thread that waits does so for the set that the receiver has.
    pub(super) fn check_waiting(&mut self, number: usize, set: SignalSet) {
        if !self.opened(number).possible.contains(&set) {
            scheduler::fail(format!(
                "a thread waits for {set:?}, which receiver {number} is not of"
            ));
        }
    }

    /// A receiver takes nothing but what it has.
    pub(super) fn check_received(&mut self, number: usize, sent: Option<Sent>) {
        let Some(Sent { signal, number: sent, .. }) = sent else { return };
        if !self.opened(number).possible.iter().any(|set| set.contains(signal)) {
            scheduler::fail(format!(
                "receiver {number} has taken {signal} no {sent}, given up before"
            ));
        }
    }

    /// A signal has one receiver: what this one has, no other has.
    pub(super) fn check_unclaimed(&self, number: usize) {
        let own = self.opened.iter().filter(|opened| opened.generation == self.generation);
        let set = |is_it: bool| {
            let receivers = own.clone().filter(move |opened| (opened.number == number) == is_it);
            receivers.fold(SignalSet::EMPTY, |all, opened| all | opened.receives)
        };
        let twice = set(true) & set(false);
        if !twice.is_empty() {
            scheduler::fail(format!("receiver {number} has {twice:?}, and another has too"));
        }
    }

    pub(super) fn check_ignored(&self, signal: Signal) {
        if let Some(opened) = self.receiver(signal) {
            let receiver = opened.number;
            scheduler::fail(format!("{signal} is lost to receiver {receiver}: ignored when sent"));
        }
    }
}

impl Opened {
    /// A thread begins to change the set.
    pub(super) fn begin_change(&mut self, set: SignalSet) {
        if self.changing == 0 {
            (self.possible, self.done) = (vec![self.receives], Vec::new());
            self.waited = self.waiting;
        } else {
            self.is_blurred = true;
        }
        self.changing += 1;
        self.possible.push(set);
        self.receives &= set;
    }

    /// It has done so, or has been refused; the set is `now` then.
    pub(super) fn end_change(&mut self, set: SignalSet, is_done: bool, now: SignalSet) {
        self.done.extend(is_done.then_some(set));
        self.changing -= 1;
        if self.changing > 0 {
            return;
        }
        if !(self.done.contains(&now) || self.done.is_empty() && self.possible[0] == now) {
            scheduler::fail(format!("receiver {} is of {now:?}, of no change", self.number));
        }
        (self.receives, self.possible) = (now, vec![now]);
        self.holds.iter_mut().for_each(|hold| hold.1 &= now);
    }
}

impl World {
    /// Threads that wait for a receiver do so for the set that it has now.
    pub(super) fn check_waiters(&self, number: usize) {
        let opened = self.law.opened.iter().find(|opened| opened.number == number);
        let possible = opened.map_or(&[][..], |opened| &opened.possible);
        for (index, thread) in self.living() {
            let Some((other, set)) = thread.waits_for else { continue };
            if other == number && !possible.contains(&set) {
                scheduler::fail(format!("thread {index} waits for {set:?}, not for {possible:?}"));
            }
        }
    }

    /// This crate has CHLD ignored again, so that there is none: no receiver may have it.
    pub(super) fn check_ignoring(&self, signal: Signal) {
        let mut own = self.law.opened.iter().filter(|all| all.generation == self.law.generation);
        if let Some(opened) = own.find(|opened| opened.receives.contains(signal)) {
            let receiver = opened.number;
            scheduler::fail(format!("{signal} is ignored, but receiver {receiver} has it"));
        }
    }
}
