//! The model as the hub and the shutdown see it: their [`Kernel`].

use std::io;
use std::sync::Arc;

use super::{Machine, Polled};
use crate::tokio::kernel::Kernel;
use crate::tokio::reader::Reader;
use crate::tokio::waiters::Woken;
use crate::{OpenError, SignalInfo, SignalSet};

/// A process' kernel.
#[derive(Clone)]
pub(in crate::tokio::model) struct Model(pub(in crate::tokio::model) Arc<Machine>);

pub(in crate::tokio::model) struct ModelReceiver {
    machine: Arc<Machine>,
    number: u64,
}

/// Claimed, and received by none yet.
pub(in crate::tokio::model) struct ModelAcquired {
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

pub(in crate::tokio::model) struct ModelRelease {
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
        self.0.changed.notify_all();
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
        self.0.tell_changed(&mut state, receiver.number);
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
        self.0.tell_changed(&mut state, receiver.number);
        drop(state);
        self.0.changed.notify_all();
        Ok(ModelRelease { machine: self.0.clone(), set: earlier - set })
    }

    fn watch(&self, receiver: &ModelReceiver, set: SignalSet) -> io::Result<()> {
        let mut state = self.0.lock();
        let (received, _) = state.receivers[&receiver.number];
        state.receivers.insert(receiver.number, (received, set & received));
        self.0.tell_changed(&mut state, receiver.number);
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
        let receiver = receiver.number;
        self.0.lock().polled.insert(number, Polled { receiver, is_armed: false, is_noted: false });
        Ok(())
    }

    fn arm(&self, receiver: &ModelReceiver, number: u64, is_armed: bool) -> io::Result<()> {
        let receiver = receiver.number;
        self.0.lock().polled.insert(number, Polled { receiver, is_armed, is_noted: true });
        self.0.changed.notify_all();
        Ok(())
    }

    fn remove(&self, receiver: &ModelReceiver) {
        self.0.lock().polled.retain(|_, polled| polled.receiver != receiver.number);
    }

    fn wait(&self, ready: &mut Vec<u64>) -> io::Result<()> {
        let mut state = self.0.lock();
        loop {
            if state.is_stopped {
                return Err(io::Error::other("the end"));
            }
            state.name_readable(ready);
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
