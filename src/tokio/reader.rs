//! The reader thread: one for each process, started when something waits for the first time.
//!
//! It waits for the descriptors of all sources (hubs and shutdowns) that are *armed*, and tells a
//! source whose descriptor is readable: [`Source::ready`]. The source reads one batch, puts the
//! records where they belong, and wakes their waiters. No code of the program runs on
//! this thread but wakers: a waker that panics is caught; one that blocks holds up every hub and
//! shutdown of the process, so none may.
//!
//! # Armed and disarmed
//!
//! | source | descriptor readable | what happens |
//! |---|---|---|
//! | armed, something waits | yes | the reader thread reads a batch; it stays armed |
//! | armed, nothing waits | yes | the reader thread disarms it and reads nothing |
//! | disarmed | either | nothing: records stay in the kernel's queue |
//! | disarmed, something starts to wait | yes | the waiting thread reads a batch itself |
//! | disarmed, something starts to wait | no | the waiting thread arms it |
//!
//! Where something waits, but not for this signal, the sink takes the signal out of what the descriptor
//! yields (`signalfd(2)` on the descriptor): it stays in the kernel's queue as if the source were
//! disarmed, and what starts to wait for it reads a batch itself, by another descriptor, and puts it back
//! only if that brings nothing. A hub does so for classes of subscribers, which it calls *parked*: under a
//! flood their tasks read by themselves, and the reader thread sleeps.
//!
//! Looking for waiters, arming and disarming all happen under the source's lock. So a waiter that
//! finds the source armed is seen by the reader thread's next look, and one that finds it disarmed
//! arms it. Arming is level-triggered: what became readable before is reported too. So no wake-up is
//! lost. What starts to be yielded by a change need not be reported, so an armed source is armed again
//! after each.
//!
//! # Locks
//!
//! In this order: a source's turnstile, a source's state, then one of: the list of sources here, the
//! lock under which the reader thread is started ([`kernel`](super::kernel)), the lock of the
//! process' state in `platform/` (taken to open, change or watch a receiver, and to start a thread).
//! The reader thread holds none of them while it waits, and none is held while a waker is cloned,
//! woken or dropped, while signals are acquired for a receiver, while a receiver or a part of one is
//! dropped, or while a signal is sent again. What a task waits in is an atomic of its own: see
//! [`Turn`](super::hub::turn::Turn).
//!
//! The locks of [`local`](super::local), its list of runtimes before the state of one, are taken with
//! none of these held.

use std::io;
use std::sync::{Arc, PoisonError};

use super::kernel::Kernel;
use super::sync::Mutex;
use super::waiters::Woken;

/// What the reader thread reads for.
pub(super) trait Source: Send + Sync {
    /// The descriptor is readable, or was a moment ago. `woken` is empty before and afterwards.
    fn ready(self: Arc<Self>, woken: &mut Woken);
}

/// The reader thread's half that other threads reach.
pub(super) struct Reader<K: Kernel> {
    kernel: K,
    sources: Mutex<Sources>,
}

#[derive(Default)]
struct Sources {
    /// Few: each has a signal at least that no other one has.
    numbered: Vec<(u64, Arc<dyn Source>)>,
    /// No number is used twice: a stale event names a source that has gone.
    last: u64,
}

impl<K: Kernel> Reader<K> {
    pub(super) fn new(kernel: K) -> Reader<K> {
        Reader { kernel, sources: Mutex::new(Sources::default()) }
    }

    /// Adds a source, disarmed, and returns its number.
    pub(super) fn add(&self, source: Arc<dyn Source>, receiver: &K::Receiver) -> io::Result<u64> {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let number = sources.last + 1;
        self.kernel.add(receiver, number)?;
        sources.last = number;
        sources.numbered.push((number, source));
        Ok(number)
    }

    pub(super) fn arm(
        &self,
        receiver: &K::Receiver,
        number: u64,
        is_armed: bool,
    ) -> io::Result<()> {
        self.kernel.arm(receiver, number, is_armed)
    }

    /// Removes a source, before its descriptor is closed.
    pub(super) fn remove(&self, receiver: &K::Receiver, number: u64) {
        self.kernel.remove(receiver);
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let found = sources.numbered.iter().position(|(other, _)| *other == number);
        let removed = found.map(|index| sources.numbered.swap_remove(index));
        drop(sources);
        drop(removed); // never the last reference: the caller has one
    }

    /// The thread's life.
    pub(super) fn run(&self) {
        let (mut ready, mut woken) = (Vec::new(), Woken::default());
        loop {
            if self.turn(&mut ready, &mut woken).is_err() {
                // None is known to happen; a thread that spins would be worse than one that waits.
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
        }
    }

    /// Waits once, and tells the sources that are ready.
    pub(super) fn turn(&self, ready: &mut Vec<u64>, woken: &mut Woken) -> io::Result<()> {
        self.kernel.wait(ready)?;
        for &number in ready.iter() {
            let sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
            let source = sources.numbered.iter().find(|(other, _)| *other == number).cloned();
            drop(sources);
            if let Some((_, source)) = source {
                source.ready(woken);
            }
        }
        ready.clear();
        Ok(())
    }
}
