//! `SignalHub`: one receiver, many subscribers.

mod class;
mod classes;
mod event;
mod log;
mod queue;
pub(super) mod receiver;
mod records;
pub(super) mod registry;
mod signal_state;
mod states;
mod subscriber;
pub(super) mod taken;
pub(super) mod turn;
pub(super) mod waiting;

use std::fmt;
use std::sync::Arc;

pub use self::event::HubEvent;
use self::receiver::Hub;
use self::registry::Registry;
pub use self::subscriber::Subscriber;
use super::kernel::System;
use super::source::Shared;
use crate::{OpenError, SignalSet, Signals};

/// See [`SignalHub::QUEUE`]. Less, where steps or interleavings are drawn at random: a full queue is one
/// of the states.
const QUEUE: usize = match (cfg!(test), cfg!(shuttle)) {
    (true, true) => 2,
    (true, false) => 4,
    _ => 256,
};

/// Broadcasts received signals: one receiver, and any number of subscribers, which are tasks of any
/// executor and plain threads.
///
/// A signal has one receiver in a process; a hub is how several parts of a program receive the same
/// one. Each [`Subscriber`] has a set of its own and sees every signal of it that is sent after it
/// subscribed, and none from before.
///
/// # What acts
///
/// The hub receives what its subscribers receive. The first subscriber of another signal widens the
/// receiver, the last one of a signal narrows it, the last one of all closes it, on whatever thread:
/// from then on the signal acts as it would have before the hub was opened. One that was read from
/// the kernel's queue but by no subscriber acts too: the process sends it to itself once more, with
/// its value (a real-time signal without one, with 0); as soon as the queue has room, on a thread of this
/// crate's if it has none at once. Who receives the signal again by then, receives it. What at least one
/// subscriber has read counts as received.
///
/// What the hub was opened with is received from the start, and kept for subscribers to come; that
/// is what keeps it from killing the program meanwhile. It stays in the kernel's queue, reaches none
/// of them, for it was sent before they subscribed, and acts in the end: so subscribe where the hub
/// is opened, and hand the subscribers on. When the last clone of the hub has gone, no part of the
/// program can subscribe any more, and what has no subscriber acts again.
///
/// # Slow subscribers
///
/// A slow or stuck subscriber costs the others nothing, and what it leaves unread stays small.
/// Standard signals merge into the latest one ([`HubEvent::merged`]). Real-time signals queue up to
/// [`QUEUE`](Self::QUEUE); what it misses after that is told ([`HubEvent::dropped`]). Different
/// signals are received in the order in which they were read.
///
/// # No signal is lost
///
/// Each record that is read from the kernel's queue goes to one subscriber's queue at least. A
/// real-time signal whose subscribers are all full is not read at all: it stays in the kernel's
/// queue until one of them has read on, and where that is full too, the *sender* is told. (Beyond
/// the bound are kept a batch that is being read at that moment, up to 64 records, and what a subscriber
/// has taken out already to return it next, up to 32.) So each
/// signal is in the end either received, by one subscriber or more, or acts. For each subscriber:
/// sent since it subscribed = received + merged + told as dropped + unread at its end; and what it
/// was told as dropped, another subscriber had in its queue.
///
/// # The reader thread
///
/// One thread of this crate's own reads for all hubs and [`Shutdown`](super::Shutdown)s of the process.
/// It is started when a subscriber waits for the first time. It reads a signal while some subscriber
/// whose set has it waits; while none does, the signal stays in the kernel's queue. Nothing is registered
/// with a runtime's reactor: a runtime that is shut down, blocked or not driven holds up no other, and
/// executors without a reactor (`futures::executor`), smol's and async-std's serve as well as tokio's.
/// Where subscribers wait in tasks of a tokio runtime, one more task there, of this crate's own, wakes
/// them together. The reader thread blocks every signal, so no handler runs there. It calls wakers, and a
/// waker that blocks would hold up every hub: an executor's does not.
///
/// # Forks
///
/// A forked child has no reader thread. What it inherits is closed for it: calls are errors that
/// say so, and dropping touches nothing of the parent's. The child may open hubs of its own.
///
/// # Platform notes
///
/// Linux and Android: open the hub in `main`, before any thread exists, with all the signals that
/// there will ever be subscribers for: threads inherit the block. Widening it later needs threads
/// that block the signal already. A signal whose last subscriber goes on the thread that opened the
/// hub is unblocked there, and another thread can't subscribe to it again then; keep a subscriber
/// for as long as others come and go. Inside `#[tokio::main]` the workers exist already, and
/// opening fails with [`OpenError::UnblockedThreads`]. For signals that were
/// [reserved](crate::reserve_at_start) all this is allowed, anywhere.
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
#[must_use = "a hub without subscribers receives nothing"]
pub struct SignalHub {
    shared: Arc<Hub<System>>,
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

    /// A hub that receives nothing before the first subscriber.
    pub(in crate::tokio) fn closed() -> SignalHub {
        let registry = Registry::new(SignalSet::EMPTY, true);
        SignalHub { shared: Arc::new(Shared::new(System, None, registry)) }
    }

    /// What the receiver receives now: nothing after the last subscriber has gone, nor in a forked
    /// child.
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
        let state = self.shared.lock();
        let receiver = state.as_ref().ok().and_then(|state| state.receiver.as_ref());
        receiver.map_or(SignalSet::EMPTY, Signals::set)
    }

    /// A new subscriber. It sees what is sent from now on; what is pending is for the subscribers that
    /// were there before, or for this one if the hub did not receive the signal yet. So that this takes
    /// no longer under a flood, 64 pending records are taken for sent before; of more than that, it may
    /// see the rest.
    ///
    /// Subscribing to signals that are not received yet widens the receiver, or opens it again. That
    /// may wait for other threads, as [`Signals::new`] does; no other call on this hub waits for it.
    /// Where another thread is about to give up the same signal for this hub, or to widen it by the
    /// same, it waits for that, for one second at most.
    ///
    /// # Errors
    ///
    /// As [`Signals::new`], for the signals that are not received yet; [`OpenError::Empty`]; in a
    /// forked child, for a hub that it inherited; [`OpenError::Os`] of the kind
    /// [`ResourceBusy`](std::io::ErrorKind::ResourceBusy), if another thread has been widening the hub by
    /// the same signals, or giving them up, for a second. Nothing has been changed then.
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
    /// Shares a receiver, which goes on as it was opened: without an audit, if it had none. What is
    /// pending already is unread: see [`SignalHub`].
    fn from(signals: Signals) -> SignalHub {
        let registry = Registry::new(signals.set(), signals.is_audited());
        let shared = Arc::new(Shared::new(System, Some(signals), registry));
        if let Ok(mut state) = shared.lock() {
            state.update_watch(&System);
        }
        SignalHub { shared }
    }
}

impl Clone for SignalHub {
    /// The same hub.
    fn clone(&self) -> SignalHub {
        receiver::add_hub(&self.shared);
        SignalHub { shared: self.shared.clone() }
    }
}

impl Drop for SignalHub {
    fn drop(&mut self) {
        receiver::remove_hub(&self.shared);
    }
}

impl fmt::Debug for SignalHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignalHub").field("set", &self.set()).finish_non_exhaustive()
    }
}
