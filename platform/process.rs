//! What the threads of a process share: which signals are claimed, and who has to let in what.
//!
//! # The lock
//!
//! [`locked`] is the only way to the state. It blocks every signal in the calling thread, locks,
//! changes plain data, unlocks, and only then sets the thread's mask to what it should be from then
//! on. So no handler of the program ever runs on a thread that has the lock, no thread has it for
//! longer than it takes to change some integers, and what a mask lets in acts where no lock is held.
//!
//! # Between the decision and the mask
//!
//! A thread that has decided, under the lock, to unblock a signal may not have done so when another
//! one claims it and reads all masks. So it says so in its record first
//! ([`unblocking`](super::threads::Record::unblocking)), and who claims a signal waits until no
//! thread is about to unblock it. After the claim no thread decides to.
//!
//! # Forks
//!
//! A forked child starts with a state of its own, and never looks at its parent's: another thread
//! may have been changing it just then. What the child needs is in the record of the thread that
//! forked, which only that thread changes, and in what it inherits itself.

use std::io;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::kernel::{Kernel, Os};
use super::threads::Record;
use super::{backend, generation};
use crate::mask::ThreadInfo;
use crate::{OpenError, SignalSet};

/// What a backend adds to the state.
pub(super) trait Shared: Default + Send + 'static {
    /// Makes sure that each signal of `owed`, which some thread should let in and can't be made to,
    /// is let in by a thread; of the others only what it has to. Returns what there is no thread for.
    fn let_in<K: Kernel<Shared = Self>>(&mut self, kernel: &K, owed: SignalSet) -> SignalSet;

    /// Waits until no thread of this crate's own lets in any of the set, which was claimed or guarded
    /// before, and no thread is about to unblock any. Returns the threads that have not come so far
    /// in that time: each is inside a handler of the program.
    fn wait_until_blocked<K: Kernel<Shared = Self>>(
        kernel: &K,
        set: SignalSet,
        patience: Duration,
    ) -> Vec<ThreadInfo>;
}

#[derive(Default)]
pub(super) struct State<B> {
    /// The signals that some receiver of this process has.
    claimed: SignalSet,
    /// The threads on which something is open, or which owe something.
    threads: Vec<Arc<Record>>,
    /// What was due in threads that have ended: they never unblock it.
    abandoned: SignalSet,
    /// The numbers of this crate's own threads that block everything.
    pub(super) quiet_threads: Vec<u32>,
    pub(super) backend: B,
}

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

    /// The other threads that are about to unblock some of the set.
    #[allow(dead_code)] // where masks do not matter
    pub(super) fn unblocking(&self, own: &Arc<Record>, set: SignalSet) -> Vec<Arc<Record>> {
        let concerned = |record: &&Arc<Record>| {
            !Arc::ptr_eq(own, record) && !(record.unblocking.get() & set).is_empty()
        };
        self.threads.iter().filter(concerned).cloned().collect()
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
        if !due.is_empty() {
            own.unblock(due);
            *mask -= due;
        }
        let owed = self.owed() - needed;
        self.backend.let_in(kernel, owed)
    }

    /// What some thread should let in and does not.
    fn owed(&mut self) -> SignalSet {
        self.abandoned |=
            self.threads.iter().fold(SignalSet::EMPTY, |all, record| all | record.abandon());
        self.threads.retain(|record| !record.is_idle());
        let guarded =
            self.threads.iter().fold(SignalSet::EMPTY, |all, record| all | record.guarded());
        // What no living thread is known to owe yields to a guard of any.
        let abandoned = self.abandoned - guarded;
        self.threads.iter().fold(abandoned, |owed, record| owed | record.due())
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
    let before = kernel.set_mask(SignalSet::from_bits(u128::MAX))?;
    Ok(run(kernel, Some(before), change))
}

