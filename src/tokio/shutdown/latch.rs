//! The latch of a shutdown: the first signal, kept for all its waiters.

use std::collections::BTreeMap;
use std::io;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::ShutdownCause;
use crate::SignalInfo;
use crate::tokio::kernel::Kernel;
use crate::tokio::source::{After, Shared, Sink, State};
use crate::tokio::waiters::Woken;

/// One record at a time: after the first one the rest is not this receiver's any more.
const ONE: usize = 1;

#[derive(Debug)]
pub(in crate::tokio) struct Latch {
    cause: Option<ShutdownCause>,
    /// The receiver is being closed, on some thread, before the cause is told.
    is_closing: bool,
    /// The cause has been told.
    is_told: bool,
    /// Goes on receiving after the first signal.
    keeps: bool,
    /// One further signal that was read for a waiter that had gone by then.
    further: Option<SignalInfo>,
    /// The waiters for the first signal, and those for a further one, by their numbers.
    first_waiters: BTreeMap<u64, Waker>,
    further_waiters: BTreeMap<u64, Waker>,
    next: u64,
    clones: usize,
}

impl Sink for Latch {
    fn wants(&mut self) -> usize {
        let wanted = match self.cause {
            None => !self.first_waiters.is_empty(),
            Some(_) => self.keeps && self.further.is_none() && !self.further_waiters.is_empty(),
        };
        if wanted { ONE } else { 0 }
    }

    fn put(&mut self, info: SignalInfo, woken: &mut Woken) {
        if self.cause.is_none() {
            self.fire(ShutdownCause::Signal(info), woken);
        } else {
            self.further = Some(info);
            woken.wakers.extend(mem::take(&mut self.further_waiters).into_values());
        }
    }

    fn is_done(&self) -> bool {
        self.is_closing
    }

    fn closed(&mut self, woken: &mut Woken) {
        self.is_closing = false;
        self.all(woken);
    }

    fn all(&mut self, woken: &mut Woken) {
        woken.wakers.extend(mem::take(&mut self.first_waiters).into_values());
        woken.wakers.extend(mem::take(&mut self.further_waiters).into_values());
    }
}

impl Latch {
    pub(in crate::tokio) fn new(keeps: bool) -> Latch {
        Latch {
            cause: None,
            is_closing: false,
            is_told: false,
            keeps,
            further: None,
            first_waiters: BTreeMap::new(),
            further_waiters: BTreeMap::new(),
            next: 0,
            clones: 1,
        }
    }

    /// A shutdown that keeps receiving wakes its waiters at once, any other after its receiver has been
    /// closed.
    fn fire(&mut self, cause: ShutdownCause, woken: &mut Woken) {
        self.cause = Some(cause);
        if self.keeps {
            self.all(woken);
        } else {
            self.is_closing = true;
        }
    }

    /// Whether the cause may be told.
    fn has_fired(&self) -> bool {
        self.cause.is_some() && !self.is_closing
    }

    /// The cause, for a caller that is told it.
    fn tell(&mut self) -> Option<ShutdownCause> {
        let cause = self.cause.filter(|_| !self.is_closing);
        self.is_told |= cause.is_some();
        cause
    }

    fn has_further(&self) -> bool {
        self.further.is_some()
    }
}

/// What the handles of one shutdown share.
pub(in crate::tokio) type Latched<K> = Shared<Latch, K>;

impl<K: Kernel> Latched<K> {
    /// Looks whether a signal is pending, and tells the cause if there is one.
    pub(in crate::tokio) fn look(self: &Arc<Self>) -> Option<ShutdownCause> {
        // What can't be read now stays pending, and the waiters are told the error.
        let _ = self.with(|state, after| state.catch_up(self.kernel(), after));
        self.wait_closed();
        self.lock().ok().and_then(|mut state| state.sink.tell())
    }

    /// A signal that came first is the cause.
    pub(in crate::tokio) fn trigger(self: &Arc<Self>) {
        let _ = self.with(|state, after| {
            let _ = state.catch_up(self.kernel(), after);
            if state.sink.cause.is_none() {
                state.sink.fire(ShutdownCause::Triggered, &mut after.woken);
                if state.receiver.is_none() {
                    // Nothing is to be closed.
                    state.sink.closed(&mut after.woken);
                } else if state.sink.is_closing {
                    state.close(self.kernel(), after);
                }
            }
        });
        self.wait_closed();
    }

    /// Waits for the end of the closing, on whatever thread that is: for one second at most, since
    /// handlers of the program may run there.
    fn wait_closed(&self) {
        let deadline = Instant::now() + Duration::from_secs(1);
        let _ = self.wait_until(deadline, |state| !state.sink.is_closing);
    }

