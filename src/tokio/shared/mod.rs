//! One receiver that many wait for: whoever waits reads.
//!
//! No thread and no task reads on the side, so nothing has to be kept running, and records stay in
//! the kernel's queue until somebody waits. Those who wait read for each other:
//!
//! - Tasks: each runtime in which one waits has one registration of its own (`reader`). The
//!   runtime's driver calls it at an edge, and it reads right there.
//! - Plain threads: one of those that wait polls the descriptor, the others sleep; when it has what
//!   it waits for, it calls the next (`thread`).
//!
//! Whoever reads hands the records to the [`Sink`] under one lock, and wakes those they are for
//! after it. So a runtime that is stuck, not driven or gone holds up nobody else.
//!
//! An edge comes but once. Two things keep it from being lost: every reader reads until nothing is
//! left; and one that had to stop before, or can't read, says so (`drained`) and wakes all who wait,
//! and each of them reads before it waits again.

mod reader;
mod thread;

use std::collections::HashMap;
use std::io;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use ::tokio::runtime::{Handle, Id};

use self::reader::Reader;
pub(super) use self::reader::Seat;
use self::thread::Threads;
use crate::{SignalInfo, Signals, send};

/// How many deliveries one reader makes at a stretch, before it lets others have the lock.
const STRETCH: usize = 1 << 16;

/// Where the records go.
pub(super) trait Sink: Send + 'static {
    /// How many records may be read now.
    fn wants(&self) -> usize;

    /// Takes a record, moves the wakers of those it is for to `wakers` and tells how many it is
    /// for.
    fn put(&mut self, info: SignalInfo, wakers: &mut Vec<Waker>) -> usize;

    /// Whether it needs no more records, so that the receiver can go.
    fn is_done(&self) -> bool;

    /// Moves the wakers of all who wait to `wakers`.
    fn everybody(&mut self, wakers: &mut Vec<Waker>);
}

/// Sends this process a signal that was read but reached nobody, after the receiver has gone: it
/// acts as it would have then.
pub(super) fn send_again(info: SignalInfo) {
    let own = std::process::id();
    let queued = info.value().map(|value| send::sigqueue(own, info.signal(), value));
    if !matches!(queued, Some(Ok(()))) {
        // A process may signal itself; what fails with an integer may go without.
        let sent = send::kill(own, info.signal());
        debug_assert!(sent.is_ok(), "{} to oneself", info.signal());
    }
}

#[derive(Debug)]
pub(super) struct Shared<S: Sink> {
    state: Mutex<State<S>>,
    /// Nothing was left in the kernel's queue when it was last looked at, so the next signal is an
    /// edge. Written under the lock, after those who wait have left their wakers in the sink.
    drained: AtomicBool,
}

#[derive(Debug)]
pub(super) struct State<S: Sink> {
    pub(super) signals: Option<Signals>,
    pub(super) sink: S,
    /// To be woken after the lock is released: a waker may run anything.
    pub(super) wakers: Vec<Waker>,
    batch: Vec<SignalInfo>,
    readers: HashMap<Id, Arc<Reader<S>>>,
    /// Readers to be dropped after the lock is released.
    retired: Vec<Arc<Reader<S>>>,
    threads: Threads,
}

impl<S: Sink> Shared<S> {
    pub(super) fn new(signals: Option<Signals>, sink: S) -> Shared<S> {
        let state = State {
            signals,
            sink,
            wakers: Vec::new(),
            batch: Vec::new(),
            readers: HashMap::new(),
            retired: Vec::new(),
            threads: Threads::default(),
        };
        Shared { state: Mutex::new(state), drained: AtomicBool::new(false) }
    }

    fn lock(&self) -> MutexGuard<'_, State<S>> {
        // Nothing under the lock runs code of the program's; the state is plain data all the same.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `run` under the lock, then wakes whoever is to be woken.
    pub(super) fn with<T>(&self, run: impl FnOnce(&mut State<S>) -> T) -> T {
        let mut state = self.lock();
        let result = run(&mut state);
        let mut wakers = mem::take(&mut state.wakers);
        let retired = mem::take(&mut state.retired);
        drop(state);
        drop(retired);
        if wakers.is_empty() {
            return result;
        }
        wakers.drain(..).for_each(Waker::wake);
        let mut state = self.lock();
        if state.wakers.capacity() < wakers.capacity() {
            wakers.append(&mut state.wakers);
            state.wakers = wakers;
        }
        result
    }

    fn is_drained(&self) -> bool {
        self.drained.load(Ordering::SeqCst)
    }

