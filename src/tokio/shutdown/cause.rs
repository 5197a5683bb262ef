//! `ShutdownCause`: what a shutdown tells.

use std::fmt;

use crate::{Signal, SignalInfo};

/// Why a [`Shutdown`](super::Shutdown) fired.
///
/// # Examples
///
/// ```
/// use signal_source::tokio::{Shutdown, ShutdownCause};
///
/// let shutdown = Shutdown::new()?;
/// shutdown.trigger();
/// assert!(matches!(shutdown.cause(), Some(ShutdownCause::Triggered)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ShutdownCause {
    /// A signal was received.
    Signal(SignalInfo),
    /// The program called [`Shutdown::trigger`](super::Shutdown::trigger).
    Triggered,
}

impl ShutdownCause {
    /// The signal, if it was one.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::tokio::Shutdown;
    /// use signal_source::{Signal, send};
    ///
    /// let shutdown = Shutdown::new()?;
    /// send::kill(std::process::id(), Signal::TERM)?;
    /// assert_eq!(shutdown.wait_blocking()?.signal(), Some(Signal::TERM));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn signal(&self) -> Option<Signal> {
        self.info().map(|info| info.signal())
    }

    /// The signal's record, if it was one.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::tokio::Shutdown;
    /// use signal_source::{Signal, send};
    ///
    /// let shutdown = Shutdown::new()?;
    /// send::kill(std::process::id(), Signal::TERM)?;
    /// if let Some(info) = shutdown.wait_blocking()?.info() {
    ///     println!("{info}"); // SIGTERM from process 4321 (uid 1000)
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn info(&self) -> Option<SignalInfo> {
        match self {
            ShutdownCause::Signal(info) => Some(*info),
            ShutdownCause::Triggered => None,
        }
    }
}

impl fmt::Display for ShutdownCause {
    /// `SIGTERM from process 4321 (uid 1000)`; `triggered by the program`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShutdownCause::Signal(info) => info.fmt(f),
            ShutdownCause::Triggered => f.write_str("triggered by the program"),
        }
    }
}
