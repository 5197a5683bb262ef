//! The model of the kernel: pending signals, receivers, what acts, and a poller.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use shuttle::sync::{Condvar, Mutex, MutexGuard};

use crate::tokio::kernel::Kernel;
use crate::tokio::reader::Reader;
use crate::tokio::waiters::Woken;
use crate::{OpenError, Origin, Signal, SignalInfo, SignalSet};

/// One process.
pub(super) struct Machine {
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
    /// By the source's number: the receiver's, and whether it is armed.
    polled: BTreeMap<u64, (u64, bool)>,
    acted: Vec<SignalInfo>,
    read: Vec<Signal>,
    /// How many more are refused when they are sent again: the queue is full.
    refused: usize,
    /// What the program does when a signal acts.
    handler: Option<Handler>,
    is_stopped: bool,
}

impl State {
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
    pub(super) fn start() -> Arc<Machine> {
        Arc::new(Machine {
            state: Mutex::new(State::default()),
            changed: Condvar::new(),
            reader: Mutex::new(None),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
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

/// A process' kernel.
#[derive(Clone)]
pub(super) struct Model(pub(super) Arc<Machine>);

pub(super) struct ModelReceiver {
    machine: Arc<Machine>,
    number: u64,
}

/// Claimed, and received by none yet.
pub(super) struct ModelAcquired {
    machine: Arc<Machine>,
    set: SignalSet,
}

impl ModelAcquired {
    fn take(&mut self) -> SignalSet {
        std::mem::take(&mut self.set)
    }
}

impl Drop for ModelAcquired {
    fn drop(&mut self) {
        if !self.set.is_empty() {
            self.machine.release(self.set);
        }
    }
}

pub(super) struct ModelRelease {
    machine: Arc<Machine>,
    set: SignalSet,
}

impl Drop for ModelRelease {
    fn drop(&mut self) {
        self.machine.release(self.set);
    }
}

impl Drop for ModelReceiver {
    fn drop(&mut self) {
        let removed = self.machine.lock().receivers.remove(&self.number);
        let (set, _) = removed.expect("a receiver is dropped once");
        self.machine.release(set);
    }
}

impl Kernel for Model {
    type Receiver = ModelReceiver;
    type Acquired = ModelAcquired;
    type Release = ModelRelease;

    fn acquire(&self, set: SignalSet, _is_audited: bool) -> Result<ModelAcquired, OpenError> {
        let mut state = self.0.lock();
        let taken = state.claimed & set;
        if !taken.is_empty() {
            return Err(OpenError::AlreadyReceived(taken));
        }
        state.claimed |= set;
        drop(state);
        // As long as it takes: a handler of the program may be awaited.
        shuttle::thread::yield_now();
        Ok(ModelAcquired { machine: self.0.clone(), set })
    }

    fn open(
        &self,
        mut acquired: ModelAcquired,
        _is_audited: bool,
    ) -> Result<ModelReceiver, (OpenError, ModelAcquired)> {
        let mut state = self.0.lock();
        let set = acquired.take();
        state.last += 1;
        let number = state.last;
        state.receivers.insert(number, (set, set));
        Ok(ModelReceiver { machine: self.0.clone(), number })
    }

    fn widen(
        &self,
        receiver: &ModelReceiver,
        mut acquired: ModelAcquired,
    ) -> Result<(), (OpenError, ModelAcquired)> {
        let mut state = self.0.lock();
        let (earlier, _) = state.receivers[&receiver.number];
        let set = earlier | acquired.take();
        state.receivers.insert(receiver.number, (set, set));
        drop(state);
        self.0.changed.notify_all();
        Ok(())
    }

    fn set(&self, receiver: &ModelReceiver) -> SignalSet {
        self.0.lock().receivers[&receiver.number].0
    }

    fn narrow(&self, receiver: &ModelReceiver, set: SignalSet) -> Result<ModelRelease, OpenError> {
        let mut state = self.0.lock();
        let (earlier, _) = state.receivers[&receiver.number];
        assert!((set - earlier).is_empty(), "only what was acquired is added");
        state.receivers.insert(receiver.number, (set, set));
        drop(state);
        self.0.changed.notify_all();
        Ok(ModelRelease { machine: self.0.clone(), set: earlier - set })
    }

    fn watch(&self, receiver: &ModelReceiver, set: SignalSet) -> io::Result<()> {
        let mut state = self.0.lock();
        let (received, _) = state.receivers[&receiver.number];
        state.receivers.insert(receiver.number, (received, set & received));
        drop(state);
        self.0.changed.notify_all();
        Ok(())
    }

    fn read(
        &self,
        receiver: &ModelReceiver,
        batch: &mut Vec<SignalInfo>,
        limit: usize,
    ) -> io::Result<usize> {
        let mut state = self.0.lock();
        let (_, watched) = state.receivers[&receiver.number];
        Ok(state.take(watched, batch, limit))
    }

    fn read_of(
        &self,
        receiver: &ModelReceiver,
        set: SignalSet,
        batch: &mut Vec<SignalInfo>,
        limit: usize,
    ) -> io::Result<Option<usize>> {
        let mut state = self.0.lock();
        let (received, _) = state.receivers[&receiver.number];
        Ok(Some(state.take(set & received, batch, limit)))
    }

    fn send_again(&self, info: SignalInfo) -> bool {
        let mut state = self.0.lock();
        if let Some(refused) = state.refused.checked_sub(1) {
            state.refused = refused;
            return false;
        }
        drop(state);
        self.0.generate(info);
        true
    }

    fn wait_for_room(&self) {
        shuttle::thread::yield_now();
    }

    fn reader(&self) -> io::Result<Arc<Reader<Model>>> {
        let mut started = self.0.reader.lock().expect("no panic");
        if let Some((reader, _)) = &*started {
            return Ok(reader.clone());
        }
        let reader = Arc::new(Reader::new(self.clone()));
        let run = reader.clone();
        let thread = shuttle::thread::spawn(move || {
            let (mut ready, mut woken) = (Vec::new(), Woken::default());
            while run.turn(&mut ready, &mut woken).is_ok() {}
        });
        *started = Some((reader.clone(), thread));
        Ok(reader)
    }

    fn run_aside(&self, run: Box<dyn FnOnce() + Send>) {
        shuttle::thread::spawn(run);
    }

    fn add(&self, receiver: &ModelReceiver, number: u64) -> io::Result<()> {
        self.0.lock().polled.insert(number, (receiver.number, false));
        Ok(())
    }

    fn arm(&self, receiver: &ModelReceiver, number: u64, armed: bool) -> io::Result<()> {
        self.0.lock().polled.insert(number, (receiver.number, armed));
        self.0.changed.notify_all();
        Ok(())
    }

    fn remove(&self, receiver: &ModelReceiver) {
        self.0.lock().polled.retain(|_, (polled, _)| *polled != receiver.number);
    }

    fn wait(&self, ready: &mut Vec<u64>) -> io::Result<()> {
        let mut state = self.0.lock();
        loop {
            if state.is_stopped {
                return Err(io::Error::other("the end"));
            }
            let readable = state.polled.iter().filter(|(_, (_, armed))| *armed);
            let readable = readable.filter(|(_, (receiver, _))| state.is_readable(*receiver));
            ready.extend(readable.map(|(&number, _)| number));
            if !ready.is_empty() {
                return Ok(());
            }
            state = self.0.changed.wait(state).expect("no panic");
        }
    }

    fn generation(&self) -> u64 {
        1
    }
}
