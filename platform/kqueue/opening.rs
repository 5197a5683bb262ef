//! Opening, changing and ending a receiver: claims, and what [`dispositions`] does under the lock.

use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::RawFd;
use std::sync::{Mutex, PoisonError};

use super::dispositions::{self, Change};
use super::shared::Shared;
use crate::error::Refused;
use crate::platform::atomic_set::AtomicSet;
use crate::platform::kernel::{self, Kernel};
use crate::platform::process::{locked, locked_anyhow};
use crate::{OpenError, Signal, SignalSet};

/// What receivers ask of the kernel beside what is the process'.
pub(super) trait Queues: Kernel<Shared = Shared> {
    /// A kqueue, closed when it is dropped.
    type Queue;
    /// The queue, as far as what follows on a change of dispositions concerns it.
    type Calls<'a>: dispositions::Kernel;

    fn open(&self) -> io::Result<Self::Queue>;
    fn calls(queue: &Self::Queue) -> Self::Calls<'_>;
    /// The queue's descriptor, as a number.
    fn descriptor(queue: &Self::Queue) -> RawFd;
    /// Has the queue of that descriptor, which is open, watch a signal, or not any more.
    fn watch(descriptor: RawFd, signal: Signal, is_watched: bool);

    /// Keeps what the end of another receiver undoes: one that has the same signals in a forked
    /// child. Its own children inherit it.
    fn keep(&self, changes: Vec<Change>);
    /// Takes out what is kept of the set.
    fn take_kept(&self, set: SignalSet) -> Vec<Change>;
}

type State = kernel::State<Shared>;

pub(super) struct Opened<K: Queues> {
    kernel: K,
    /// Closed by this process alone: a fork does not inherit it.
    pub(super) queue: ManuallyDrop<K::Queue>,
    /// Written under the lock of the process' state, as all that is noted here.
    set: AtomicSet,
    /// No forked child comes to it while another thread of the parent's changes it, for that thread
    /// has borrowed what the child would have to own.
    changes: Mutex<Vec<Change>>,
    /// Of the process that opened it.
    generation: u64,
}

impl<K: Queues> Opened<K> {
    pub(super) fn open(kernel: K, set: SignalSet) -> Result<Self, OpenError> {
        let queue = kernel.open().map_err(|error| Refused::wrap("kqueue(2)", error))?;
        let mut changes = Vec::new();
        locked(&kernel, |change| take(&kernel, change.state, &queue, set, &mut changes))??;
        let (queue, generation) = (ManuallyDrop::new(queue), kernel.generation());
        let (set, changes) = (AtomicSet::from(set), Mutex::new(changes));
        Ok(Opened { kernel, queue, set, changes, generation })
    }

    pub(super) fn set(&self) -> SignalSet {
        self.set.get()
    }

    /// One change of several comes after the other, by the lock.
    pub(super) fn update(&self, set: SignalSet) -> Result<(), OpenError> {
        self.check_owner()?;
        locked(&self.kernel, |change| {
            let (added, removed) = (set - self.set(), self.set() - set);
            let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
            take(change.kernel, change.state, &self.queue, added, &mut changes)?;
            give_back(change.kernel, change.state, &self.queue, removed, &mut changes);
            self.set.set(set);
            Ok(())
        })?
    }

    /// Runs `change` with the set, which no other thread changes meanwhile.
    #[cfg(feature = "tokio")]
    pub(super) fn with_set<T>(&self, change: impl FnOnce(SignalSet) -> T) -> io::Result<T> {
        self.check_owner()?;
        locked(&self.kernel, |_| change(self.set()))
    }

    fn is_inherited(&self) -> bool {
        self.generation != self.kernel.generation()
    }

    pub(super) fn check_owner(&self) -> io::Result<()> {
        if self.is_inherited() {
            return Err(io::Error::other(
                "this receiver belongs to the process that forked, and a kqueue is not inherited: \
                 open one in this process",
            ));
        }
        Ok(())
    }
}

impl<K: Queues> Drop for Opened<K> {
    fn drop(&mut self) {
        let is_inherited = self.is_inherited();
        let (queue, set) = (&self.queue, self.set.get());
        let changes = self.changes.get_mut().unwrap_or_else(PoisonError::into_inner);
        locked_anyhow(&self.kernel, |change| {
            let (kernel, state) = (change.kernel, &mut change.state);
            if is_inherited {
                let mut kept = kernel.take_kept(set);
                dispositions::take_inherited(&mut kept, set, changes);
                dispositions::end_inherited(
                    &mut K::calls(queue),
                    state.claimed(),
                    changes,
                    &mut kept,
                );
                kernel.keep(kept);
            } else {
                give_back(kernel, state, queue, set, changes);
            }
        });
        if !is_inherited {
            // SAFETY: the queue is not used any more: this is the end of its only owner.
            unsafe { ManuallyDrop::drop(&mut self.queue) };
        }
    }
}

/// Claims the set and takes it over; or undoes it all.
fn take<K: Queues>(
    kernel: &K,
    state: &mut State,
    queue: &K::Queue,
    set: SignalSet,
    changes: &mut Vec<Change>,
) -> Result<(), OpenError> {
    state.claim(set)?;
    state.backend.add(K::descriptor(queue), set, K::watch);
    let taken = dispositions::take(&mut K::calls(queue), set, changes);
    if taken.is_err() {
        give_back(kernel, state, queue, set, changes);
    }
    Ok(taken?)
}

fn give_back<K: Queues>(
    kernel: &K,
    state: &mut State,
    queue: &K::Queue,
    set: SignalSet,
    changes: &mut Vec<Change>,
) {
    dispositions::take_inherited(&mut kernel.take_kept(set), set, changes);
    dispositions::give_back(&mut K::calls(queue), set, changes);
    state.backend.remove(K::descriptor(queue), set);
    state.unclaim(set);
}
