//! Opening, changing and ending a receiver: claims, and what [`dispositions`] does under the lock.

use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::RawFd;

use super::dispositions::{self, Change};
use super::shared::Shared;
use crate::error::Refused;
use crate::platform::kernel::{self, Kernel};
use crate::platform::process::{locked, locked_anyhow};
use crate::{OpenError, Signal, SignalSet};

/// What receivers ask of the kernel beside what is the process'.
pub(super) trait Queues: Kernel<Shared = Shared> {
    /// A kqueue, closed when it is dropped.
    type Queue: dispositions::Kernel;

    fn open(&self) -> io::Result<Self::Queue>;
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
    pub(super) set: SignalSet,
    changes: Vec<Change>,
    /// Of the process that opened it.
    generation: u64,
}

impl<K: Queues> Opened<K> {
    pub(super) fn open(kernel: K, set: SignalSet) -> Result<Self, OpenError> {
        let mut queue = kernel.open().map_err(|error| Refused::wrap("kqueue(2)", error))?;
        let mut changes = Vec::new();
        locked(&kernel, |change| take(&kernel, change.state, &mut queue, set, &mut changes))??;
        let (queue, generation) = (ManuallyDrop::new(queue), kernel.generation());
        Ok(Opened { kernel, queue, set, changes, generation })
    }

    pub(super) fn update(&mut self, set: SignalSet) -> Result<(), OpenError> {
        self.check_owner()?;
        let (added, removed) = (set - self.set, self.set - set);
        let (queue, changes) = (&mut *self.queue, &mut self.changes);
        locked(&self.kernel, |change| {
            take(change.kernel, change.state, queue, added, changes)?;
            give_back(change.kernel, change.state, queue, removed, changes);
            Ok::<(), OpenError>(())
        })??;
        self.set = set;
        Ok(())
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
        let (queue, changes) = (&mut *self.queue, &mut self.changes);
        let set = self.set;
        locked_anyhow(&self.kernel, |change| {
            let (kernel, state) = (change.kernel, &mut change.state);
            if is_inherited {
                let mut kept = kernel.take_kept(set);
                dispositions::take_inherited(&mut kept, set, changes);
                dispositions::end_inherited(queue, state.claimed(), changes, &mut kept);
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
    queue: &mut K::Queue,
    set: SignalSet,
    changes: &mut Vec<Change>,
) -> Result<(), OpenError> {
    state.claim(set)?;
    state.backend.add(K::descriptor(queue), set, K::watch);
    let taken = dispositions::take(queue, set, changes);
    if taken.is_err() {
        give_back(kernel, state, queue, set, changes);
    }
    Ok(taken?)
}

fn give_back<K: Queues>(
    kernel: &K,
    state: &mut State,
    queue: &mut K::Queue,
    set: SignalSet,
    changes: &mut Vec<Change>,
) {
    dispositions::take_inherited(&mut kernel.take_kept(set), set, changes);
    dispositions::give_back(queue, set, changes);
    state.backend.remove(K::descriptor(queue), set);
    state.unclaim(set);
}
