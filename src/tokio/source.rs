//! One receiver with many waiters: what a hub and a shutdown have in common.
//!
//! The reader thread reads for the waiters ([`reader`](super::reader)); a call that asks without
//! waiting reads on its own thread. Both hand records to the [`Sink`] under one lock, and what must
//! happen without a lock is noted in an [`After`].

mod reading;

use std::io;
use std::mem;
use std::sync::{Arc, PoisonError, TryLockError};
use std::time::Instant;

use super::arming::Registration;
use super::kernel::Kernel;
use super::reader::Source;
use super::sync::{Condvar, Mutex, MutexGuard};
use super::waiters::Woken;
use crate::{SignalInfo, SignalSet};

/// Records of one `read(2)`. Few, where interleavings are drawn at random, so that some fill it.
pub(super) const BATCH: usize = if cfg!(shuttle) { 2 } else { 64 };

/// Where the records go.
pub(super) trait Sink: Send + 'static {
    /// How many records the reader thread may read now; 0 without a waiter.
    fn wants(&mut self) -> usize;

    /// Takes a record, and moves the waiters that it is for to `woken`.
    fn put(&mut self, info: SignalInfo, woken: &mut Woken);

    /// What the descriptor should yield from now on, if that has changed.
    fn watch(&mut self) -> Option<SignalSet> {
        None
    }

    /// Whether it needs no more records: the receiver is to be closed, and then
    /// [`closed`](Self::closed) called.
    fn is_done(&self) -> bool {
        false
    }

    /// The receiver has been closed after the sink was done.
    fn closed(&mut self, _woken: &mut Woken) {}

    /// Moves all waiters to `woken`: they are to look again.
    fn all(&mut self, woken: &mut Woken);
}

/// What is to happen after the lock has been released, in this order.
pub(super) struct After<K: Kernel> {
    pub(super) woken: Woken,
    /// A receiver to be dropped: what is unread in the kernel's queue acts then.
    pub(super) receiver: Option<K::Receiver>,
    /// Signals that were taken out of the receiver.
    pub(super) release: Option<K::Release>,
    /// Signals that were read but by no subscriber, to be sent again.
    pub(super) unread: Vec<SignalInfo>,
    /// What `receiver` and `release` give up.
    pub(super) releasing: SignalSet,
    /// What no receiver has taken: it is given back.
    pub(super) acquired: Option<K::Acquired>,
}

impl<K: Kernel> After<K> {
    fn new() -> After<K> {
        After {
            woken: Woken::default(),
            receiver: None,
            release: None,
            unread: Vec::new(),
            releasing: SignalSet::EMPTY,
            acquired: None,
        }
    }
}

pub(super) struct Shared<S: Sink, K: Kernel> {
    kernel: K,
    /// Of the process that made it. A forked child has no reader thread, and a thread that it does
    /// not have may hold the lock: it never waits for one of these.
    generation: u64,
    /// Held while waiting for `state` by a thread that found it locked, and always by the reader
    /// thread. So the reader thread, which under a flood locks again at once, can't overtake a thread
    /// that waits.
    turnstile: Mutex<()>,
    state: Mutex<State<S, K>>,
    /// Tells that a release, a closing or an acquisition has come to its end.
    ended: Condvar,
}

pub(super) struct State<S: Sink, K: Kernel> {
    pub(super) receiver: Option<K::Receiver>,
    pub(super) sink: S,
    /// With the reader thread.
    pub(super) registration: Option<Registration<K>>,
    batch: Vec<SignalInfo>,
    /// What was given up and may still be claimed.
    pub(super) releasing: SignalSet,
    /// What a thread is about to acquire, without the lock.
    pub(super) acquiring: SignalSet,
}

/// What is run under the lock.
type Change<'a, S, K> = &'a mut dyn FnMut(&mut State<S, K>, &mut After<K>);

impl<S: Sink, K: Kernel> Shared<S, K> {
    pub(super) fn new(kernel: K, receiver: Option<K::Receiver>, sink: S) -> Shared<S, K> {
        let state = State {
            receiver,
            sink,
            registration: None,
            batch: Vec::new(),
            releasing: SignalSet::EMPTY,
            acquiring: SignalSet::EMPTY,
        };
        Shared {
            generation: kernel.generation(),
            kernel,
            turnstile: Mutex::new(()),
            state: Mutex::new(state),
            ended: Condvar::new(),
        }
    }

    pub(super) fn kernel(&self) -> &K {
        &self.kernel
    }

    /// Whether this is a forked child's copy.
    #[inline]
    pub(super) fn is_inherited(&self) -> bool {
        self.generation != self.kernel.generation()
    }

    #[inline]
    fn check_owner(&self) -> io::Result<()> {
        if self.is_inherited() {
            return Err(io::Error::other(
                "this belongs to the process that forked, and its reader thread is not inherited: \
                 open a hub or a shutdown in this process",
            ));
        }
        Ok(())
    }

