//! async-signal's: a stream over async-io that signals are added to and removed from.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_io::Async;
use futures_lite::Stream;
use signal_source::{Signal, SignalSet};

pub struct Signals(Async<signal_source::Signals>);

impl Signals {
    pub fn new(set: impl Into<SignalSet>) -> io::Result<Signals> {
        Ok(Signals(Async::new(signal_source::Signals::new(set)?)?))
    }

    pub fn add_signals(&mut self, set: impl Into<SignalSet>) -> io::Result<()> {
        let set = self.0.get_ref().set() | set.into();
        self.update(set)
    }

    pub fn remove_signals(&mut self, set: impl Into<SignalSet>) -> io::Result<()> {
        let set = self.0.get_ref().set() - set.into();
        self.update(set)
    }

    fn update(&mut self, set: SignalSet) -> io::Result<()> {
        Ok(self.0.get_ref().update(set)?)
    }
}

impl Stream for Signals {
    type Item = io::Result<Signal>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match self.0.get_ref().try_recv() {
                Ok(Some(info)) => return Poll::Ready(Some(Ok(info.signal()))),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
            if let Err(error) = ready!(self.0.poll_readable(cx)) {
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}
