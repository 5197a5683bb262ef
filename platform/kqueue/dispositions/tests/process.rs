//! A process as the kernel sees it, for tests of single steps.

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use super::{ALL, Kernel, acts};
use crate::platform::actions::Action;
use crate::{Disposition, Signal, SignalSet};

/// All of an action but the function's address.
pub(super) fn parts(
    signal: Signal,
    action: &Action,
) -> (Disposition, libc::c_int, Option<Disposition>) {
    (action.disposition(), action.0.sa_flags, action.mark(signal))
}

/// What the kqueue kernels have in common: a signal is recorded, if it is watched, before anything
/// else is done with it.
#[derive(Clone, Default)]
pub(super) struct Process {
    pub(super) actions: BTreeMap<Signal, Action>,
    /// What was marked at the program's start, and has not been by this crate since.
    pub(super) marked_at_start: SignalSet,
    pub(super) blocked: SignalSet,
    /// Counted: some kernels queue signals that are blocked.
    pub(super) pending: BTreeMap<Signal, u32>,
    pub(super) watched: SignalSet,
    pub(super) records: BTreeMap<Signal, u32>,
    /// How often a signal ran a handler, or ended or stopped the process.
    pub(super) acted: BTreeMap<Signal, u32>,
    /// Calls so far.
    pub(super) step: usize,
    pub(super) arrives: Option<(usize, Signal)>,
    pub(super) fails: Option<usize>,
}

impl Process {
    pub(super) fn with(actions: &[(Signal, Action)]) -> Process {
        Process { actions: actions.iter().copied().collect(), ..Process::default() }
    }

    pub(super) fn now(&self, signal: Signal) -> Action {
        self.actions.get(&signal).copied().unwrap_or_else(Action::default)
    }

    /// Another program in its place: handlers go, masks of actions stay on some kernels.
    pub(super) fn exec(&self) -> Process {
        let mut after = Process { actions: self.actions.clone(), ..Process::default() };
        for (signal, action) in &mut after.actions {
            if action.disposition() == Disposition::Handler {
                *action = Action::default();
            }
            if action.mark(*signal).is_some() {
                after.marked_at_start = after.marked_at_start.with(*signal);
            }
        }
        after
    }

    /// What programs that are started with `restore_signals` begin with.
    pub(super) fn for_child(&self, signal: Signal) -> Disposition {
        let now = self.action(signal).expect("nothing fails");
        now.for_child(signal).unwrap_or(now).disposition()
    }

    pub(super) fn arrive(&mut self, signal: Signal) {
        if self.watched.contains(signal) {
            *self.records.entry(signal).or_default() += 1;
        }
        if !acts(self, signal) {
            // Gone.
        } else if self.blocked.contains(signal) {
            *self.pending.entry(signal).or_default() += 1;
        } else {
            *self.acted.entry(signal).or_default() += 1;
        }
    }

    /// Before each call, but those that only look at an action.
    fn step(&mut self) -> io::Result<()> {
        let step = self.step;
        self.step += 1;
        if let Some((_, signal)) = self.arrives.filter(|&(when, _)| when == step) {
            self.arrive(signal);
        }
        match self.fails {
            Some(when) if when == step => Err(io::Error::other("refused")),
            _ => Ok(()),
        }
    }

    /// All that a program can see of it.
    pub(super) fn seen(&self) -> impl PartialEq + fmt::Debug + use<> {
        let actions = ALL.iter().map(|signal| (signal, parts(signal, &self.now(signal))));
        (actions.collect::<Vec<_>>(), self.pending.clone(), self.watched)
    }

    pub(super) fn acted(&self, signal: Signal) -> u32 {
        self.acted.get(&signal).copied().unwrap_or(0)
    }

    pub(super) fn recorded(&self, signal: Signal) -> u32 {
        self.records.get(&signal).copied().unwrap_or(0)
    }
}

impl Kernel for Process {
    fn watch(&mut self, signal: Signal) -> io::Result<()> {
        self.step()?;
        self.watched = self.watched.with(signal);
        Ok(())
    }

    fn unwatch(&mut self, set: SignalSet) {
        let _ = self.step();
        self.watched -= set;
        self.records.retain(|&signal, _| !set.contains(signal));
    }

    fn take_unread(&mut self) -> SignalSet {
        let _ = self.step();
        std::mem::take(&mut self.records).into_keys().collect()
    }

    fn pending(&mut self) -> SignalSet {
        let _ = self.step();
        self.pending.keys().copied().collect()
    }

    fn action(&self, signal: Signal) -> io::Result<Action> {
        Ok(self.now(signal).own(signal, self.marked_at_start))
    }

    fn set_action(&mut self, signal: Signal, action: &Action) -> io::Result<()> {
        self.step()?;
        if action.mark(signal).is_some() {
            self.marked_at_start = self.marked_at_start.without(signal);
        }
        let mut action = *action;
        // SAFETY: an initialised set; NetBSD's kernel does so.
        unsafe { libc::sigaddset(&mut action.0.sa_mask, signal.as_raw()) };
        self.actions.insert(signal, action);
        if !acts(self, signal) {
            self.pending.remove(&signal);
        }
        Ok(())
    }

    fn send(&mut self, signal: Signal) {
        let _ = self.step();
        self.arrive(signal);
    }
}
