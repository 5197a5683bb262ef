//! What the whole process shares: which signals are claimed and who holds what in which thread.
//!
//! Everything that changes masks or dispositions happens under this one lock, so that no audit
//! reads a mask that is about to change back. A forked child starts with a state of its own: it
//! must not wait for a lock whose owner it did not inherit.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use super::generation::generation;
use super::holds::Holds;
use super::{backend, threads};
use crate::{OpenError, SignalSet};

#[derive(Default)]
pub(crate) struct State {
    /// The signals that some receiver of this process has.
    claimed: SignalSet,
    pub(super) holds: Holds,
    pub(super) backend: backend::Shared,
}

impl State {
    pub(crate) fn claimed(&self) -> SignalSet {
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
}

/// The state of one process.
struct Entry {
    generation: u64,
    state: Mutex<State>,
}

/// The newest entry. Entries are never freed: one for each fork that goes on using this crate.
static ENTRY: AtomicPtr<Entry> = AtomicPtr::new(ptr::null_mut());

/// The locked state of this process.
pub(crate) struct Locked {
    state: MutexGuard<'static, State>,
    /// Dropped after the lock is given back.
    _busy: Busy,
}

/// The calling thread has the lock, or waits for it.
struct Busy;

impl Drop for Busy {
    fn drop(&mut self) {
        BUSY.set(false);
    }
}

impl Deref for Locked {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Locked {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

/// Locks the state of this process.
pub(crate) fn lock() -> Locked {
    BUSY.set(true);
    let _busy = Busy;
    Locked { state: lock_entry(), _busy }
}

fn lock_entry() -> MutexGuard<'static, State> {
    let generation = generation();
    let mut seen = ENTRY.load(Ordering::Acquire);
    loop {
        // SAFETY: null, or an entry that was leaked below and is never freed.
        let entry: Option<&'static Entry> = unsafe { seen.as_ref() };
        if let Some(entry) = entry.filter(|entry| entry.generation == generation) {
            // A panic under the lock is a bug of ours; the state is plain data all the same.
            return entry.state.lock().unwrap_or_else(PoisonError::into_inner);
        }
        let new = Box::into_raw(Box::new(Entry { generation, state: Mutex::new(inherit(entry)) }));
        match ENTRY.compare_exchange(seen, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => seen = new,
            Err(other) => {
                // SAFETY: `new` came from `Box::into_raw` and nobody else has seen it.
                drop(unsafe { Box::from_raw(new) });
                seen = other;
            }
        }
    }
}

/// What a forked child takes over from its parent: the holds of the thread that forked. If another
/// thread had the lock just then, the data behind it can't be trusted, and nothing is taken over.
fn inherit(parent: Option<&Entry>) -> State {
    let forked = threads::forked_thread(super::masks::end_thread);
    let holds = parent.and_then(|parent| match parent.state.try_lock() {
        Ok(state) => Some(state.holds.forked(forked)),
        Err(TryLockError::Poisoned(state)) => Some(state.into_inner().holds.forked(forked)),
        Err(TryLockError::WouldBlock) => None,
    });
    State { holds: holds.unwrap_or_default(), ..State::default() }
}

/// Whether the calling thread has the lock, or waits for it.
pub(super) fn is_busy() -> bool {
    BUSY.get()
}

thread_local! {
    /// Whether this thread has the lock, or waits for it.
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

/// The signals that some receiver of this process has.
#[cfg(feature = "tokio")]
pub(crate) fn claimed() -> SignalSet {
    lock().claimed()
}
