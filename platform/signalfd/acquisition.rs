//! What a receiver has: signals that are claimed, and blocked in every thread; and how they are given
//! back.
//!
//! Acquiring claims the set and blocks it in the calling thread, waits until no thread of this crate
//! lets it in, and audits the others. Giving back goes the opposite way.

use super::children::{reignore_children, unignore_children};
use super::delegate::{PATIENCE, busy, unanswered, wait_for, wait_until_unblocked};
use super::holds::Hold;
use super::opening::Descriptors;
use crate::error::Refused;
use crate::platform::actions::Action;
use crate::platform::process::{Change, locked, locked_anyhow};
use crate::{OpenError, Signal, SignalSet};

/// Signals that a receiver has given up: dropping this lets them act.
pub(super) struct Released<K: Descriptors> {
    pub(super) kernel: K,
    pub(super) set: SignalSet,
    pub(super) holds: Vec<Hold>,
    pub(super) chld: Option<Box<Action>>,
    pub(super) generation: u64,
}

impl<K: Descriptors> Released<K> {
    /// Lets them act; calls `then` when they are not claimed any more, before they do.
    pub(super) fn end(&mut self, then: &mut dyn FnMut()) {
        let set = std::mem::take(&mut self.set);
        if self.generation == self.kernel.generation() {
            give_back(&self.kernel, &mut self.holds, set, self.chld.as_deref(), then);
        }
    }
}

impl<K: Descriptors> Drop for Released<K> {
    fn drop(&mut self) {
        self.end(&mut || {});
    }
}

/// Signals that are claimed, and blocked in every thread, for a receiver to take. Dropping this undoes
/// it.
pub(super) struct Acquisition<K: Descriptors> {
    pub(super) kernel: K,
    pub(super) set: SignalSet,
    /// None when a receiver has taken it.
    pub(super) acquired: Option<Acquired>,
    pub(super) generation: u64,
}

impl<K: Descriptors> Acquisition<K> {
    pub(super) fn new(kernel: K, set: SignalSet, audit: bool) -> Result<Self, OpenError> {
        let acquired = Some(acquire(&kernel, set, audit)?);
        let generation = kernel.generation();
        Ok(Acquisition { kernel, set, acquired, generation })
    }
}

impl<K: Descriptors> Drop for Acquisition<K> {
    fn drop(&mut self) {
        if self.generation == self.kernel.generation() {
            if let Some(acquired) = self.acquired.take() {
                acquired.undo(&self.kernel, self.set);
            }
        }
    }
}

/// What opening changed.
pub(super) struct Acquired {
    pub(super) hold: Hold,
    /// The action of SIGCHLD before, if that was ignored.
    pub(super) chld: Option<Box<Action>>,
}

impl Acquired {
    pub(super) fn undo<K: Descriptors>(mut self, kernel: &K, set: SignalSet) {
        let holds = std::slice::from_mut(&mut self.hold);
        give_back(kernel, holds, set, self.chld.as_deref(), &mut || {});
    }
}

/// From now on, for the life of the process, a receiver of these can be opened on any thread: each
/// blocks them, and while they have no receiver a delegate lets them in.
pub(super) fn reserve<K: Descriptors>(kernel: &K, set: SignalSet) -> Result<(), OpenError> {
    let new = locked_anyhow(kernel, |change| {
        let new = set - change.state.reserved;
        // What a receiver has is blocked everywhere, and is given back to a delegate in the end.
        change.state.reserved |= new & change.state.claimed;
        change.settle();
        new - change.state.claimed
    });
    if new.is_empty() {
        return Ok(());
    }
    // As for a receiver, so that the signals stay blocked while the audit reads.
    let Acquired { hold, chld } = acquire(kernel, new, true)?;
    let mut holds = [hold];
    // Ignored, CHLD acts as if it were not there.
    if let Some(earlier) = &chld {
        reignore_children(kernel, earlier);
    }
    release(kernel, &mut holds, new, &mut |change| {
        change.own.keep(new);
        change.state.reserved |= new;
        change.state.unclaim(new);
    });
    Ok(())
}

/// Claims the set, blocks it in the calling thread and sees that every other thread blocks it too;
/// or undoes it all.
pub(super) fn acquire<K: Descriptors>(
    kernel: &K,
    set: SignalSet,
    audit: bool,
) -> Result<Acquired, OpenError> {
    let held = locked(kernel, |change| {
        change.state.claim(set)?;
        // This settles: the delegates, if any, must not let in what is claimed now.
        let hold = change.hold(set);
        let busy = busy(change, set);
        let own = if audit { own_threads(change) } else { Vec::new() };
        Ok::<_, OpenError>((hold, busy, own))
    });
    let (hold, busy, own) =
        held.map_err(|error| OpenError::Os(Refused::wrap("pthread_sigmask(3)", error)))??;
    let mut acquired = Acquired { hold, chld: None };
    let rest = || {
        if set.contains(Signal::CHLD) {
            acquired.chld = unignore_children(kernel)
                .map_err(|error| OpenError::Os(Refused::wrap("sigaction(2) of CHLD", error)))?;
        }
        let mut threads = wait_for(kernel, set, busy, PATIENCE);
        if threads.is_empty() && audit {
            // Where /proc is not mounted, or shows no mask, there is nothing to read: the program has to
            // know its threads.
            threads = kernel.unblocked_threads(set, &own)?.unwrap_or_default();
        }
        if threads.is_empty() {
            return Ok(());
        }
        let mut signals = SignalSet::EMPTY;
        for thread in &threads {
            signals |= thread.unblocked;
        }
        Err(OpenError::UnblockedThreads { signals, threads })
    };
    match rest() {
        Ok(()) => Ok(acquired),
        Err(error) => {
            acquired.undo(kernel, set);
            Err(error)
        }
    }
}

/// The numbers of this crate's own threads, which no audit looks at. One that is started later blocks
/// what is claimed now.
pub(super) fn own_threads<K: Descriptors>(change: &Change<'_, K>) -> Vec<u32> {
    let mut own = change.state.quiet_threads.clone();
    own.extend(change.state.backend.tids());
    own
}

/// Undoes [`acquire`] for the set: what is pending acts. Calls `then` under the lock, when the set is
/// not claimed any more.
pub(super) fn give_back<K: Descriptors>(
    kernel: &K,
    holds: &mut [Hold],
    set: SignalSet,
    chld: Option<&Action>,
    then: &mut dyn FnMut(),
) {
    if set.is_empty() {
        return;
    }
    // First, while the signal is still claimed and blocked.
    if let Some(earlier) = chld {
        reignore_children(kernel, earlier);
    }
    release(kernel, holds, set, &mut |change| {
        change.state.unclaim(set);
        then();
    });
}

/// Ends the part of the holds that the set names, and waits until it acts again.
pub(super) fn release<K: Descriptors>(
    kernel: &K,
    holds: &mut [Hold],
    set: SignalSet,
    unclaim: &mut dyn FnMut(&mut Change<'_, K>),
) {
    let unanswered = locked_anyhow(kernel, |change| {
        // Under one lock: in between, another receiver could claim the same on the same thread, whose
        // record would lose the new hold with the old one.
        unclaim(change);
        for hold in holds {
            change.release(hold, set);
        }
        // No thread to be had: better this one than none, unless it has a guard.
        let missing = change.settle() & set;
        let yielded = missing - change.own.guarded();
        change.own.unblock(yielded);
        *change.mask -= yielded;
        unanswered(change, set)
    });
    wait_until_unblocked(kernel, set, unanswered);
}