/// As [`locked`], for what has to be done even if the system lets nothing be blocked: then the mask
/// stays as it is.
pub(super) fn locked_anyhow<K: Kernel, T>(
    kernel: &K,
    change: impl FnOnce(&mut Change<'_, K>) -> T,
) -> T {
    run(kernel, kernel.set_mask(SignalSet::from_bits(u128::MAX)).ok(), change)
}

/// With every signal blocked; `before` is the mask before that, if it could be changed.
fn run<K: Kernel, T>(
    kernel: &K,
    before: Option<SignalSet>,
    change: impl FnOnce(&mut Change<'_, K>) -> T,
) -> T {
    let (own, generation) = (kernel.record(), kernel.generation());
    let before_or_none = before.unwrap_or(SignalSet::EMPTY);
    let mut mask = before_or_none;
    let (result, unblocking) = kernel.with_state(|state| {
        own.enter(generation);
        let result = change(&mut Change { kernel, state, own: &own, mask: &mut mask });
        let unblocking = before_or_none - mask;
        if !unblocking.is_empty() {
            own.tid.store(kernel.tid(), Ordering::Relaxed);
            own.unblocking.insert(unblocking);
        }
        if !own.is_idle() {
            state.know(&own);
        }
        (result, unblocking)
    });
    if before.is_some() {
        // The first call succeeded, so this one fails for a moment at most.
        let done = (0..TRIES).find_map(|_| kernel.set_mask(mask).ok());
        debug_assert!(done.is_some(), "a mask that was changed can't be put back");
    }
    if !unblocking.is_empty() {
        own.unblocking.set(SignalSet::EMPTY);
    }
    result
}

/// Notes that the calling thread, whose record this is, ends.
pub(super) fn end_thread<K: Kernel>(kernel: &K, record: &Arc<Record>) {
    if record.is_idle() {
        return;
    }
    locked_anyhow(kernel, |change| {
        change.state.end(record);
        change.settle();
    });
}

/// Starts a thread of this crate's own that blocks every signal, and that no audit looks at.
#[allow(dead_code)] // without the feature "tokio"
pub(crate) fn start_quiet_thread(run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    locked(&Os, |_| {
        // It begins with this thread's mask, which is full just now.
        Os.start_thread(Box::new(move || {
            let done = Os.set_mask(Os.everything());
            debug_assert!(done.is_ok(), "the thread that started this one changed its mask");
            let tid = Os.tid();
            Os.with_state(|state| state.quiet_threads.push(tid));
            run();
            Os.with_state(|state| state.quiet_threads.retain(|&other| other != tid));
        }))
    })?
}

/// The state of one process.
struct Entry {
    generation: u64,
    state: Mutex<State<backend::Shared>>,
}

/// The newest entry. Entries are never freed: one for each fork that goes on using this crate.
static ENTRY: AtomicPtr<Entry> = AtomicPtr::new(ptr::null_mut());

/// Runs `change` under the lock of this process' state.
pub(super) fn with_own_state<T>(change: impl FnOnce(&mut State<backend::Shared>) -> T) -> T {
    let entry = entry(generation::generation());
    // A panic under the lock is a bug of ours; the state is plain data all the same.
    change(&mut entry.state.lock().unwrap_or_else(PoisonError::into_inner))
}

fn entry(generation: u64) -> &'static Entry {
    // Acquire, with the Release below: an entry is complete before its address is seen.
    let mut seen = ENTRY.load(Ordering::Acquire);
    loop {
        // SAFETY: null, or an entry that was leaked below and is never freed.
        let entry: Option<&'static Entry> = unsafe { seen.as_ref() };
        if let Some(entry) = entry.filter(|entry| entry.generation == generation) {
            return entry;
        }
        let new = Box::into_raw(Box::new(Entry { generation, state: Mutex::default() }));
        match ENTRY.compare_exchange(seen, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => seen = new,
            Err(other) => {
                // SAFETY: `new` came from `Box::into_raw`, and no other thread has seen it.
                drop(unsafe { Box::from_raw(new) });
                seen = other;
            }
        }
    }
}

/// The signals that some receiver of this process has.
pub(crate) fn claimed() -> SignalSet {
    locked_anyhow(&Os, |change| change.state.claimed())
}
