//! What waits for a shutdown's signals.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{Latch, Latched, ONE, Which};
use crate::SignalInfo;
use crate::tokio::kernel::Kernel;
use crate::tokio::shutdown::ShutdownCause;
use crate::tokio::source::State;

/// A waiter. Dropping this ends it, so that the reader thread reads nothing for a future that has gone.
pub(in crate::tokio) struct Waiting<K: Kernel> {
    shared: Arc<Latched<K>>,
    number: usize,
}

impl<K: Kernel> Waiting<K> {
    pub(in crate::tokio) fn new(shared: &Arc<Latched<K>>) -> io::Result<Waiting<K>> {
        let mut state = shared.lock()?;
        Ok(Waiting { shared: shared.clone(), number: state.sink.waiters.insert(None) })
    }

    /// Polls for the first signal.
    pub(in crate::tokio) fn poll_first(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<ShutdownCause>> {
        self.poll(cx, Which::First, |state| state.sink.tell())
    }

    /// Polls for a further signal; `None` if there will be none.
    pub(in crate::tokio) fn poll_further(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Option<SignalInfo>>> {
        self.poll(cx, Which::Further, |state| match state.sink.further.take() {
            None if state.receiver.is_some() => None,
            further => Some(further),
        })
    }

    fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        which: Which,
        take: impl Fn(&mut State<Latch, K>) -> Option<T>,
    ) -> Poll<io::Result<T>> {
        let mut taken = None;
        let polled = self.poll_any(cx, which, &mut |state| {
            taken = take(state);
            taken.is_some()
        });
        polled.map_ok(|()| taken.expect("ready when it is taken"))
    }

    /// As [`poll`](Self::poll), compiled once for both signals: `take` returns whether there was one.
    fn poll_any(
        &self,
        cx: &mut Context<'_>,
        which: Which,
        take: &mut dyn FnMut(&mut State<Latch, K>) -> bool,
    ) -> Poll<io::Result<()>> {
        let found = self.shared.with(|state, after| {
            let is_taken = take(state);
            let earlier = state.sink.waiters[self.number].as_ref();
            let is_waiting = earlier
                .is_some_and(|(such, earlier)| *such == which && earlier.will_wake(cx.waker()));
            if is_taken {
                after.woken.stale.extend(state.sink.set_waiter(self.number, None));
            }
            (is_taken, is_waiting)
        });
        match found {
            Err(error) => return Poll::Ready(Err(error)),
            Ok((true, _)) => return Poll::Ready(Ok(())),
            Ok((false, true)) => return Poll::Pending,
            Ok((false, false)) => {}
        }
        // Cloned without the lock: it is code of the program.
        let waker = cx.waker().clone();
        let done = self.shared.with(|state, after| {
            if take(state) {
                after.woken.stale.push(waker);
                return Ok(true);
            }
            let waiter = Some((which, waker));
            after.woken.stale.extend(state.sink.set_waiter(self.number, waiter));
            if state.sink.is_closing {
                return Ok(false); // it is woken at the end of that
            }
            self.shared.ensure_armed(state, after, ONE, |latch| match which {
                Which::First => latch.has_fired(),
                Which::Further => latch.has_further(),
            })?;
            Ok(false)
        });
        // What was read just now has closed the receiver when this is seen.
        let is_taken = match done.and_then(|done| done) {
            Ok(false) => self.shared.lock().map(|mut state| take(&mut state)),
            done => done,
        };
        match is_taken {
            Ok(true) => Poll::Ready(Ok(())),
            Ok(false) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl<K: Kernel> Drop for Waiting<K> {
    fn drop(&mut self) {
        // In a forked child there is nothing to end.
        let _ = self.shared.with(|state, after| {
            let waiter = state.sink.waiters.remove(self.number);
            after.woken.stale.extend(waiter.map(|(_, waker)| waker));
        });
    }
}
