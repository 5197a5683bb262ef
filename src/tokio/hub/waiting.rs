//! Waiting for a subscriber's next signal, in whatever executor or thread polls.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::queue::{HubEvent, Noted};
use super::receiver::Hub;
use super::registry::Registry;
use crate::tokio::kernel::Kernel;
use crate::tokio::source::{After, BATCH, State};

/// A subscriber that may be a waiter. Dropping this ends the waiting, so that the reader thread reads
/// nothing for a future that has gone.
pub(in crate::tokio) struct Waiting<'a, K: Kernel> {
    hub: &'a Arc<Hub<K>>,
    number: usize,
    is_noted: bool,
}

impl<'a, K: Kernel> Waiting<'a, K> {
    pub(in crate::tokio) fn new(hub: &'a Arc<Hub<K>>, number: usize) -> Waiting<'a, K> {
        Waiting { hub, number, is_noted: false }
    }

    /// Leaves the subscriber waiting.
    pub(in crate::tokio) fn keep_waiting(&mut self) {
        self.is_noted = false;
    }

    fn pop(&self, state: &mut State<Registry, K>, after: &mut After<K>) -> Option<HubEvent> {
        let event = state.sink.pop(self.number, &mut after.stale);
        if event.is_some() {
            // There may be room now for what was left in the kernel's queue.
            state.update_watch(self.hub.kernel());
        }
        event
    }

    pub(in crate::tokio) fn try_recv(&self) -> io::Result<Option<HubEvent>> {
        self.hub.with(|state, after| {
            if !state.sink.is_unread(self.number) {
                state.read(self.hub.kernel(), BATCH, after)?;
            }
            Ok(self.pop(state, after))
        })?
    }

    /// Polls for the next signal; if there is none, has `cx` woken when there may be.
    pub(in crate::tokio) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<HubEvent>> {
        let number = self.number;
        let found = self.hub.with(|state, after| {
            if let Some(event) = self.pop(state, after) {
                return Ok(Found::Event(event));
            }
            match state.sink.noted(number, cx.waker()) {
                Noted::Waiting => Ok(Found::Nothing),
                Noted::Again => self.look(state, after),
                Noted::Not => Ok(Found::OtherWaker),
            }
        });
        let found = found.and_then(|found| found);
        if !matches!(found, Ok(Found::OtherWaker)) {
            return self.told(found);
        }
        // Cloned without the lock: it is code of the program.
        let waker = cx.waker().clone();
        let found = self.hub.with(|state, after| {
            // A record may have come in between.
            if let Some(event) = self.pop(state, after) {
                after.stale.push(waker);
                return Ok(Found::Event(event));
            }
            state.sink.set_waker(number, waker, &mut after.stale);
            self.look(state, after)
        });
        self.told(found.and_then(|found| found))
    }

    /// Arms the source, or finds something to read. The subscriber is noted as a waiter last: what this
    /// thread reads itself need not wake it.
    fn look(&self, state: &mut State<Registry, K>, after: &mut After<K>) -> io::Result<Found> {
        let number = self.number;
        self.hub.ensure_armed(state, after, BATCH, |registry| registry.is_unread(number))?;
        if let Some(event) = self.pop(state, after) {
            return Ok(Found::Event(event));
        }
        state.sink.wait(number);
        Ok(Found::Nothing)
    }

    fn told(&mut self, found: io::Result<Found>) -> Poll<io::Result<HubEvent>> {
        // Reading ended it; after an error it may still be noted.
        self.is_noted = !matches!(found, Ok(Found::Event(_)));
        match found {
            Ok(Found::Event(event)) => Poll::Ready(Ok(event)),
            Ok(Found::Nothing | Found::OtherWaker) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

/// What a poll finds under the lock.
enum Found {
    Event(HubEvent),
    /// It waits.
    Nothing,
    /// It is to wait with another waker than the last time: that is cloned without the lock.
    OtherWaker,
}

impl<K: Kernel> Drop for Waiting<'_, K> {
    fn drop(&mut self) {
        if self.is_noted {
            // In a forked child there is nothing to end.
            let _ = self.hub.with(|state, after| {
                state.sink.stop_waiting(self.number, &mut after.stale);
            });
        }
    }
}