    /// The state, for a short look: no waker may be cloned or dropped under it.
    #[inline]
    pub(super) fn lock(&self) -> io::Result<MutexGuard<'_, State<S, K>>> {
        self.check_owner()?;
        // Nothing under the lock runs code of the program; the state is plain data all the same.
        match self.state.try_lock() {
            Ok(state) => Ok(state),
            Err(TryLockError::Poisoned(state)) => Ok(state.into_inner()),
            Err(TryLockError::WouldBlock) => Ok(self.lock_in_turn()),
        }
    }

    fn lock_in_turn(&self) -> MutexGuard<'_, State<S, K>> {
        let turn = self.turnstile.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        drop(turn);
        state
    }

    /// Runs `run` under the lock, and then what it noted to be done without.
    pub(super) fn with<T>(
        self: &Arc<Self>,
        run: impl FnOnce(&mut State<S, K>, &mut After<K>) -> T,
    ) -> io::Result<T> {
        let (mut run, mut result) = (Some(run), None);
        self.with_any(&mut |state, after| result = run.take().map(|run| run(state, after)))?;
        Ok(result.expect("it was run once"))
    }

    /// As [`with`](Self::with), compiled once for all that is run.
    fn with_any(self: &Arc<Self>, run: Change<'_, S, K>) -> io::Result<()> {
        let mut after = After::new();
        let mut state = self.lock()?;
        run(&mut state, &mut after);
        state.releasing |= after.releasing;
        drop(state);
        self.finish(after);
        Ok(())
    }

    fn finish(self: &Arc<Self>, mut after: After<K>) {
        after.woken.wake_all();
        // Handlers of the program may run here.
        drop(after.release);
        drop(after.acquired);
        let is_closed = after.receiver.is_some();
        drop(after.receiver);
        self.send_again(after.unread);
        if is_closed || !after.releasing.is_empty() {
            let mut state = self.lock_in_turn();
            state.releasing -= after.releasing;
            if state.sink.is_done() {
                state.sink.closed(&mut after.woken);
            }
            drop(state);
            self.ended.notify_all();
            after.woken.wake_all();
        }
    }

    /// Has act what was read but by nobody. What the kernel's queue has no room for waits on a thread of
    /// its own: there may be none for as long as a handler of the program runs.
    fn send_again(self: &Arc<Self>, unread: Vec<SignalInfo>) {
        let mut unread = unread.into_iter();
        let refused = unread.find(|info| !self.kernel.send_again(*info));
        if let Some(refused) = refused {
            let shared = self.clone();
            self.kernel.run_aside(Box::new(move || {
                for info in std::iter::once(refused).chain(unread) {
                    while !shared.kernel.send_again(info) {
                        shared.kernel.wait_for_room();
                    }
                }
            }));
        }
    }

    /// Tells the threads that wait for it that an acquisition has come to its end.
    pub(super) fn tell_ended(&self) {
        self.ended.notify_all();
    }

    /// Waits until `ended` holds, at most until the deadline: until a release, a closing or an
    /// acquisition of another thread has come to its end. Returns whether it has.
    pub(super) fn wait_until(
        &self,
        deadline: Instant,
        ended: impl Fn(&State<S, K>) -> bool,
    ) -> io::Result<bool> {
        let mut state = self.lock()?;
        while !ended(&state) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(false);
            }
            let waited = self.ended.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(true)
    }

    /// In a forked child, at the end of a handle: closes the child's descriptor, unless another
    /// thread held the lock at the fork. Everything else is left behind as it is: wakers and queues
    /// belong to tasks that this process does not have. The other handles are closed anyway.
    pub(super) fn abandon(self: &Arc<Self>) {
        mem::forget(self.clone());
        let receiver = self.state.try_lock().ok().and_then(|mut state| state.receiver.take());
        drop(receiver);
    }
}

impl<S: Sink, K: Kernel> Source for Shared<S, K> {
    fn ready(self: Arc<Self>, woken: &mut Woken) {
        let mut after = After::new();
        after.woken = mem::take(woken);
        let mut state = self.lock_in_turn();
        let limit = state.sink.wants();
        state.update_watch(&self.kernel);
        match limit {
            0 => {
                let disarmed = state.disarm();
                debug_assert!(disarmed.is_ok(), "{disarmed:?}");
            }
            limit => {
                if state.read(&self.kernel, limit, &mut after).is_err() {
                    // The waiters read on their own threads, and are told the error there.
                    let _ = state.disarm();
                    state.sink.all(&mut after.woken);
                }
            }
        }
        state.releasing |= after.releasing;
        drop(state);
        after.woken.wake_all();
        *woken = mem::take(&mut after.woken);
        if after.receiver.is_some() {
            // Dropping it may wait for a handler of the program: not on this thread.
            let shared = self.clone();
            self.kernel.run_aside(Box::new(move || shared.finish(after)));
        }
    }
}
