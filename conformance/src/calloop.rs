//! calloop's: an event source that signals are added to, removed from, and exchanged in.

use std::io;

use calloop::generic::Generic;
use calloop::{
    EventSource, Interest, Mode, Poll, PostAction, Readiness, Result, Token, TokenFactory,
};
use signal_source::{OpenError, SignalInfo, SignalSet};

pub struct Signals(Generic<signal_source::Signals>);

impl Signals {
    pub fn new(set: impl Into<SignalSet>) -> std::result::Result<Signals, OpenError> {
        let signals = signal_source::Signals::new(set)?;
        Ok(Signals(Generic::new(signals, Interest::READ, Mode::Level)))
    }

    pub fn add_signals(&mut self, set: impl Into<SignalSet>) -> std::result::Result<(), OpenError> {
        let set = self.0.get_ref().set() | set.into();
        self.set_signals(set)
    }

    pub fn remove_signals(
        &mut self,
        set: impl Into<SignalSet>,
    ) -> std::result::Result<(), OpenError> {
        let set = self.0.get_ref().set() - set.into();
        self.set_signals(set)
    }

    pub fn set_signals(&mut self, set: impl Into<SignalSet>) -> std::result::Result<(), OpenError> {
        self.0.get_ref().update(set)
    }
}

impl EventSource for Signals {
    type Event = SignalInfo;
    type Metadata = ();
    type Ret = ();
    type Error = io::Error;

    fn process_events<C: FnMut(SignalInfo, &mut ())>(
        &mut self,
        readiness: Readiness,
        token: Token,
        mut callback: C,
    ) -> io::Result<PostAction> {
        self.0.process_events(readiness, token, |_, signals| {
            while let Some(info) = signals.try_recv()? {
                callback(info, &mut ());
            }
            Ok(PostAction::Continue)
        })
    }

    fn register(&mut self, poll: &mut Poll, tokens: &mut TokenFactory) -> Result<()> {
        self.0.register(poll, tokens)
    }

    fn reregister(&mut self, poll: &mut Poll, tokens: &mut TokenFactory) -> Result<()> {
        self.0.reregister(poll, tokens)
    }

    fn unregister(&mut self, poll: &mut Poll) -> Result<()> {
        self.0.unregister(poll)
    }
}
