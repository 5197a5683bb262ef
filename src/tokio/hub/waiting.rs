//! Waiting for a subscriber's next signal, in whatever executor or thread polls.

use std::io;
use std::sync::Arc;
use std::task::Poll;

use super::queue::HubEvent;
use super::receiver::Hub;
use super::registry::Registry;
use crate::tokio::kernel::Kernel;
use crate::tokio::source::{After, BATCH, State};
use crate::tokio::waiters::{Waiter, Who, drop_quietly};

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

    #[inline]
    fn pop(&self, state: &mut State<Registry, K>) -> Option<HubEvent> {
        let event = state.sink.pop(self.number);
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
            Ok(self.pop(state))
        })?
    }

    /// Polls for the next signal; if there is none, has `who` woken when there may be.
    pub(in crate::tokio) fn poll(&mut self, who: Who<'_>) -> Poll<io::Result<HubEvent>> {
        let polled = self.poll_armed(who).unwrap_or_else(|| self.poll_disarmed(who));
        // Reading ended the waiting; after an error it may still be noted.
        self.is_noted = !matches!(polled, Poll::Ready(Ok(_)));
        polled
    }

    /// What nearly every poll comes to: one short look under the lock. `None` if it takes more.
    fn poll_armed(&self, who: Who<'_>) -> Option<Poll<io::Result<HubEvent>>> {
        let mut state = match self.hub.lock() {
            Ok(state) => state,
            Err(error) => return Some(Poll::Ready(Err(error))),
        };
        if let Some(event) = self.pop(&mut state) {
            return Some(Poll::Ready(Ok(event)));
        }
        if state.sink.waits_as(self.number, who) {
            return Some(Poll::Pending);
        }
        if !state.is_armed() {
            return None;
        }
        let earlier = state.sink.wait(self.number, who.listed()?);
        drop(state);
        drop_quietly(earlier);
        Some(Poll::Pending)
    }

    fn poll_disarmed(&self, who: Who<'_>) -> Poll<io::Result<HubEvent>> {
        // Cloned without the lock: it may be code of the program.
        let waiter = who.waiter();
        let looked = self.hub.with(|state, after| self.look(state, waiter, after));
        match looked.and_then(|looked| looked) {
            Ok(Some(event)) => Poll::Ready(Ok(event)),
            Ok(None) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// Arms the source, or finds something to read: a record may have come in between. The subscriber
    /// is noted as a waiter last: what this thread reads itself need not wake it.
    fn look(
        &self,
        state: &mut State<Registry, K>,
        waiter: Waiter,
        after: &mut After<K>,
    ) -> io::Result<Option<HubEvent>> {
        let number = self.number;
        let looked = match self.pop(state) {
            Some(event) => Ok(Some(event)),
            None => self
                .hub
                .ensure_armed(state, after, BATCH, |registry| registry.is_unread(number))
                .map(|()| self.pop(state)),
        };
        match looked {
            Ok(None) => after.stale.extend(state.sink.wait(number, waiter)),
            _ => after.stale.push(waiter),
        }
        looked
    }
}

impl<K: Kernel> Drop for Waiting<'_, K> {
    fn drop(&mut self) {
        if self.is_noted {
            // In a forked child there is nothing to end.
            let _ = self.hub.with(|state, after| {
                after.stale.extend(state.sink.stop_waiting(self.number));
            });
        }
    }
}
