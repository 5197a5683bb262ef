//! Options for opening a receiver.

use super::{Signals, receivable};
use crate::platform::Receiver;
use crate::{OpenError, SignalSet, reserve};

/// Options for opening a [`Signals`] receiver, made by [`Signals::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    audit: bool,
}

impl Builder {
    pub(super) fn new() -> Builder {
        Builder { audit: true }
    }

    /// Whether to check that every other thread blocks the signals; `true` unless told otherwise.
    ///
    /// Without the check it is the program's to know that they do. A signal that some thread lets
    /// in may bypass the receiver: it kills, or, ignored by default, vanishes without a trace. So
    /// where threads exist that do not block, turning it off is no way out, in tests under a harness
    /// with threads of its own neither: [reserve](crate::reserve_at_start!) the signals instead, and
    /// leave it on. Turn it off where `/proc` can't be read, or where opening among thousands of
    /// threads takes too long, in a program that knows its threads. On macOS and the BSDs no check is
    /// needed, and none is made.
    pub fn audit(mut self, audit: bool) -> Builder {
        self.audit = audit;
        self
    }

    /// Opens the receiver: see [`Signals::new`].
    ///
    /// # Errors
    ///
    /// As [`Signals::new`].
    pub fn open(&self, set: impl Into<SignalSet>) -> Result<Signals, OpenError> {
        let set = receivable(set.into())?;
        if let Some(error) = reserve::failed_at_start(set) {
            return Err(error);
        }
        let receiver = Receiver::open(set, self.audit)?;
        Ok(Signals { receiver, audit: self.audit })
    }
}
