//! `SignalHub`: one receiver, many subscribers.

mod queue;
mod registry;
mod subscriber;

use std::fmt;
use std::sync::Arc;

pub use self::queue::HubEvent;
use self::registry::Registry;
pub use self::subscriber::Subscriber;
use super::shared::Shared;
use crate::{OpenError, SignalSet, Signals};

/// See [`SignalHub::QUEUE`].
const QUEUE: usize = 256;

/// One receiver whose signals any number of subscribers get: tasks of one runtime or of several,
/// and plain threads.
///
/// A signal has one receiver in a process; a hub is how several parts of a program receive the same
/// one. Each [`Subscriber`] has a set of its own and sees every signal of it that is sent after it
/// subscribed, and none from before.
///
/// # Who acts
///
/// The hub receives what its subscribers receive. The first subscriber of another signal widens the
/// receiver, the last one of a signal narrows it, the last one of all closes it, on whatever thread:
/// from then on the signal acts as it would have before the hub was opened. One that was received
/// but that no subscriber has read by then acts too: the process sends it to itself once more, with
/// its integer. What at least one subscriber has read counts as received.
///
/// What the hub was opened with is received from the start, and kept for subscribers to come; that
/// is what keeps it from killing the program meanwhile. It reaches none of them though, for it was
/// sent before they subscribed, and it acts in the end: so subscribe where the hub is opened, and
/// hand the subscribers on. When the last clone of the hub has gone, nobody can subscribe any more,
/// and what has no subscriber acts again.
///
/// # Slow subscribers
///
/// Nobody waits for a slow or stuck subscriber, and what it leaves unread stays small: standard
/// signals merge into the latest one ([`HubEvent::merged`]), real-time signals queue up to
/// [`QUEUE`](Self::QUEUE), and how many came after that is told ([`HubEvent::dropped`]). Different
/// signals are received in the order in which they arrived.
///
/// # Who reads
///
/// Whoever waits, for all: a runtime in which a subscriber waits reads when the kernel wakes it,
/// and so does one of the plain threads that wait. There is no thread on the side, and nothing to
/// keep running: a runtime that is shut down, blocked or not driven holds up nobody. While nobody
/// has waited since, signals stay in the kernel's queue. A signal costs each runtime with
/// subscribers one wake-up, and then as much as it has subscribers.
///
/// # Platform notes
///
/// Linux and Android: open the hub in `main`, before any thread exists, with all the signals that
/// there will ever be subscribers for: threads inherit the block. Widening it later needs threads
/// that block the signal already. A signal whose last subscriber goes on the thread that opened the
/// hub is unblocked there, and another thread can't subscribe to it again then; keep a subscriber
/// for as long as others come and go. Inside `#[tokio::main]` the workers exist already, and
/// opening fails with [`OpenError::UnblockedThreads`].
///
/// macOS and the BSDs: none of this applies. Real-time signals have no integer there.
///
/// # Examples
///
/// ```no_run
/// use signal_source::Signal;
/// use signal_source::tokio::SignalHub;
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let hub = SignalHub::new([Signal::HUP, Signal::TERM])?;
///     let mut reload = hub.subscribe(Signal::HUP)?;
///     let mut stop = hub.subscribe(Signal::TERM)?;
///     let mut log = hub.subscribe([Signal::HUP, Signal::TERM])?;
///     std::thread::spawn(move || {
///         while let Ok(event) = log.recv_blocking() {
///             println!("{event}");
///         }
///     });
///     tokio::runtime::Runtime::new()?.block_on(async {
///         tokio::spawn(async move {
///             while reload.recv().await.is_ok() {
///                 println!("Reloading configuration");
///             }
///         });
///         stop.recv().await?;
///         Ok(())
///     })
/// }
/// ```
#[doc(alias = "broadcast")]
#[doc(alias = "fan-out")]
pub struct SignalHub {
    shared: Arc<Shared<Registry>>,
}

impl SignalHub {
    /// How many real-time signals, of all numbers together, a subscriber may leave unread before
    /// more are dropped.
    pub const QUEUE: usize = QUEUE;

    /// Opens a receiver for what subscribers are going to receive (`signalfd(2)`; `kqueue(2)`).
    /// Needs no runtime.
    ///
    /// # Errors
    ///
    /// As [`Signals::new`].
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::Signal;
    /// use signal_source::tokio::SignalHub;
    ///
    /// let hub = SignalHub::new([Signal::HUP, Signal::TERM])?; // in main, before the runtime
    /// let reload = hub.subscribe(Signal::HUP)?;
    /// # drop(reload);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(set: impl Into<SignalSet>) -> Result<SignalHub, OpenError> {
        Ok(SignalHub::from(Signals::new(set)?))
    }

    /// What the receiver receives now: nothing after the last subscriber has gone.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::Signal;
    /// use signal_source::tokio::SignalHub;
    ///
    /// let hub = SignalHub::new(Signal::HUP)?;
    /// let subscriber = hub.subscribe([Signal::HUP, Signal::TERM])?;
    /// assert_eq!(hub.set(), [Signal::HUP, Signal::TERM].into());
    /// drop(subscriber);
    /// assert!(hub.set().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set(&self) -> SignalSet {
        self.shared.with(|state| state.signals.as_ref().map_or(SignalSet::EMPTY, Signals::set))
    }

    /// A new subscriber. It sees what is sent from now on; what is pending is for those who were
    /// there before.
    ///
    /// Subscribing to signals that are not received yet widens the receiver, or opens it again.
    ///
    /// # Errors
    ///
    /// As [`Signals::new`], for the signals that are not received yet; [`OpenError::Empty`]. Nothing
    /// has been changed then.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::tokio::SignalHub;
    /// use signal_source::{Signal, send};
    ///
    /// let hub = SignalHub::new(Signal::HUP)?;
    /// let mut early = hub.subscribe(Signal::HUP)?;
    /// send::kill(std::process::id(), Signal::HUP)?;
    /// let mut late = hub.subscribe(Signal::HUP)?;
    /// assert!(early.try_recv()?.is_some());
    /// assert!(late.try_recv()?.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn subscribe(&self, set: impl Into<SignalSet>) -> Result<Subscriber, OpenError> {
        Subscriber::new(&self.shared, set.into())
    }
}

impl From<Signals> for SignalHub {
    /// Shares a receiver. What is pending already is unread: see [`SignalHub`].
    fn from(signals: Signals) -> SignalHub {
        let registry = Registry::new(signals.set());
        SignalHub { shared: Arc::new(Shared::new(Some(signals), registry)) }
    }
}

impl Clone for SignalHub {
    /// The same hub.
    fn clone(&self) -> SignalHub {
        self.shared.with(|state| state.add_hub());
        SignalHub { shared: self.shared.clone() }
    }
}

impl Drop for SignalHub {
    fn drop(&mut self) {
        self.shared.with(|state| state.remove_hub());
    }
}

impl fmt::Debug for SignalHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignalHub").field("set", &self.set()).finish_non_exhaustive()
    }
}
