//! Widening and narrowing a hub's receiver, as subscribers come and go.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::registry::Registry;
use super::taken::Taken;
use crate::tokio::kernel::Kernel;
use crate::tokio::source::{After, BATCH, Shared, State};
use crate::{OpenError, SignalSet};

pub(in crate::tokio) type Hub<K> = Shared<Registry, K>;

pub(in crate::tokio) fn subscribe<K: Kernel>(
    hub: &Arc<Hub<K>>,
    set: SignalSet,
) -> Result<usize, OpenError> {
    join(hub, set, |state, after| {
        let number = state.sink.add();
        state.sink.join(number, set, &mut after.woken);
        number
    })
}

pub(in crate::tokio) fn update<K: Kernel>(
    hub: &Arc<Hub<K>>,
    number: usize,
    before: SignalSet,
    set: SignalSet,
    taken: &mut Taken,
) -> Result<(), OpenError> {
    join(hub, set - before, |state, after| {
        state.sink.pass_taken(number, taken);
        state.sink.join(number, set - before, &mut after.woken);
        state.sink.leave(number, before - set, &mut after.woken);
    })
}

pub(in crate::tokio) fn unsubscribe<K: Kernel>(
    hub: &Arc<Hub<K>>,
    number: usize,
    set: SignalSet,
    taken: &mut Taken,
) {
    let done = hub.with(|state, after| {
        state.sink.pass_taken(number, taken);
        state.sink.leave(number, set, &mut after.woken);
        state.sink.remove(number);
        if state.sink.subscribers == 0 {
            state.sink.reserved = SignalSet::EMPTY;
        }
        state.narrow(hub.kernel(), after);
    });
    if done.is_err() {
        hub.abandon();
    }
}

pub(in crate::tokio) fn add_hub<K: Kernel>(hub: &Arc<Hub<K>>) {
    // An inherited one is closed for good: nothing counts its handles.
    if let Ok(mut state) = hub.lock() {
        state.sink.hubs += 1;
    }
}

/// No task or thread can subscribe to what is reserved once the last handle has gone.
pub(in crate::tokio) fn remove_hub<K: Kernel>(hub: &Arc<Hub<K>>) {
    let done = hub.with(|state, after| {
        state.sink.hubs -= 1;
        if state.sink.hubs == 0 {
            state.sink.reserved = SignalSet::EMPTY;
            state.narrow(hub.kernel(), after);
        }
    });
    if done.is_err() {
        hub.abandon();
    }
}

/// How long a join waits for another thread of the same hub that gives the signals up, or acquires
/// them: handlers of the program may run there. Where interleavings are checked no such thing happens,
/// and a busy machine must not fail a schedule.
const PATIENCE: Duration = Duration::from_secs(if cfg!(all(test, shuttle)) { 3600 } else { 1 });

/// What is still to be done for a join.
enum Next {
    /// To acquire these.
    Acquire(SignalSet),
    /// To wait until another thread has come to the end with these.
    Wait(SignalSet),
    Nothing,
}

/// Has the receiver receive `set`, and runs `change` under the lock, from when on a subscriber sees
/// what is sent. Changes nothing if it fails.
///
/// What is not received yet is acquired with no lock held, for that may wait for a handler of the
/// program: other threads receive, come and go meanwhile.
fn join<K: Kernel, T>(
    hub: &Arc<Hub<K>>,
    set: SignalSet,
    change: impl FnOnce(&mut State<Registry, K>, &mut After<K>) -> T,
) -> Result<T, OpenError> {
    let deadline = Instant::now() + PATIENCE;
    // What is received already stays so until this has come to its end.
    hub.with(|state, _| state.sink.joins.push(set))?;
    let received = loop {
        let next = hub.with(|state, _| state.next(hub.kernel(), set));
        let done = match next.map_err(OpenError::Os) {
            Ok(Next::Nothing) => break Ok(()),
            Ok(Next::Acquire(missing)) => acquire(hub, missing),
            Ok(Next::Wait(busy)) => wait(hub, busy, deadline),
            Err(error) => Err(error),
        };
        if done.is_err() {
            break done;
        }
    };
    hub.with(|state, after| {
        let joins = &mut state.sink.joins;
        if let Some(own) = joins.iter().position(|join| *join == set) {
            joins.swap_remove(own);
        }
        let pending = received.and_then(|()| {
            // What is pending is for the subscribers that were there before. Only the signals in question
            // are looked at, so that a flood of others does not hide them.
            if set.is_empty() { Ok(()) } else { state.read_pending(hub.kernel(), set, after) }
        });
        let changed = pending.map(|()| change(state, after));
        state.narrow(hub.kernel(), after);
        changed
    })?
}

