//! What a shutdown waits for: the first signal, once for all.

use std::collections::BTreeMap;
use std::io;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::ShutdownCause;
use crate::SignalInfo;
use crate::platform;
use crate::tokio::shared::{Seat, Shared, Sink, State, send_again};

#[derive(Debug)]
pub(super) struct Latch {
    cause: Option<ShutdownCause>,
    /// Somebody has been told the cause.
    is_told: bool,
    /// Goes on receiving after the first signal.
    keeps: bool,
    /// One further signal that was read for somebody who then did not wait any more.
    further: Option<SignalInfo>,
    /// Who waits for the first signal, and for a further one.
    first_waiters: BTreeMap<u64, Waker>,
    further_waiters: BTreeMap<u64, Waker>,
    next: u64,
    /// Somebody looks without waiting.
    is_asked: bool,
    clones: usize,
    /// A forked child's copy does not act for its parent.
    generation: u64,
}

impl Sink for Latch {
    /// One at a time: after the first one the rest is not this receiver's any more.
    fn wants(&self) -> usize {
        let wanted = match self.cause {
            None => self.is_asked || !self.first_waiters.is_empty(),
            Some(_) => self.keeps && self.further.is_none() && !self.further_waiters.is_empty(),
        };
        usize::from(wanted)
    }

    fn put(&mut self, info: SignalInfo, wakers: &mut Vec<Waker>) -> usize {
        let waiters = if self.cause.is_none() {
            self.cause = Some(ShutdownCause::Signal(info));
            &mut self.first_waiters
        } else {
            self.further = Some(info);
            &mut self.further_waiters
        };
        let count = waiters.len();
        wakers.extend(mem::take(waiters).into_values());
        count
    }

    fn is_done(&self) -> bool {
        self.cause.is_some() && !self.keeps
    }

    fn everybody(&mut self, wakers: &mut Vec<Waker>) {
        wakers.extend(mem::take(&mut self.first_waiters).into_values());
        wakers.extend(mem::take(&mut self.further_waiters).into_values());
    }
}

impl Latch {
    pub(super) fn new(keeps: bool) -> Latch {
        Latch {
            cause: None,
            is_told: false,
            keeps,
            further: None,
            first_waiters: BTreeMap::new(),
            further_waiters: BTreeMap::new(),
            next: 0,
            is_asked: false,
            clones: 1,
            generation: platform::generation(),
        }
    }

    /// The cause, for somebody who wants to know.
    fn tell(&mut self) -> Option<ShutdownCause> {
        self.is_told |= self.cause.is_some();
        self.cause
    }
}

impl State<Latch> {
    /// Looks whether a signal is pending, and tells the cause if there is one.
    pub(super) fn look(&mut self, shared: &Shared<Latch>) -> Option<ShutdownCause> {
        self.catch_up(shared);
        self.sink.tell()
    }

    /// A signal that came first is the cause.
    pub(super) fn trigger(&mut self, shared: &Shared<Latch>) {
        self.catch_up(shared);
        if self.sink.cause.is_some() {
            return;
        }
        self.sink.cause = Some(ShutdownCause::Triggered);
        if self.sink.is_done() {
            self.close();
        }
        self.sink.everybody(&mut self.wakers);
    }

    fn catch_up(&mut self, shared: &Shared<Latch>) {
        if self.sink.cause.is_none() {
            self.sink.is_asked = true;
            // What can't be read now stays pending, and those who wait are told the error.
            let _ = shared.read_locked(self);
            self.sink.is_asked = false;
        }
    }

    /// The cause as it is known, without telling anybody.
    pub(super) fn peek(&self) -> Option<ShutdownCause> {
        self.sink.cause
    }

    pub(super) fn add_clone(&mut self) {
        self.sink.clones += 1;
    }

    /// The last one to go closes the receiver; what nobody has been told acts.
    pub(super) fn remove_clone(&mut self) {
        self.sink.clones -= 1;
        if self.sink.clones > 0 {
            return;
        }
        self.close();
        let first = self.sink.cause.filter(|_| !self.sink.is_told);
        let unread = first.and_then(|cause| cause.info()).into_iter().chain(self.sink.further);
        if self.sink.generation == platform::generation() {
            unread.for_each(send_again);
        }
    }
}

/// Somebody who waits; leaving takes the waker out, so that nothing is read for nobody.
pub(super) struct Wait<'a> {
    shared: &'a Arc<Shared<Latch>>,
    id: u64,
    pub(super) seat: Seat,
}

impl<'a> Wait<'a> {
    pub(super) fn new(shared: &'a Arc<Shared<Latch>>) -> Wait<'a> {
        let id = shared.with(|state| {
            state.sink.next += 1;
            state.sink.next
        });
        Wait { shared, id, seat: Seat::new() }
    }

    /// Polls for the first signal, or leaves the waker.
    pub(super) fn poll_first(&self, cx: &mut Context<'_>) -> Poll<ShutdownCause> {
        self.shared.with(|state| {
            if let Some(cause) = state.sink.tell() {
                return Poll::Ready(cause);
            }
            state.sink.first_waiters.insert(self.id, cx.waker().clone());
            Poll::Pending
        })
    }

    /// Polls for a further signal, or leaves the waker; `None` if there will be none.
    pub(super) fn poll_further(&self, cx: &mut Context<'_>) -> Poll<Option<SignalInfo>> {
        self.shared.with(|state| {
            if let Some(info) = state.sink.further.take() {
                return Poll::Ready(Some(info));
            }
            if state.signals.is_none() {
                return Poll::Ready(None);
            }
            state.sink.further_waiters.insert(self.id, cx.waker().clone());
            Poll::Pending
        })
    }

    /// Polls with `poll`, in a task.
    pub(super) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl Fn(&Self, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(found) = poll(self, cx) {
            return Poll::Ready(Ok(found));
        }
        if self.shared.attend(&mut self.seat, false)? {
            poll(self, cx).map(Ok)
        } else {
            Poll::Pending
        }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.shared.with(|state| {
            state.sink.first_waiters.remove(&self.id);
            state.sink.further_waiters.remove(&self.id);
        });
    }
}