    /// The cause as it is known, without telling it.
    pub(in crate::tokio) fn peek(&self) -> Option<ShutdownCause> {
        self.lock().ok().and_then(|state| state.sink.cause)
    }

    pub(in crate::tokio) fn add_clone(&self) {
        // An inherited one is closed for good: nothing counts its handles.
        if let Ok(mut state) = self.lock() {
            state.sink.clones += 1;
        }
    }

    /// The last handle to go closes the receiver; a signal that no caller was told of acts.
    pub(in crate::tokio) fn remove_clone(self: &Arc<Self>) {
        if self.is_inherited() {
            return self.abandon();
        }
        let _ = self.with(|state, after| {
            state.sink.clones -= 1;
            if state.sink.clones > 0 {
                return;
            }
            state.close(self.kernel(), after);
            let first = state.sink.cause.filter(|_| !state.sink.is_told);
            after.unread.extend(first.and_then(|cause| cause.info()));
            after.unread.extend(state.sink.further.take());
        });
        if self.lock().is_ok_and(|state| state.sink.clones == 0) {
            // Whichever thread closes the receiver: when the last handle has gone, signals act.
            self.wait_closed();
        }
    }
}

impl<K: Kernel> State<Latch, K> {
    fn catch_up(&mut self, kernel: &K, after: &mut After<K>) -> io::Result<()> {
        if self.sink.cause.is_some() {
            return Ok(());
        }
        self.read(kernel, ONE, after)
    }
}

/// A waiter. Dropping this ends it, so that the reader thread reads nothing for a future that has gone.
pub(in crate::tokio) struct Waiting<K: Kernel> {
    shared: Arc<Latched<K>>,
    number: u64,
}

/// Which signal is waited for.
#[derive(Clone, Copy)]
enum Which {
    First,
    Further,
}

impl<K: Kernel> Waiting<K> {
    pub(in crate::tokio) fn new(shared: &Arc<Latched<K>>) -> io::Result<Waiting<K>> {
        let mut state = shared.lock()?;
        state.sink.next += 1;
        Ok(Waiting { shared: shared.clone(), number: state.sink.next })
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
        let found = self.shared.with(|state, after| {
            let found = take(state);
            let waiters = state.waiters(which);
            let earlier = waiters.get(&self.number);
            let is_waiting = earlier.is_some_and(|earlier| earlier.will_wake(cx.waker()));
            if found.is_some() {
                after.woken.stale.extend(waiters.remove(&self.number));
            }
            (found, is_waiting)
        });
        match found {
            Err(error) => return Poll::Ready(Err(error)),
            Ok((Some(found), _)) => return Poll::Ready(Ok(found)),
            Ok((None, true)) => return Poll::Pending,
            Ok((None, false)) => {}
        }
        // Cloned without the lock: it is code of the program.
        let waker = cx.waker().clone();
        let done = self.shared.with(|state, after| {
            if let Some(found) = take(state) {
                after.woken.stale.push(waker);
                return Ok(Some(found));
            }
            after.woken.stale.extend(state.waiters(which).insert(self.number, waker));
            if state.sink.is_closing {
                return Ok(None); // it is woken at the end of that
            }
            self.shared.ensure_armed(state, after, ONE, |latch| match which {
                Which::First => latch.has_fired(),
                Which::Further => latch.has_further(),
            })?;
            Ok(None)
        });
        match done.and_then(|done| done) {
            Ok(Some(found)) => Poll::Ready(Ok(found)),
            Err(error) => Poll::Ready(Err(error)),
            // What was read just now has closed the receiver when this is seen.
            Ok(None) => match self.shared.lock() {
                Ok(mut state) => {
                    take(&mut state).map_or(Poll::Pending, |found| Poll::Ready(Ok(found)))
                }
                Err(error) => Poll::Ready(Err(error)),
            },
        }
    }
}

impl<K: Kernel> State<Latch, K> {
    fn waiters(&mut self, which: Which) -> &mut BTreeMap<u64, Waker> {
        match which {
            Which::First => &mut self.sink.first_waiters,
            Which::Further => &mut self.sink.further_waiters,
        }
    }
}

impl<K: Kernel> Drop for Waiting<K> {
    fn drop(&mut self) {
        // In a forked child there is nothing to end.
        let _ = self.shared.with(|state, after| {
            after.woken.stale.extend(state.sink.first_waiters.remove(&self.number));
            after.woken.stale.extend(state.sink.further_waiters.remove(&self.number));
        });
    }
}
