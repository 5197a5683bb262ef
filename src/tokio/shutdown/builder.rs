//! `ShutdownBuilder`: which signals, and what comes after the first.

use std::sync::Arc;

use super::{Latch, Shutdown};
use crate::platform;
use crate::tokio::kernel::System;
use crate::tokio::source::Shared;
use crate::{Disposition, OpenError, Signal, SignalSet, Signals};

/// Options for opening a [`Shutdown`], made by [`Shutdown::builder`].
///
/// # Examples
///
/// ```no_run
/// use signal_source::Signal;
/// use signal_source::tokio::Shutdown;
///
/// # async fn clean_up() {}
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let shutdown = Shutdown::builder()
///         .signals([Signal::INT, Signal::TERM, Signal::HUP])
///         .keep_receiving(true)
///         .open()?;
///     run(shutdown)
/// }
///
/// #[tokio::main]
/// async fn run(shutdown: Shutdown) -> Result<(), Box<dyn std::error::Error>> {
///     println!("{}: cleaning up", shutdown.wait().await?);
///     tokio::select! {
///         () = clean_up() => println!("done"),
///         further = shutdown.further() => println!("{:?}: leaving at once", further?),
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ShutdownBuilder {
    set: SignalSet,
    keeps: bool,
    audit: bool,
}

impl ShutdownBuilder {
    pub(super) fn new() -> ShutdownBuilder {
        let set = SignalSet::from([Signal::INT, Signal::TERM]);
        ShutdownBuilder { set, keeps: false, audit: true }
    }

    /// The signals that fire it; `INT` and `TERM` unless told otherwise.
    pub fn signals(mut self, set: impl Into<SignalSet>) -> ShutdownBuilder {
        self.set = set.into();
        self
    }

    /// Whether to go on receiving after it has fired, so that a second Ctrl-C does not kill: see
    /// [`Shutdown::further`]. `false` unless told otherwise.
    pub fn keep_receiving(mut self, keep: bool) -> ShutdownBuilder {
        self.keeps = keep;
        self
    }

    /// Whether to check that every other thread blocks the signals: see
    /// [`Builder::audit`](crate::Builder::audit).
    pub fn audit(mut self, audit: bool) -> ShutdownBuilder {
        self.audit = audit;
        self
    }

    /// Opens it.
    ///
    /// # Errors
    ///
    /// As [`Signals::new`], for the signals that are not left ignored. Nothing has been changed
    /// then.
    pub fn open(&self) -> Result<Shutdown, OpenError> {
        if self.set.is_empty() {
            return Err(OpenError::Empty);
        }
        let set = self.set - left_ignored(self.set);
        let signals = if set.is_empty() {
            None
        } else {
            Some(Signals::builder().audit(self.audit).open(set)?)
        };
        Ok(Shutdown { shared: Arc::new(Shared::new(System, signals, Latch::new(self.keeps))), set })
    }
}

/// `INT` and `HUP`, if they were ignored when the program was started.
fn left_ignored(set: SignalSet) -> SignalSet {
    // On macOS and the BSDs a signal that another receiver has is ignored too.
    let own = platform::claimed();
    let ignored = |signal: &Signal| matches!(signal.disposition(), Ok(Disposition::Ignore));
    let mut candidates = SignalSet::from([Signal::INT, Signal::HUP]) & set;
    candidates -= own;
    candidates.iter().filter(ignored).collect()
}
