//! What is to be woken or dropped once no lock is held.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Waker;

use super::roster::{Call, Roster, Task, drop_quietly};

/// Waiters to be woken, with no lock held.
#[derive(Default)]
pub(super) struct Woken {
    pub(super) wakers: Vec<Waker>,
    pub(super) calls: Vec<Call>,
    /// Dropped after that.
    pub(super) stale: Stale,
}

impl Woken {
    /// Wakes all of them. A waker that panics keeps no other from being woken: the panic hook has
    /// reported it.
    pub(super) fn wake_all(&mut self) {
        for waker in self.wakers.drain(..) {
            let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
        for call in self.calls.drain(..) {
            call.wake();
        }
        self.stale.drop_all();
    }
}

/// What kept a waiter. Its drop may be code of the program.
#[allow(dead_code)] // kept for its drop
pub(super) enum Waiter {
    Waker(Waker),
    Task(Arc<Task>),
    Roster(Arc<Roster>),
}

impl From<Waker> for Waiter {
    fn from(waker: Waker) -> Waiter {
        Waiter::Waker(waker)
    }
}

/// Waiters that are to be dropped with no lock held. The first takes no memory.
#[derive(Default)]
pub(super) struct Stale {
    first: Option<Waiter>,
    others: Vec<Waiter>,
}

impl Stale {
    pub(super) fn push(&mut self, waiter: impl Into<Waiter>) {
        let waiter = waiter.into();
        match &self.first {
            None => self.first = Some(waiter),
            Some(_) => self.others.push(waiter),
        }
    }

    pub(super) fn drop_all(&mut self) {
        if let Some(first) = self.first.take() {
            drop_quietly(first);
        }
        while let Some(waiter) = self.others.pop() {
            drop_quietly(waiter);
        }
    }
}

impl<W: Into<Waiter>> Extend<W> for Stale {
    fn extend<I: IntoIterator<Item = W>>(&mut self, waiters: I) {
        for waiter in waiters {
            self.push(waiter);
        }
    }
}
