//! The latch of a shutdown: the first signal, kept for all its waiters.

mod waiting;

use std::io;
use std::mem;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

pub(in crate::tokio) use self::waiting::Waiting;

use super::ShutdownCause;
use crate::SignalInfo;
use crate::tokio::kernel::Kernel;
use crate::tokio::slab::Slab;
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
    /// By their numbers.
    waiters: Slab<Waiter>,
    clones: usize,
}

/// What a waiter waits for, while it does.
type Waiter = Option<(Which, Waker)>;

/// Which signal is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    First,
    Further,
}

impl Sink for Latch {
    fn wants(&mut self) -> usize {
        let wanted = match self.cause {
            None => self.is_waited_for(Which::First),
            Some(_) => self.keeps && self.further.is_none() && self.is_waited_for(Which::Further),
        };
        if wanted { ONE } else { 0 }
    }

    fn put(&mut self, info: SignalInfo, woken: &mut Woken) {
        if self.cause.is_none() {
            self.fire(ShutdownCause::Signal(info), woken);
        } else {
            self.further = Some(info);
            self.wake(Which::Further, woken);
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
        self.wake(Which::First, woken);
        self.wake(Which::Further, woken);
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
            waiters: Slab::default(),
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

    fn is_waited_for(&mut self, which: Which) -> bool {
        let is_such = |waiter: &Waiter| matches!(waiter, Some((such, _)) if *such == which);
        self.waiters.iter_mut().any(|(_, waiter)| is_such(waiter))
    }

    /// Moves the waiters for such a signal to `woken`.
    fn wake(&mut self, which: Which, woken: &mut Woken) {
        for (_, waiter) in self.waiters.iter_mut() {
            let taken = waiter.take_if(|(such, _)| *such == which);
            woken.wakers.extend(taken.map(|(_, waker)| waker));
        }
    }

    fn set_waiter(&mut self, number: usize, waiter: Waiter) -> Option<Waker> {
        mem::replace(&mut self.waiters[number], waiter).map(|(_, waker)| waker)
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
