//! The model of the kernel: pending signals, receivers, what acts, and a poller.

mod kernel;

use std::collections::BTreeMap;
use std::sync::Arc;

use shuttle::sync::{Condvar, Mutex, MutexGuard};

pub(super) use self::kernel::Model;
use self::kernel::ModelReceiver;
use crate::tokio::kernel::Kernel;
use crate::tokio::reader::Reader;
use crate::{Origin, Signal, SignalInfo, SignalSet};

/// One process.
pub(super) struct Machine {
    tells_changes: bool,
    state: Mutex<State>,
    changed: Condvar,
    reader: Mutex<Option<(Arc<Reader<Model>>, shuttle::thread::JoinHandle<()>)>>,
}

type Handler = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct State {
    claimed: SignalSet,
    pending: Vec<SignalInfo>,
    /// By number: the set, and what of it the descriptor yields.
    receivers: BTreeMap<u64, (SignalSet, SignalSet)>,
    last: u64,
    /// By the source's number.
    polled: BTreeMap<u64, Polled>,
    acted: Vec<SignalInfo>,
    read: Vec<Signal>,
    /// How many more are refused when they are sent again: the queue is full.
    refused: usize,
    /// What the program does when a signal acts.
    handler: Option<Handler>,
    is_stopped: bool,
}

/// What the poller knows of a source. It is level-triggered, but not told of a signal that the receiver
/// does not yield when it comes; of a change of what it yields only on [some](Machine::start) machines.
struct Polled {
    receiver: u64,
    is_armed: bool,
    /// It is to be looked at.
    is_noted: bool,
}

impl State {
    /// Something has happened to the receiver that may have made it readable.
    fn note(&mut self, receiver: u64) {
        let polled = self.polled.values_mut().filter(|polled| polled.receiver == receiver);
        polled.for_each(|polled| polled.is_noted = true);
    }

    /// Appends the numbers of those that are readable.
    fn name_readable(&mut self, ready: &mut Vec<u64>) {
        let mut polled = std::mem::take(&mut self.polled);
        for (&number, polled) in &mut polled {
            if polled.is_armed && polled.is_noted {
                polled.is_noted = self.is_readable(polled.receiver);
                ready.extend(polled.is_noted.then_some(number));
            }
        }
        self.polled = polled;
    }

    fn is_readable(&self, receiver: u64) -> bool {
        let Some((_, watched)) = self.receivers.get(&receiver) else { return false };
        self.pending.iter().any(|info| watched.contains(info.signal()))
    }

    /// Takes pending records of `set` out, the first `limit` of them.
    fn take(&mut self, set: SignalSet, batch: &mut Vec<SignalInfo>, limit: usize) -> usize {
        let before = batch.len();
        self.pending.retain(|info| {
            let is_read = batch.len() - before < limit && set.contains(info.signal());
            if is_read {
                batch.push(*info);
            }
            !is_read
        });
        self.read.extend(batch[before..].iter().map(SignalInfo::signal));
        batch.len() - before
    }
}

impl Machine {
    /// A machine whose poller tells of what a change of a receiver has made readable, as Linux' does, or
    /// does not, as gVisor's.
    pub(super) fn start(tells_changes: bool) -> Arc<Machine> {
        Arc::new(Machine {
            tells_changes,
            state: Mutex::new(State::default()),
            changed: Condvar::new(),
            reader: Mutex::new(None),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }

    fn tell_changed(&self, state: &mut State, receiver: u64) {
        if self.tells_changes {
            state.note(receiver);
        }
    }

    /// Runs when a signal acts, on the thread that lets it.
    pub(super) fn set_handler(&self, handler: impl Fn() + Send + Sync + 'static) {
        self.lock().handler = Some(Arc::new(handler));
    }

    /// Ends the reader thread; every receiver must be closed by then.
    pub(super) fn stop(&self) {
        self.lock().is_stopped = true;
        self.changed.notify_all();
        let reader = self.reader.lock().expect("no panic").take();
        if let Some((_, thread)) = reader {
            thread.join().expect("no panic");
        }
        let mut state = self.lock();
        state.handler = None;
        assert!(state.receivers.is_empty() && state.claimed.is_empty() && state.polled.is_empty());
        assert!(state.pending.is_empty());
    }

    pub(super) fn send(&self, signal: Signal, value: usize) {
        self.generate(SignalInfo::new(signal, 1, None, Origin::Unknown, value));
    }

    fn generate(&self, info: SignalInfo) {
        let signal = info.signal();
        let mut state = self.lock();
        if !state.claimed.contains(signal) {
            state.acted.push(info);
            let handler = state.handler.clone();
            drop(state);
            self.changed.notify_all();
            handler.iter().for_each(|handler| handler());
            return;
        }
        // Standard signals merge while they are pending.
        let is_pending = state.pending.iter().any(|other| other.signal() == signal);
        if signal.is_real_time() || !is_pending {
            state.pending.push(info);
            let State { receivers, polled, .. } = &mut *state;
            for polled in polled.values_mut() {
                polled.is_noted |= receivers[&polled.receiver].1.contains(signal);
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Ends the claims; what is pending acts.
    fn release(&self, set: SignalSet) {
        let mut state = self.lock();
        state.claimed -= set;
        let pending = std::mem::take(&mut state.pending);
        let acts;
        (acts, state.pending) = pending.into_iter().partition(|info| set.contains(info.signal()));
        let handler = state.handler.clone().filter(|_| !acts.is_empty());
        state.acted.extend(acts);
        drop(state);
        handler.iter().for_each(|handler| handler());
    }

    pub(super) fn is_claimed(&self, signal: Signal) -> bool {
        self.lock().claimed.contains(signal)
    }

    /// How many records of the signal have been read.
    pub(super) fn read(&self, signal: Signal) -> usize {
        self.lock().read.iter().filter(|&&read| read == signal).count()
    }

    /// A receiver of `set`, which none has yet.
    pub(super) fn open(self: &Arc<Machine>, set: SignalSet) -> ModelReceiver {
        let kernel = Model(self.clone());
        let acquired = kernel.acquire(set, true).expect("not claimed");
        kernel.open(acquired, true).unwrap_or_else(|_| panic!("opened"))
    }

    /// Has the next so many that are sent again be refused.
    pub(super) fn refuse(&self, count: usize) {
        self.lock().refused = count;
    }

    /// Waits until so many have acted.
    pub(super) fn wait_until_acted(&self, count: usize) {
        let mut state = self.lock();
        while state.acted.len() < count {
            state = self.changed.wait(state).expect("no panic");
        }
    }

    /// Waits until a receiver is about to take the signal.
    pub(super) fn wait_until_claimed(&self, signal: Signal) {
        let mut state = self.lock();
        while !state.claimed.contains(signal) {
            state = self.changed.wait(state).expect("no panic");
        }
    }

    /// Waits until the reader thread serves a waiter.
    pub(super) fn wait_until_armed(&self) {
        let mut state = self.lock();
        while state.polled.values().all(|polled| !polled.is_armed) {
            state = self.changed.wait(state).expect("no panic");
        }
    }

    /// The values of what has acted, in order.
    pub(super) fn acted(&self) -> Vec<usize> {
        let mut values: Vec<_> = self.lock().acted.iter().map(value).collect();
        values.sort_unstable();
        values
    }
}

pub(super) fn value(info: &SignalInfo) -> usize {
    // The model keeps it where a real-time signal's payload is.
    info.raw_value()
}
