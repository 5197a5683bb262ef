//! A source's registration with the reader thread, which is armed while the thread serves waiters.

use std::io;
use std::sync::Arc;

use super::kernel::Kernel;
use super::reader::Reader;
use super::source::{After, Shared, Sink, State};

pub(super) struct Registration<K: Kernel> {
    reader: Arc<Reader<K>>,
    number: u64,
    is_armed: bool,
}

impl<K: Kernel> Registration<K> {
    fn arm(&mut self, receiver: &K::Receiver, is_armed: bool) -> io::Result<()> {
        self.reader.arm(receiver, self.number, is_armed)?;
        self.is_armed = is_armed;
        Ok(())
    }

    pub(super) fn remove(self, receiver: &K::Receiver) {
        self.reader.remove(receiver, self.number);
    }
}

impl<S: Sink, K: Kernel> Shared<S, K> {
    /// Makes sure that the reader thread serves a waiter, which the caller has noted under this very
    /// lock. If the source is disarmed, reads a batch here first, for then a signal is likely there;
    /// `is_found` tells whether that has brought what is waited for, and then nothing is armed.
    pub(super) fn ensure_armed(
        self: &Arc<Self>,
        state: &mut State<S, K>,
        after: &mut After<K>,
        limit: usize,
        is_found: impl FnOnce(&S) -> bool,
    ) -> io::Result<()> {
        if state.is_armed() {
            return Ok(());
        }
        state.read(self.kernel(), limit, after)?;
        let Some(receiver) = &state.receiver else { return Ok(()) };
        if is_found(&state.sink) {
            return Ok(());
        }
        let registration = match &mut state.registration {
            Some(registration) => registration,
            none => {
                let reader = self.kernel().reader()?;
                let number = reader.add(self.clone(), receiver)?;
                none.insert(Registration { reader, number, is_armed: false })
            }
        };
        registration.arm(receiver, true)
    }
}

impl<S: Sink, K: Kernel> State<S, K> {
    /// Whether the reader thread serves a waiter that is noted now.
    pub(super) fn is_armed(&self) -> bool {
        self.registration.as_ref().is_some_and(|registration| registration.is_armed)
    }

    /// After a change of what the descriptor yields: not every kernel tells of what was pending before it
    /// (gVisor does not), but each does when it is armed.
    pub(super) fn rearm(&mut self) {
        if let (Some(receiver), Some(registration)) = (&self.receiver, &mut self.registration) {
            if registration.is_armed {
                // It fails in no known way: it was armed before.
                let armed = registration.arm(receiver, true);
                debug_assert!(armed.is_ok(), "{armed:?}");
            }
        }
    }

    pub(super) fn disarm(&mut self) -> io::Result<()> {
        match (&self.receiver, &mut self.registration) {
            (Some(receiver), Some(registration)) => registration.arm(receiver, false),
            _ => Ok(()),
        }
    }
}
