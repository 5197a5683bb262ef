//! What the threads of a process share: which signals are claimed, and which thread has to let in
//! what.
//!
//! # The lock
//!
//! [`locked`] is the only way to the state. It blocks every signal in the calling thread, locks,
//! changes plain data, unlocks, and only then sets the thread's mask to what it should be from then
//! on. So no handler of the program ever runs on a thread that has the lock, no thread has it for
//! longer than it takes to change some integers (with kqueue: and to tell the kernel), and what a mask
//! lets in acts where no lock is held.
//!
//! It is the only lock of `platform/`, and no other one is taken while it is held: the allocator's
//! apart, and those by which the C library starts a thread. Code outside takes it with locks of its
//! own held (a hub that narrows its receiver); never the other way round.
//!
//! # Between the decision and the mask
//!
//! A thread that has decided, under the lock, to unblock a signal may not have done so when another
//! one claims it and reads all masks. So it says so in its record first
//! ([`unblocking`](super::threads::Record::unblocking)), and the thread that claims a signal waits
//! until no thread is about to unblock it. After the claim no thread decides to.
//!
//! # Forks
//!
//! A forked child starts with a state of its own, and never looks at its parent's: another thread
//! may have been changing it just then. What the child needs is in the record of the thread that
//! forked, which only that thread changes, and in what it inherits itself.

use std::io;
use std::sync::Arc;

use super::kernel::{Kernel, Shared, State};
use super::threads::Record;
use crate::{OpenError, SignalSet};

impl<B: Shared> State<B> {
    pub(super) fn claimed(&self) -> SignalSet {
        self.claimed
    }

    /// Gives the set to one receiver, or names what another one has.
    pub(super) fn claim(&mut self, set: SignalSet) -> Result<(), OpenError> {
        let taken = self.claimed & set;
        if !taken.is_empty() {
            return Err(OpenError::AlreadyReceived(taken));
        }
        self.claimed |= set;
        Ok(())
    }

    pub(super) fn unclaim(&mut self, set: SignalSet) {
        self.claimed -= set;
    }

    /// Has the thread counted among those that matter.
    pub(super) fn know(&mut self, record: &Arc<Record>) {
        if !self.threads.iter().any(|known| Arc::ptr_eq(known, record)) {
            self.threads.push(record.clone());
        }
    }

    /// Notes that a thread ends.
    fn end(&mut self, record: &Record) {
        self.abandoned |= record.end();
    }

    /// Takes out of `mask` what is due in the calling thread, and has some thread let in what is due
    /// elsewhere. Returns what there is no thread for.
    fn settle<K: Kernel<Shared = B>>(
        &mut self,
        kernel: &K,
        own: &Record,
        mask: &mut SignalSet,
    ) -> SignalSet {
        // What a receiver has stays blocked until that has gone.
        let needed = if K::MASKED { self.claimed } else { SignalSet::EMPTY };
        let due = own.due() - needed;
        // What is reserved stays blocked in every thread, for good: it acts on a delegate.
        own.keep(due & self.reserved);
        let due = due - self.reserved;
        if !due.is_empty() {
            own.unblock(due);
            *mask -= due;
        }
        if !self.reserved.is_empty() {
            kernel.note_reserved(self.reserved - needed, self.reserved & needed);
        }
        let owed = self.owed() - needed;
        self.backend.unblock_owed(kernel, owed)
    }

    /// What some thread should let in and does not.
    fn owed(&mut self) -> SignalSet {
        for record in &self.threads {
            self.abandoned |= record.abandon();
        }
        self.threads.retain(|record| !record.is_idle());
        let (mut guarded, mut due) = (SignalSet::EMPTY, SignalSet::EMPTY);
        for record in &self.threads {
            guarded |= record.guarded();
            due |= record.due();
        }
        // What no living thread is known to owe yields to a guard of any.
        let free = (self.abandoned | self.reserved) - guarded;
        free | (due - self.reserved)
    }
}

/// A change of the state by one thread, which may change the thread's mask too.
pub(super) struct Change<'a, K: Kernel> {
    pub(super) kernel: &'a K,
    pub(super) state: &'a mut State<K::Shared>,
    /// The calling thread's record.
    pub(super) own: &'a Arc<Record>,
    /// The calling thread's mask, before and from now on.
    pub(super) mask: &'a mut SignalSet,
}

impl<K: Kernel> Change<'_, K> {
    /// See [`State::settle`].
    pub(super) fn settle(&mut self) -> SignalSet {
        self.state.settle(self.kernel, self.own, self.mask)
    }
}

/// How often a change of the mask that has to succeed is tried.
const TRIES: usize = 3;

/// Runs `change` under the lock, then gives the calling thread the mask that `change` left, so that
/// what is pending and not in it acts before this returns.
///
/// # Errors
///
/// If the system lets nothing be blocked; then `change` was not run.
pub(super) fn locked<K: Kernel, T>(
    kernel: &K,
    change: impl FnOnce(&mut Change<'_, K>) -> T,
) -> io::Result<T> {
    let (mut change, mut result) = (Some(change), None);
    run(kernel, false, &mut |state| result = change.take().map(|change| change(state)))?;
    Ok(result.expect("a change is run once"))
}

/// As [`locked`], for what has to be done even if the system lets nothing be blocked: then the mask
/// stays as it is.
pub(super) fn locked_anyhow<K: Kernel, T>(
    kernel: &K,
    change: impl FnOnce(&mut Change<'_, K>) -> T,
) -> T {
    let (mut change, mut result) = (Some(change), None);
    let _ = run(kernel, true, &mut |state| result = change.take().map(|change| change(state)));
    result.expect("a change is run once")
}

/// What [`locked`] and [`locked_anyhow`] do, compiled once for all changes.
fn run<K: Kernel>(
    kernel: &K,
    anyhow: bool,
    change: &mut dyn FnMut(&mut Change<'_, K>),
) -> io::Result<()> {
    let before = match kernel.set_mask(SignalSet::from_bits(u128::MAX)) {
        Ok(before) => Some(before),
        Err(_) if anyhow => None,
        Err(error) => return Err(error),
    };
    let (own, generation) = (kernel.record(), kernel.generation());
    let before_or_none = before.unwrap_or(SignalSet::EMPTY);
    let mut mask = before_or_none;
    let unblocking = kernel.with_state(|state| {
        own.enter(generation, || kernel.tid());
        change(&mut Change { kernel, state, own: &own, mask: &mut mask });
        let unblocking = before_or_none - mask;
        if !unblocking.is_empty() {
            own.unblocking.insert(unblocking);
        }
        if !own.is_idle() {
            state.know(&own);
        }
        unblocking
    });
    if before.is_some() {
        // The first call succeeded, so this one fails for a moment at most.
        let done = (0..TRIES).find_map(|_| kernel.set_mask(mask).ok());
        debug_assert!(done.is_some(), "a mask that was changed can't be put back");
    }
    if !unblocking.is_empty() {
        own.unblocking.set(SignalSet::EMPTY);
    }
    Ok(())
}

/// Notes that the calling thread, whose record this is, ends.
pub(super) fn end_thread<K: Kernel>(kernel: &K, record: &Arc<Record>) {
    if record.is_idle() {
        // In a forked child, the end of an inherited receiver may still find something due here.
        return record.note_end();
    }
    locked_anyhow(kernel, |change| {
        change.state.end(record);
        change.settle();
    });
}