/// Acquires signals for the receiver, which takes them.
fn acquire<K: Kernel>(hub: &Arc<Hub<K>>, missing: SignalSet) -> Result<(), OpenError> {
    let is_audited = hub.lock()?.sink.is_audited;
    let acquired = hub.kernel().acquire(missing, is_audited);
    let taken = hub.with(|state, after| {
        state.acquiring -= missing;
        state.take(hub.kernel(), acquired?, after)
    });
    hub.tell_ended();
    taken?
}

/// Waits until another thread has taken these up for the hub, or failed to, or has given them up.
fn wait<K: Kernel>(hub: &Arc<Hub<K>>, set: SignalSet, deadline: Instant) -> Result<(), OpenError> {
    if hub.wait_until(deadline, |state| (set & state.busy()).is_empty())? {
        return Ok(());
    }
    Err(OpenError::Os(io::Error::new(
        io::ErrorKind::ResourceBusy,
        "another thread has been subscribing to the same signals of this hub, or giving them up, for a \
         second, held up by a signal handler of the program: subscribe when that has returned",
    )))
}

impl<K: Kernel> State<Registry, K> {
    /// The next step of a join; what it is to acquire, no other thread tries to meanwhile.
    fn next(&mut self, kernel: &K, set: SignalSet) -> Next {
        let received = self.receiver.as_ref().map_or(SignalSet::EMPTY, |open| kernel.set(open));
        let missing = set - received;
        if missing.is_empty() {
            return Next::Nothing;
        }
        if !(missing & self.busy()).is_empty() {
            return Next::Wait(missing & self.busy());
        }
        self.acquiring |= missing;
        Next::Acquire(missing)
    }

    /// What is not received, but may be claimed for this hub.
    fn busy(&self) -> SignalSet {
        self.acquiring | self.releasing
    }

    /// Has the receiver take what was acquired.
    fn take(
        &mut self,
        kernel: &K,
        acquired: K::Acquired,
        after: &mut After<K>,
    ) -> Result<(), OpenError> {
        let taken = match &self.receiver {
            Some(receiver) => kernel.widen(receiver, acquired),
            None => kernel
                .open(acquired, self.sink.is_audited)
                .map(|receiver| self.receiver = Some(receiver)),
        };
        let taken = taken.map_err(|(error, acquired)| {
            after.acquired = Some(acquired);
            error
        });
        let received = self.receiver.as_ref().map_or(SignalSet::EMPTY, |open| kernel.set(open));
        self.sink.received(received, &mut after.unread);
        self.update_watch(kernel);
        taken
    }

    /// Reads a batch of the signals of `set`.
    fn read_pending(
        &mut self,
        kernel: &K,
        set: SignalSet,
        after: &mut After<K>,
    ) -> Result<(), OpenError> {
        if let Some(receiver) = &self.receiver {
            kernel.watch(receiver, set).map_err(OpenError::Os)?;
            self.sink.watches(set);
        }
        Ok(self.read(kernel, BATCH, after)?)
    }

    /// Receives no more than is needed. What is not received any more and was read by no subscriber
    /// acts after the lock has been released.
    fn narrow(&mut self, kernel: &K, after: &mut After<K>) {
        let needed = self.sink.needed();
        let Some(receiver) = &self.receiver else { return };
        let received = kernel.set(receiver);
        // What a join is about to acquire is not received yet.
        let needed = needed & received;
        if needed.is_empty() {
            self.close(kernel, after);
            self.sink.received(SignalSet::EMPTY, &mut after.unread);
        } else if received != needed {
            // If it fails, it goes on receiving what has no subscriber, and keeps it.
            if let Ok(release) = kernel.narrow(receiver, needed) {
                after.release = Some(release);
                after.releasing |= received - needed;
                self.rearm();
                self.sink.received(needed, &mut after.unread);
            }
        }
        self.update_watch(kernel);
    }
}
