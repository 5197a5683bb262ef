//! signal-hook's iterator: `Signals` and its `Handle`, which adds signals and closes; and the
//! adapters for mio and tokio.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_lite::Stream;
use rustix::event::{PollFd, PollFlags, poll};
use signal_source::tokio::SignalStream;
use signal_source::{OpenError, Signal, SignalSet};

/// What receiver and handles share.
struct Shared {
    /// None while there is no signal.
    receiver: Mutex<Option<signal_source::Signals>>,
    closed: AtomicBool,
    /// Written to when something has changed that a thread waits for.
    wake: OwnedFd,
    woken: OwnedFd,
}

impl Shared {
    fn receiver(&self) -> MutexGuard<'_, Option<signal_source::Signals>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub struct Signals(Arc<Shared>);

#[derive(Clone)]
pub struct Handle(Arc<Shared>);

impl Signals {
    pub fn new(set: impl Into<SignalSet>) -> Result<Signals, OpenError> {
        let (woken, wake) = rustix::pipe::pipe().map_err(io::Error::from).map_err(OpenError::Os)?;
        let (receiver, closed) = (Mutex::new(None), AtomicBool::new(false));
        let signals = Signals(Arc::new(Shared { receiver, closed, wake, woken }));
        signals.add_signals(set.into())?;
        Ok(signals)
    }

    pub fn handle(&self) -> Handle {
        Handle(self.0.clone())
    }

    pub fn add_signal(&self, signal: Signal) -> Result<(), OpenError> {
        self.add_signals(signal.into())
    }

    fn add_signals(&self, set: SignalSet) -> Result<(), OpenError> {
        let mut receiver = self.0.receiver();
        match &mut *receiver {
            _ if set.is_empty() => Ok(()),
            Some(signals) => signals.update(signals.set() | set),
            none => {
                *none = Some(signal_source::Signals::new(set)?);
                Ok(())
            }
        }
    }

    /// What is there, without waiting; read when the iterator is asked.
    pub fn pending(&mut self) -> impl Iterator<Item = Signal> {
        let read = || {
            let receiver = self.0.receiver();
            let info = receiver.as_ref()?.try_recv().expect("a read that can't fail")?;
            Some(info.signal())
        };
        std::iter::from_fn(read)
    }

    /// What is there, after waiting until something is, or until it is closed.
    pub fn wait(&mut self) -> impl Iterator<Item = Signal> {
        if !self.handle().is_closed() {
            let receiver = self.0.receiver();
            let duplicate = receiver.as_ref().map(|signals| {
                std::os::fd::AsFd::as_fd(signals).try_clone_to_owned().expect("a descriptor")
            });
            drop(receiver);
            let mut waited = vec![PollFd::new(&self.0.woken, PollFlags::IN)];
            waited.extend(duplicate.as_ref().map(|signals| PollFd::new(signals, PollFlags::IN)));
            poll(&mut waited, None).expect("poll");
        }
        self.pending()
    }

    /// One after the other, until it is closed.
    pub fn forever(&mut self) -> impl Iterator<Item = Signal> {
        let next = move || {
            loop {
                if self.handle().is_closed() {
                    return None;
                }
                if let Some(signal) = self.wait().next() {
                    return Some(signal);
                }
            }
        };
        std::iter::from_fn(next)
    }
}

impl Handle {
    pub fn close(&self) {
        self.0.closed.store(true, Ordering::SeqCst);
        rustix::io::write(&self.0.wake, b".").expect("write");
    }

    pub fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::SeqCst)
    }
}

/// All that an iterator has.
pub fn all(signals: impl Iterator<Item = Signal>) -> BTreeSet<Signal> {
    signals.collect()
}

/// `signal_hook_mio`'s: a source, read by `pending`.
pub struct MioSignals(signal_source::Signals);

impl MioSignals {
    pub fn new(set: impl Into<SignalSet>) -> Result<MioSignals, OpenError> {
        signal_source::Signals::new(set).map(MioSignals)
    }

    pub fn pending(&mut self) -> impl Iterator<Item = Signal> {
        std::iter::from_fn(|| self.0.try_recv().expect("a read that can't fail"))
            .map(|info| info.signal())
    }
}

impl mio::event::Source for MioSignals {
    fn register(
        &mut self,
        registry: &mio::Registry,
        token: mio::Token,
        interests: mio::Interest,
    ) -> io::Result<()> {
        self.0.register(registry, token, interests)
    }

    fn reregister(
        &mut self,
        registry: &mio::Registry,
        token: mio::Token,
        interests: mio::Interest,
    ) -> io::Result<()> {
        self.0.reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &mio::Registry) -> io::Result<()> {
        self.0.deregister(registry)
    }
}

/// `signal_hook_tokio`'s: a stream that ends when it is closed.
pub struct TokioSignals {
    stream: SignalStream,
    closing: TokioHandle,
}

#[derive(Clone, Default)]
pub struct TokioHandle(Arc<Mutex<(bool, Option<Waker>)>>);

impl TokioHandle {
    pub fn close(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = true;
        let waker = state.1.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }
}

impl TokioSignals {
    pub fn new(set: impl Into<SignalSet>) -> Result<TokioSignals, OpenError> {
        Ok(TokioSignals { stream: SignalStream::new(set)?, closing: TokioHandle::default() })
    }

    pub fn handle(&self) -> TokioHandle {
        self.closing.clone()
    }
}

impl Stream for TokioSignals {
    type Item = Signal;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Signal>> {
        let mut state = self.closing.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0 {
            return Poll::Ready(None);
        }
        state.1 = Some(cx.waker().clone());
        drop(state);
        self.stream.poll_recv(cx).map(|info| info.ok().map(|info| info.signal()))
    }
}
