//! Waiting for a subscriber's next signal, in whatever executor or thread polls.

use std::io;
use std::sync::Arc;
use std::task::{Poll, Waker};

use super::event::HubEvent;
use super::receiver::Hub;
use super::registry::Registry;
use super::taken::Taken;
use super::turn::Registration;
use crate::tokio::kernel::Kernel;
use crate::tokio::roster::drop_quietly;
use crate::tokio::source::{After, State};

/// A subscriber that may be a waiter. Dropping this ends the waiting, so that the reader thread reads
/// nothing for a future that has gone.
pub(in crate::tokio) struct Waiting<'a, K: Kernel> {
    hub: &'a Arc<Hub<K>>,
    number: usize,
    registration: &'a mut Registration,
    taken: &'a mut Taken,
    is_noted: bool,
}

impl<'a, K: Kernel> Waiting<'a, K> {
    pub(in crate::tokio) fn new(
        hub: &'a Arc<Hub<K>>,
        number: usize,
        registration: &'a mut Registration,
        taken: &'a mut Taken,
    ) -> Waiting<'a, K> {
        Waiting { hub, number, registration, taken, is_noted: false }
    }

    /// Leaves the subscriber waiting.
    pub(in crate::tokio) fn keep_waiting(&mut self) {
        self.is_noted = false;
    }

    /// The next signal that was read, and whether there are more.
    #[inline]
    fn pop(&mut self, state: &mut State<Registry, K>) -> Option<(HubEvent, bool)> {
        let popped = state.sink.pop(self.number, self.taken);
        if popped.is_some() {
            // There may be room now for what was left in the kernel's queue.
            state.update_watch(self.hub.kernel());
        }
        popped
    }

    /// What has been taken already, by the process that took it. A forked child is told so under the lock.
    #[inline]
    fn next_taken(&mut self) -> Option<HubEvent> {
        if self.hub.is_inherited() { None } else { self.taken.next() }
    }

    pub(in crate::tokio) fn try_recv(&mut self) -> io::Result<Option<HubEvent>> {
        if let Some(event) = self.next_taken() {
            return Ok(Some(event));
        }
        let hub = self.hub;
        hub.with(|state, after| {
            if !state.sink.is_unread(self.number) {
                state.unpark(self.hub.kernel(), self.number);
                state.read(self.hub.kernel(), state.sink.limit(), after)?;
            }
            Ok(self.pop(state).map(|(event, _)| event))
        })?
    }

    /// As [`poll`](Self::poll), in what may be a task of tokio's.
    #[inline]
    pub(in crate::tokio) fn poll_task(&mut self, waker: &Waker) -> Poll<io::Result<HubEvent>> {
        match self.next_taken() {
            Some(event) => Poll::Ready(Ok(event)),
            None => self.poll_hub(waker, true),
        }
    }

    /// Polls for the next signal; if there is none, has the registration's task woken when there may be, or
    /// without one `waker`.
    pub(in crate::tokio) fn poll(&mut self, waker: &Waker) -> Poll<io::Result<HubEvent>> {
        match self.next_taken() {
            Some(event) => Poll::Ready(Ok(event)),
            None => self.poll_hub(waker, false),
        }
    }

    /// Polls when all that was taken has been returned. Not inlined: most polls of a flood return before.
    #[inline(never)]
    fn poll_hub(&mut self, waker: &Waker, is_task: bool) -> Poll<io::Result<HubEvent>> {
        if is_task {
            self.registration.renew(waker);
        }
        if !self.hub.is_inherited() && self.registration.enter() {
            self.is_noted = true;
            return Poll::Pending;
        }
        let polled = self.poll_armed(waker).unwrap_or_else(|| self.poll_disarmed(waker));
        // Reading ended the waiting; after an error it may still be noted.
        self.is_noted = !matches!(polled, Poll::Ready(Ok(_)));
        polled
    }

    /// What nearly every poll comes to: one short look under the lock. `None` if it takes more.
    #[inline]
    fn poll_armed(&mut self, waker: &Waker) -> Option<Poll<io::Result<HubEvent>>> {
        let hub = self.hub;
        let mut state = match hub.lock() {
            Ok(state) => state,
            Err(error) => return Some(Poll::Ready(Err(error))),
        };
        let popped = self.pop(&mut state);
        let has_more = popped.as_ref().is_some_and(|(_, has_more)| *has_more);
        let mut earlier = None;
        if state.is_armed() && !has_more && !state.sink.is_parked(self.number) {
            // Most likely the task is going to wait again.
            earlier = state.sink.admit(self.number, self.registration);
        }
        let polled = match popped {
            Some((event, _)) => Some(Poll::Ready(Ok(event))),
            None if self.registration.enter() => Some(Poll::Pending),
            None if state.sink.waits_with(self.number, waker) => Some(Poll::Pending),
            None => None,
        };
        drop(state);
        if earlier.is_some() {
            drop_quietly(earlier);
        }
        polled
    }

    fn poll_disarmed(&mut self, waker: &Waker) -> Poll<io::Result<HubEvent>> {
        // Cloned without the lock: it is code of the program.
        let waker = self.registration.task().is_none().then(|| waker.clone());
        let hub = self.hub;
        let looked = hub.with(|state, after| self.look(state, waker, after));
        match looked.and_then(|looked| looked) {
            Ok(Some(event)) => Poll::Ready(Ok(event)),
            Ok(None) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// Arms the source, or finds something to read: a record may have come in between. The subscriber
    /// is noted as a waiter last: what this thread reads itself need not wake it.
    fn look(
        &mut self,
        state: &mut State<Registry, K>,
        waker: Option<Waker>,
        after: &mut After<K>,
    ) -> io::Result<Option<HubEvent>> {
        let number = self.number;
        let looked = match self.pop(state) {
            Some((event, _)) => Ok(Some(event)),
            None => self.fetch(state, after).map(|()| self.pop(state).map(|(event, _)| event)),
        };
        if !matches!(looked, Ok(None)) {
            after.woken.stale.extend(waker);
            return looked;
        }
        let earlier = match waker {
            Some(waker) => state.sink.wait_with(number, waker),
            None => {
                let earlier = state.sink.admit(number, self.registration);
                let has_entered = self.registration.enter();
                debug_assert!(has_entered, "under the lock no generation ends");
                earlier
            }
        };
        after.woken.stale.extend(earlier);
        looked
    }
}

impl<K: Kernel> Waiting<'_, K> {
    /// Reads a batch, if the reader thread does not serve the subscriber; if that brings nothing for
    /// it, the reader thread does from now on.
    fn fetch(&self, state: &mut State<Registry, K>, after: &mut After<K>) -> io::Result<()> {
        let (kernel, number) = (self.hub.kernel(), self.number);
        if state.is_armed() && state.sink.is_parked(number) {
            // To unpark it first would wake the reader thread, which parks it again under a flood.
            let (set, limit) = (state.sink.readable(number), state.sink.limit());
            state.read_of(kernel, set, limit, after)?;
            if state.sink.is_unread(number) {
                return Ok(());
            }
        }
        if state.unpark(kernel, number) && state.is_armed() {
            return state.read(kernel, state.sink.limit(), after);
        }
        let limit = state.sink.limit();
        self.hub.ensure_armed(state, after, limit, |registry| registry.is_unread(number))
    }
}

impl<K: Kernel> State<Registry, K> {
    /// Has the descriptor yield the subscriber's signals. Returns whether it did not.
    fn unpark(&mut self, kernel: &K, number: usize) -> bool {
        let was_parked = self.sink.unpark(number);
        if was_parked {
            self.update_watch(kernel);
        }
        was_parked
    }
}

impl<K: Kernel> Waiting<'_, K> {
    #[cold]
    fn end(&mut self) {
        if !self.registration.leave() {
            // In a forked child there is nothing to end.
            let _ = self.hub.with(|state, after| {
                after.woken.stale.extend(state.sink.stop_waiting(self.number));
            });
        }
    }
}

impl<K: Kernel> Drop for Waiting<'_, K> {
    #[inline]
    fn drop(&mut self) {
        if self.is_noted {
            self.end();
        }
    }
}
