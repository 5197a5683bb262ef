//! What this crate has done to the mask of each thread.
//!
//! A thread's [`Record`] lives as long as the thread, destructors of thread-local values included,
//! and then for as long as something is opened on it. Only the thread itself changes its mask, and
//! so what it has newly blocked; other threads may end what was opened on it. All changes but those
//! of `unblocking`, and the end of an idle thread, are made under the lock of the process' state,
//! which orders them: so the plain atomics here are Relaxed. They are atomic since a fork, or a
//! thread that looks at its own record, takes no lock.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use super::atomic_set::AtomicSet;
use crate::{Signal, SignalSet};

#[derive(Debug, Default)]
pub(crate) struct Record {
    /// What this crate blocked here: not blocked before the first receiver or guard.
    newly: AtomicSet,
    /// What a receiver that was opened here has, wherever that is now. A signal has one receiver, so
    /// a set will do.
    receiving: AtomicSet,
    /// In a forked child: what the parent's receivers have that were opened on the thread that
    /// forked.
    inherited: AtomicSet,
    /// What guards of this thread hold.
    guarded: AtomicSet,
    /// The signals that guards hold, each as often as guards do. Guards never leave their thread.
    guards: Guards,
    /// What this crate had blocked here and has unblocked since: should it be blocked again, the
    /// program did so.
    restored: AtomicSet,
    /// What the thread is about to unblock, or is unblocking: its mask may not show it yet, and does
    /// not while the signal's handler runs. Filled under the lock; emptied by the thread without it,
    /// after its mask was set (Release), and watched by a thread that claims a signal (Acquire).
    pub(super) unblocking: AtomicSet,
    /// What guards have left blocked here for good.
    kept: AtomicSet,
    has_ended: AtomicBool,
    /// The process that the record was last used in: [`generation`](super::generation()).
    generation: AtomicU64,
    /// The number of the thread, 0 if that is not known yet: for messages.
    pub(super) tid: AtomicU32,
}

/// Touched by the record's own thread alone.
#[derive(Debug, Default)]
struct Guards(RefCell<Vec<Signal>>);

// SAFETY: only the thread that the record belongs to makes and drops guards, and nothing else
// touches the list. In a forked child, that is the thread that forked.
unsafe impl Sync for Guards {}
// SAFETY: as above; the last owner of a record, on whatever thread, drops plain integers.
unsafe impl Send for Guards {}

#[allow(dead_code)] // receivers hold nothing where masks do not matter
impl Record {
    /// What this thread should unblock, as far as it alone is concerned.
    pub(super) fn due(&self) -> SignalSet {
        self.newly.get() - self.receiving.get() - self.inherited.get() - self.guarded.get()
    }

    /// Makes the record one of this process. In a forked child, receivers of the parent's are told
    /// apart from the child's own, which may have the same signals.
    pub(super) fn enter(&self, generation: u64, tid: impl FnOnce() -> u32) {
        let last = self.generation.load(Ordering::Relaxed);
        if last == generation {
            return;
        }
        self.generation.store(generation, Ordering::Relaxed);
        self.tid.store(tid(), Ordering::Relaxed);
        if last != 0 {
            self.inherited.insert(self.receiving.get());
            self.receiving.set(SignalSet::EMPTY);
        }
    }

    pub(super) fn newly(&self) -> SignalSet {
        self.newly.get()
    }

    pub(super) fn guarded(&self) -> SignalSet {
        self.guarded.get()
    }

    pub(super) fn restored(&self) -> SignalSet {
        self.restored.get()
    }

    /// Notes what is newly blocked here.
    pub(super) fn block(&self, newly: SignalSet) {
        self.newly.insert(newly);
        self.restored.remove(newly);
    }

    /// Notes what has been put back here.
    pub(super) fn unblock(&self, due: SignalSet) {
        self.newly.remove(due);
        self.restored.insert(due);
    }

    /// Makes signals count as blocked before.
    pub(super) fn keep(&self, set: SignalSet) {
        self.newly.remove(set);
        self.kept.insert(set);
    }

    /// What counts as blocked before, as the program said so.
    pub(super) fn kept(&self) -> SignalSet {
        self.kept.get()
    }

    pub(super) fn add_receiver(&self, set: SignalSet) {
        self.receiving.insert(set);
    }

    pub(super) fn remove_receiver(&self, set: SignalSet) {
        self.receiving.remove(set);
    }

    pub(super) fn remove_inherited(&self, set: SignalSet) {
        self.inherited.remove(set);
    }

    pub(super) fn add_guard(&self, set: SignalSet) {
        self.guards.0.borrow_mut().extend(set);
        self.guarded.insert(set);
    }

    pub(super) fn remove_guard(&self, set: SignalSet) {
        let mut guards = self.guards.0.borrow_mut();
        for signal in set {
            if let Some(held) = guards.iter().position(|&held| held == signal) {
                guards.swap_remove(held);
            }
            if !guards.contains(&signal) {
                self.guarded.remove(signal.into());
            }
        }
    }

    /// Notes the thread's end. Without the lock, if the record is idle: should another thread find
    /// something due here just now, it takes this one for living until the state is settled again.
    pub(super) fn note_end(&self) {
        self.has_ended.store(true, Ordering::Relaxed);
    }

    /// Notes the thread's end, and returns what will stay blocked there for ever.
    pub(super) fn end(&self) -> SignalSet {
        self.note_end();
        // Its guards can't be dropped any more.
        self.guarded.set(SignalSet::EMPTY);
        self.abandon()
    }

    /// What is due in a thread that has ended, which is told once.
    pub(super) fn abandon(&self) -> SignalSet {
        if !self.has_ended.load(Ordering::Relaxed) {
            return SignalSet::EMPTY;
        }
        let due = self.due();
        self.newly.remove(due);
        due
    }

    /// Whether nothing that this crate did concerns this thread any more.
    pub(super) fn is_idle(&self) -> bool {
        let open = self.receiving.get() | self.inherited.get() | self.guarded.get();
        (open | self.newly.get() | self.unblocking.get()).is_empty()
    }
}
