//! mio-signals': `Signals::new` of a set, `receive`, and a mio source.

use std::io;

use mio::event::Source;
use mio::{Interest, Registry, Token};
use signal_source::{Signal, SignalSet};

pub struct Signals(signal_source::Signals);

impl Signals {
    pub fn new(set: SignalSet) -> io::Result<Signals> {
        Ok(Signals(signal_source::Signals::new(set)?))
    }

    pub fn receive(&mut self) -> io::Result<Option<Signal>> {
        Ok(self.0.try_recv()?.map(|info| info.signal()))
    }
}

/// mio-signals' `SignalSet::all`, as its tests have it.
pub fn all() -> SignalSet {
    SignalSet::from([Signal::INT, Signal::QUIT, Signal::TERM])
}

impl Source for Signals {
    fn register(&mut self, registry: &Registry, token: Token, on: Interest) -> io::Result<()> {
        self.0.register(registry, token, on)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, on: Interest) -> io::Result<()> {
        self.0.reregister(registry, token, on)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.0.deregister(registry)
    }
}
