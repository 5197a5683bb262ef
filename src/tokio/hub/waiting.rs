//! Waiting for a subscriber's next signal, in whatever executor or thread polls.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::queue::HubEvent;
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
        let found = self.hub.with(|state, after| {
            let event = self.pop(state, after);
            let is_waiting = event.is_none() && state.sink.is_waiting(self.number, cx.waker());
            (event, is_waiting)
        });
        match found {
            Err(error) => return Poll::Ready(Err(error)),
            Ok((Some(event), _)) => {
                self.is_noted = false; // reading ended it
                return Poll::Ready(Ok(event));
            }
            Ok((None, true)) => {
                self.is_noted = true;
                return Poll::Pending;
            }
            Ok((None, false)) => {}
        }
        // Cloned without the lock: it is code of the program.
        let waker = cx.waker().clone();
        self.is_noted = true;
        let number = self.number;
        let found = self.hub.with(|state, after| {
            // A record may have come in between.
            if let Some(event) = self.pop(state, after) {
                after.stale.push(waker);
                return Ok(Some(event));
            }
            state.sink.wait(number, waker, &mut after.stale);
            self.hub.ensure_armed(state, after, BATCH, |registry| registry.is_unread(number))?;
            Ok(self.pop(state, after))
        });
        match found.and_then(|found| found) {
            Ok(Some(event)) => Poll::Ready(Ok(event)),
            Ok(None) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
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
