//! Opening, changing and ending a receiver: the order of the steps.
//!
//! A signal is received instead of acting only while it is blocked in *every* thread, for the kernel
//! gives it to any thread that lets it in. So opening [acquires](super::acquisition) the set first,
//! and only then opens the descriptor; ending goes the opposite way. A step that fails undoes those
//! before it.

use std::io;
use std::sync::{Mutex, PoisonError};

use super::acquisition::{Acquired, Acquisition, Released, acquire, give_back, release};
use super::children::reignore_children;
use super::delegate::Delegates;
use super::holds::Hold;
use super::turn::{Taken, Turn};
use super::waiters::{Changing, Waiters, Waiting};
use crate::error::Refused;
use crate::mask::ThreadInfo;
use crate::platform::actions::Action;
use crate::platform::atomic_set::AtomicSet;
use crate::platform::kernel::Kernel;
use crate::platform::process::{locked, locked_anyhow};
use crate::{OpenError, Signal, SignalSet};

/// What receivers ask of the kernel beside masks.
pub(super) trait Descriptors: Kernel<Shared = Delegates> {
    type Fd;
    /// A record that was taken out of the queue.
    type Record;

    /// A descriptor that yields the signals of the set.
    fn open(&self, set: SignalSet) -> io::Result<Self::Fd>;
    fn change(&self, fd: &Self::Fd, set: SignalSet) -> io::Result<()>;
    /// The other threads that do not block the set, but for those of this crate's own; `None` where
    /// no thread's mask can be read.
    fn unblocked_threads(&self, set: SignalSet, own: &[u32])
    -> io::Result<Option<Vec<ThreadInfo>>>;
    fn action(&self, signal: Signal) -> io::Result<Action>;
    fn set_action(&self, signal: Signal, action: &Action) -> io::Result<()>;
    /// Takes a blocked, pending signal out of the queue.
    fn take_pending(&self, signal: Signal) -> Option<Self::Record>;
    /// Puts it back, as it was.
    fn put_back(&self, record: Self::Record);
}

pub(super) struct Opened<K: Descriptors> {
    kernel: K,
    pub(super) fd: K::Fd,
    /// Written under the lock of the process' state, together with the descriptor's.
    set: AtomicSet,
    undo: Mutex<Undo>,
    turn: Turn,
    waiters: Waiters,
    /// Of the process that opened it; a forked child inherits the descriptor, not the claims.
    generation: u64,
}

/// What ending undoes. Touched by the thread whose turn it is, and at the end: never awaited, and no
/// forked child comes to it while another thread of the parent's changes it, for that thread has
/// borrowed what the child would have to own.
struct Undo {
    /// One for each thread that the receiver blocked signals in: `update` may run on another.
    holds: Vec<Hold>,
    /// The action of SIGCHLD before, if that was ignored.
    chld: Option<Box<Action>>,
}

impl<K: Descriptors> Opened<K> {
    pub(super) fn open(kernel: K, set: SignalSet, audit: bool) -> Result<Self, OpenError> {
        let acquisition = Acquisition::new(kernel, set, audit)?;
        Self::open_acquired(acquisition).map_err(|(error, _undone)| error)
    }

    pub(super) fn open_acquired(
        mut acquisition: Acquisition<K>,
    ) -> Result<Self, (OpenError, Acquisition<K>)> {
        let Acquisition { kernel, set, generation, .. } = &acquisition;
        let (kernel, set, generation) = (kernel.clone(), *set, *generation);
        let fd = match kernel.open(set) {
            Ok(fd) => fd,
            Err(error) => {
                return Err((OpenError::Os(Refused::wrap("signalfd(2)", error)), acquisition));
            }
        };
        let (holds, chld) = match acquisition.acquired.take() {
            Some(Acquired { hold, chld }) => (vec![hold], chld),
            None => (Vec::new(), None),
        };
        let undo = Mutex::new(Undo { holds, chld });
        let set = AtomicSet::from(set);
        let (turn, waiters) = (Turn::default(), Waiters::default());
        Ok(Opened { kernel, fd, set, undo, turn, waiters, generation })
    }

    /// Adds what was acquired; waits for nothing. No other thread may be changing the set.
    #[cfg(feature = "tokio")]
    pub(super) fn widen(
        &self,
        mut acquisition: Acquisition<K>,
    ) -> Result<(), (OpenError, Acquisition<K>)> {
        let set = self.set() | acquisition.set;
        match self.commit(set, SignalSet::EMPTY, acquisition.acquired.take()) {
            Ok(_nothing_released) => Ok(()),
            Err((error, acquired)) => {
                acquisition.acquired = acquired;
                Err((error, acquisition))
            }
        }
    }

    pub(super) fn set(&self) -> SignalSet {
        self.set.get()
    }

    /// Has the set stay what it is until the guard is dropped; `None` if the caller is to wait for the
    /// descriptor, since the set is changed while threads wait.
    #[inline]
    pub(super) fn wait(&self) -> Option<(Waiting<'_>, SignalSet)> {
        let waiting = self.waiters.enter().or_else(|| self.wait_with_lock())?;
        Some((waiting, self.set()))
    }