    /// Reads what is pending. Tells whether nothing is left; if something may be, all who wait have
    /// been woken to read on.
    pub(super) fn read(&self) -> io::Result<bool> {
        self.with(|state| self.read_locked(state))
    }

    pub(super) fn read_locked(&self, state: &mut State<S>) -> io::Result<bool> {
        let drained = state.read();
        if !matches!(drained, Ok(true)) {
            self.rouse_locked(state);
        } else {
            self.drained.store(true, Ordering::SeqCst);
        }
        drained
    }

    /// Has all who wait look again.
    fn rouse(&self) {
        self.with(|state| self.rouse_locked(state));
    }

    fn rouse_locked(&self, state: &mut State<S>) {
        self.drained.store(false, Ordering::SeqCst);
        state.sink.everybody(&mut state.wakers);
    }

    /// For a task that has left its waker in the sink: sees to it that a signal to come wakes it,
    /// or that one that is there already has. Tells whether it has looked for one.
    ///
    /// `is_known`: the waker is the one that last took the seat. A tokio task stays in its runtime,
    /// so for the same task with the same waker the runtime need not be asked for.
    ///
    /// # Panics
    ///
    /// Outside a runtime, or in one without its I/O driver enabled.
    pub(super) fn attend(self: &Arc<Self>, seat: &mut Seat, is_known: bool) -> io::Result<bool> {
        let is_drained = self.is_drained();
        if is_drained && is_known && seat.is_armed_for_task() {
            return Ok(false);
        }
        let runtime = match Handle::try_current() {
            Ok(handle) => handle.id(),
            Err(_) if self.lock().signals.is_none() => return Ok(false),
            Err(_) => Handle::current().id(), // panics
        };
        if is_drained && seat.is_armed(runtime) {
            return Ok(false);
        }
        if !is_drained && !self.read()? {
            return Ok(true);
        }
        let Some(reader) = self.reader(runtime)? else { return Ok(true) };
        seat.take(&reader);
        if reader.is_armed() {
            return Ok(true);
        }
        let armed = reader.arm(self);
        if !reader.is_alive() {
            self.retire(&reader);
        }
        armed.map(|()| true)
    }

    /// The reader in the current runtime; none is needed once the receiver has gone.
    fn reader(self: &Arc<Self>, runtime: Id) -> io::Result<Option<Arc<Reader<S>>>> {
        let fd = {
            let state = self.lock();
            // The number of a runtime that has ended may be another's now.
            match state.readers.get(&runtime).filter(|reader| reader.is_alive()) {
                Some(reader) => return Ok(Some(reader.clone())),
                None => match &state.signals {
                    Some(signals) => reader::duplicate(signals)?,
                    None => return Ok(None),
                },
            }
        };
        let new = Reader::new(fd, self, runtime)?;
        Ok(self.with(|state| {
            state.signals.as_ref()?; // closed meanwhile
            let other = state.readers.get(&runtime).filter(|reader| reader.is_alive()).cloned();
            if other.is_none() {
                state.retired.extend(state.readers.insert(runtime, new.clone()));
            }
            Some(other.unwrap_or(new))
        }))
    }

    /// Drops a reader whose runtime has gone.
    fn retire(&self, reader: &Arc<Reader<S>>) {
        self.with(|state| {
            let runtime = reader.runtime();
            if state.readers.get(&runtime).is_some_and(|other| Arc::ptr_eq(other, reader)) {
                state.retired.extend(state.readers.remove(&runtime));
            }
            self.rouse_locked(state);
        });
    }
}

impl<S: Sink> State<S> {
    /// Reads until nothing is left (true), nobody wants more, or others should have a turn.
    fn read(&mut self) -> io::Result<bool> {
        let mut delivered = 0;
        loop {
            let Some(signals) = &self.signals else { return Ok(true) };
            let limit = self.sink.wants();
            if limit == 0 || delivered > STRETCH {
                return Ok(false);
            }
            if signals.try_recv_many(&mut self.batch, limit)? == 0 {
                return Ok(true);
            }
            for info in self.batch.drain(..) {
                delivered += 1 + self.sink.put(info, &mut self.wakers);
            }
            if self.sink.is_done() {
                self.close();
            }
        }
    }

    /// Drops the receiver: what is unread in the kernel's queue acts before this returns.
    pub(super) fn close(&mut self) {
        self.signals = None;
        self.retired.extend(mem::take(&mut self.readers).into_values());
        self.threads.forget_descriptor();
    }
}
