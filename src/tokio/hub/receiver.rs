//! Widening and narrowing a hub's receiver, as subscribers come and go.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::registry::Registry;
use crate::tokio::kernel::Kernel;
use crate::tokio::source::{After, BATCH, Shared, State};
use crate::{OpenError, SignalSet};

pub(in crate::tokio) type Hub<K> = Shared<Registry, K>;

/// What [`attempt`] is to do again, once another thread has given the signals up.
enum Refused {
    Finally(OpenError),
    /// The hub itself gives them up at this moment, on another thread.
    ForNow(SignalSet),
}

pub(in crate::tokio) fn subscribe<K: Kernel>(
    hub: &Arc<Hub<K>>,
    set: SignalSet,
) -> Result<usize, OpenError> {
    attempt(hub, |state, after| {
        let number = state.sink.add();
        let joined = state.join(hub.kernel(), number, set, after);
        if joined.is_err() {
            state.sink.remove(number);
        }
        joined.map(|()| number)
    })
}

pub(in crate::tokio) fn update<K: Kernel>(
    hub: &Arc<Hub<K>>,
    number: usize,
    before: SignalSet,
    set: SignalSet,
) -> Result<(), OpenError> {
    attempt(hub, |state, after| {
        state.join(hub.kernel(), number, set - before, after)?;
        state.sink.leave(number, before - set, &mut after.woken);
        state.narrow(hub.kernel(), after);
        Ok(())
    })
}

pub(in crate::tokio) fn unsubscribe<K: Kernel>(hub: &Arc<Hub<K>>, number: usize, set: SignalSet) {
    let done = hub.with(|state, after| {
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

/// Changes the subscribers, again and again as long as it is refused for signals that another thread
/// is about to give up for the same hub: for one second at most, since handlers of the program may
/// run there.
fn attempt<K: Kernel, T>(
    hub: &Arc<Hub<K>>,
    change: impl Fn(&mut State<Registry, K>, &mut After<K>) -> Result<T, OpenError>,
) -> Result<T, OpenError> {
    let deadline = Instant::now() + Duration::from_secs(1);
    loop {
        let tried = hub.with(|state, after| {
            change(state, after).map_err(|error| match error {
                OpenError::AlreadyReceived(taken) if !(taken & state.releasing).is_empty() => {
                    Refused::ForNow(taken)
                }
                error => Refused::Finally(error),
            })
        });
        match tried? {
            Ok(done) => return Ok(done),
            Err(Refused::Finally(error)) => return Err(error),
            Err(Refused::ForNow(taken)) => {
                hub.wait_until(deadline, |state| (taken & state.releasing).is_empty())?;
                if Instant::now() >= deadline {
                    return Err(OpenError::AlreadyReceived(taken));
                }
            }
        }
    }
}

impl<K: Kernel> State<Registry, K> {
    /// Has a subscriber see what is sent from now on of `set`. Changes nothing if it fails.
    fn join(
        &mut self,
        kernel: &K,
        number: usize,
        set: SignalSet,
        after: &mut After<K>,
    ) -> Result<(), OpenError> {
        if set.is_empty() {
            return Ok(());
        }
        let received = self.receiver.as_ref().map_or(SignalSet::EMPTY, |open| kernel.set(open));
        if !(set - received).is_empty() {
            match &mut self.receiver {
                Some(receiver) => after.release = Some(kernel.change(receiver, received | set)?),
                None => self.receiver = Some(kernel.open(set, self.sink.is_audited)?),
            }
            self.sink.received(received | set, &mut after.unread);
        }
        // What is pending is for the subscribers that were there before. Only the signals in question
        // are looked at, so that a flood of others does not hide them.
        if let Err(error) = self.read_pending(kernel, set, after) {
            self.narrow(kernel, after);
            return Err(OpenError::Os(error));
        }
        self.sink.join(number, set, &mut after.woken);
        self.update_watch(kernel);
        Ok(())
    }

    /// Reads a batch of the signals of `set`.
    fn read_pending(&mut self, kernel: &K, set: SignalSet, after: &mut After<K>) -> io::Result<()> {
        if let Some(receiver) = &mut self.receiver {
            kernel.watch(receiver, set)?;
            self.sink.watches(set);
        }
        self.read(kernel, BATCH, after)
    }

    /// Receives no more than is needed. What is not received any more and was read by no subscriber
    /// acts after the lock has been released.
    fn narrow(&mut self, kernel: &K, after: &mut After<K>) {
        let needed = self.sink.needed();
        let Some(receiver) = &mut self.receiver else { return };
        let received = kernel.set(receiver);
        if needed.is_empty() {
            self.close(kernel, after);
            self.sink.received(SignalSet::EMPTY, &mut after.unread);
        } else if received != needed {
            // If it fails, it goes on receiving what has no subscriber, and keeps it.
            if let Ok(release) = kernel.change(receiver, needed) {
                after.release = Some(release);
                after.releasing |= received - needed;
                self.sink.received(needed, &mut after.unread);
            }
        }
        self.update_watch(kernel);
    }
}