    #[cold]
    fn wait_with_lock(&self) -> Option<Waiting<'_>> {
        if self.waiters.is_by_descriptor() {
            return None;
        }
        locked_anyhow(&self.kernel, |_| self.waiters.enter_with_lock())
    }

    /// Changes the set, and lets act what is removed.
    pub(super) fn update(&self, set: SignalSet, audit: bool) -> Result<(), OpenError> {
        let turn = self.take_turn()?;
        let mut released = self.change_in_turn(&turn, set, audit)?;
        let mut turn = Some(turn);
        // The turn ends with the last claim, so that the next one may claim the same again, and before
        // anything acts.
        released.end(&mut || drop(turn.take()));
        Ok(())
    }

    /// Changes the set; what is removed is claimed still, and acts when the returned part is dropped.
    #[cfg(any(test, feature = "tokio"))]
    pub(super) fn change(&self, set: SignalSet, audit: bool) -> Result<Released<K>, OpenError> {
        self.change_in_turn(&self.take_turn()?, set, audit)
    }

    fn take_turn(&self) -> Result<Taken<'_, K>, OpenError> {
        if self.generation != self.kernel.generation() {
            return Err(OpenError::Os(io::Error::other(
                "this receiver was inherited from the process that forked, whose set would change \
                 too: open one in this process",
            )));
        }
        self.turn.take(&self.kernel).ok_or_else(|| {
            OpenError::Os(io::Error::new(
                io::ErrorKind::ResourceBusy,
                "another thread has been changing this receiver's set for a second, held up by a \
                 signal handler of the program: change the set when that has returned",
            ))
        })
    }

    fn change_in_turn(
        &self,
        _turn: &Taken<'_, K>,
        set: SignalSet,
        audit: bool,
    ) -> Result<Released<K>, OpenError> {
        let kernel = &self.kernel;
        let (added, removed) = (set - self.set(), self.set() - set);
        if set != self.set() {
            // Checked again at the end: what waits now will most likely still do so then.
            self.waiters.check().map_err(OpenError::Waiting)?;
        }
        let acquired = if added.is_empty() { None } else { Some(acquire(kernel, added, audit)?) };
        match self.commit(set, removed, acquired) {
            Ok(released) => Ok(released),
            Err((error, acquired)) => {
                if let Some(acquired) = acquired {
                    acquired.undo(kernel, added);
                }
                Err(error)
            }
        }
    }

    /// The descriptor and what is noted of it change together: under the lock, with no handler in
    /// between. If the descriptor does not, nothing does, and what was acquired comes back.
    fn commit(
        &self,
        set: SignalSet,
        removed: SignalSet,
        acquired: Option<Acquired>,
    ) -> Result<Released<K>, (OpenError, Option<Acquired>)> {
        let mut acquired = acquired;
        let changed = locked(&self.kernel, |change| {
            let _changing = self.exclude_waiters(set)?;
            let changed = change.kernel.change(&self.fd, set);
            changed.map_err(|error| OpenError::Os(Refused::wrap("signalfd(2)", error)))?;
            self.set.set(set);
            let mut undo = self.undo.lock().unwrap_or_else(PoisonError::into_inner);
            let removed_chld = undo.chld.take_if(|_| removed.contains(Signal::CHLD));
            if let Some(Acquired { hold, chld }) = acquired.take() {
                undo.holds.push(hold);
                undo.chld = undo.chld.take().or(chld);
            }
            let holds = undo.holds.iter_mut().map(|hold| hold.split(removed)).collect();
            undo.holds.retain(|hold| !hold.set.is_empty());
            Ok((holds, removed_chld))
        });
        let refused = |error| Err(OpenError::Os(Refused::wrap("pthread_sigmask(3)", error)));
        match changed.unwrap_or_else(refused) {
            Ok((holds, chld)) => {
                let (kernel, generation) = (self.kernel.clone(), self.generation);
                Ok(Released { kernel, set: removed, holds, chld, generation })
            }
            Err(error) => Err((error, acquired)),
        }
    }

    /// Threads that wait would wait for the old set. One that is the same may be set at any time.
    fn exclude_waiters(&self, set: SignalSet) -> Result<Option<Changing<'_>>, OpenError> {
        if set == self.set() {
            return Ok(None);
        }
        self.waiters.exclude().map(Some).map_err(OpenError::Waiting)
    }

    /// Has the descriptor yield the signals of `set` alone, until the next change. The others stay
    /// blocked and claimed, and in the kernel's queue.
    #[cfg(feature = "tokio")]
    pub(super) fn watch(&self, set: SignalSet) -> io::Result<()> {
        locked(&self.kernel, |change| change.kernel.change(&self.fd, set & self.set()))?
    }
}

impl<K: Descriptors> Drop for Opened<K> {
    fn drop(&mut self) {
        let (kernel, set) = (&self.kernel, self.set.get());
        let Undo { holds, chld } = self.undo.get_mut().unwrap_or_else(PoisonError::into_inner);
        if self.generation == kernel.generation() {
            give_back(kernel, holds, set, chld.as_deref(), &mut || {});
            return;
        }
        // In a forked child: the claims, if any, are other receivers'. Under the lock, so that no other
        // thread claims CHLD between the look and the change: it would find CHLD at its default, and
        // then have it ignored.
        if let Some(earlier) = chld.as_deref() {
            locked_anyhow(kernel, |change| {
                if !change.state.claimed().contains(Signal::CHLD) {
                    reignore_children(kernel, earlier);
                }
            });
        }
        release(kernel, holds, set, &mut |_| {});
    }
}
