//! `Subscriber`: one of those who get a hub's signals.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use ::tokio::task::coop;

use super::queue::{Entry, HubEvent, Slot};
use super::registry::Registry;
use crate::tokio::shared::{Seat, Shared};
use crate::{OpenError, SignalSet};

/// Gets every signal of its set that is sent after it subscribed: [`SignalHub::subscribe`].
///
/// It may move between threads, tasks and runtimes, and waits wherever it is: async with
/// [`recv`](Self::recv), or blocking a plain thread with [`recv_blocking`](Self::recv_blocking).
/// Dropping it, anywhere, ends its part; what that does to a signal that nobody else gets is told
/// at [`SignalHub`].
///
/// [`SignalHub`]: super::SignalHub
/// [`SignalHub::subscribe`]: super::SignalHub::subscribe
///
/// # Examples
///
/// ```
/// use signal_source::tokio::SignalHub;
/// use signal_source::{Signal, Signals, send};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let hub = SignalHub::from(Signals::builder().audit(false).open(Signal::USR1)?);
/// let mut one = hub.subscribe(Signal::USR1)?;
/// let mut other = hub.subscribe(Signal::USR1)?;
/// send::kill(std::process::id(), Signal::USR1)?;
/// assert_eq!(one.recv_blocking()?.signal(), Signal::USR1);
/// assert_eq!(other.recv_blocking()?.signal(), Signal::USR1);
/// # Ok(()) }
/// ```
pub struct Subscriber {
    shared: Arc<Shared<Registry>>,
    slot: Arc<Slot>,
    id: u64,
    set: SignalSet,
    seat: Seat,
    /// The task whose waker is in the slot.
    waker: Option<Waker>,
}

impl Subscriber {
    pub(super) fn new(
        shared: &Arc<Shared<Registry>>,
        set: SignalSet,
    ) -> Result<Subscriber, OpenError> {
        if set.is_empty() {
            return Err(OpenError::Empty);
        }
        let slot = Arc::new(Slot::default());
        let id = shared.with(|state| state.add_subscriber(shared, &slot, set))?;
        Ok(Subscriber { shared: shared.clone(), slot, id, set, seat: Seat::new(), waker: None })
    }

    /// What it receives.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::Signal;
    /// use signal_source::tokio::SignalHub;
    ///
    /// let subscriber = SignalHub::new(Signal::HUP)?.subscribe(Signal::HUP)?;
    /// assert_eq!(subscriber.set(), Signal::HUP.into());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set(&self) -> SignalSet {
        self.set
    }

    /// Changes the set, all or nothing. Of what is added it sees what is sent from now on; what is
    /// removed ends as if by a drop, for what it has not read yet too. The rest is not touched.
    ///
    /// # Errors
    ///
    /// As [`SignalHub::subscribe`](super::SignalHub::subscribe); nothing has been changed then.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::tokio::SignalHub;
    /// use signal_source::{Signal, send};
    ///
    /// let mut subscriber = SignalHub::new(Signal::HUP)?.subscribe(Signal::HUP)?;
    /// subscriber.update([Signal::HUP, Signal::USR1])?;
    /// send::kill(std::process::id(), Signal::USR1)?;
    /// assert_eq!(subscriber.recv_blocking()?.signal(), Signal::USR1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn update(&mut self, set: impl Into<SignalSet>) -> Result<(), OpenError> {
        let set = set.into();
        if set.is_empty() {
            return Err(OpenError::Empty);
        }
        let (id, before, slot) = (self.id, self.set, &self.slot);
        self.shared.with(|state| {
            state.join(&self.shared, id, slot, set - before)?;
            state.leave(id, slot, before - set);
            Ok::<(), OpenError>(())
        })?;
        self.set = set;
        Ok(())
    }

    /// The next signal, without waiting; `None` if nothing is unread.
    ///
    /// # Errors
    ///
    /// What `read(2)` or `kevent(2)` reports; none is known to happen.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::tokio::SignalHub;
    /// use signal_source::{Signal, send};
    ///
    /// let mut subscriber = SignalHub::new(Signal::HUP)?.subscribe(Signal::HUP)?;
    /// assert!(subscriber.try_recv()?.is_none());
    /// send::kill(std::process::id(), Signal::HUP)?;
    /// assert!(subscriber.try_recv()?.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_recv(&mut self) -> io::Result<Option<HubEvent>> {
        if let Some(entry) = self.slot.pop() {
            return Ok(Some(entry.sign()));
        }
        self.shared.read()?;
        Ok(self.slot.pop().map(Entry::sign))
    }

    /// The next signal.
    ///
    /// # Errors
    ///
    /// If the runtime that this task runs in has been shut down, or registering with it fails: no
    /// descriptor left, say. Nothing is lost; others are not affected.
    ///
    /// # Panics
    ///
    /// Outside a runtime, or in one without its I/O driver enabled, as tokio's own types do.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a signal leaves the subscriber's queue only when the future completes with it.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(mut subscriber: signal_source::tokio::Subscriber) -> std::io::Result<()> {
    /// loop {
    ///     println!("{}", subscriber.recv().await?);
    /// }
    /// # }
    /// ```
    pub async fn recv(&mut self) -> io::Result<HubEvent> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// [`recv`](Self::recv) for hand-written futures: polls for the next signal, and has the task
    /// woken if there is none. Only the task that polled last is woken.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Panics
    ///
    /// As [`recv`](Self::recv).
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<HubEvent>> {
        let coop = ready!(coop::poll_proceed(cx));
        let is_known = self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        let mut found = Poll::Pending;
        if !(is_known && self.slot.is_quiet()) {
            found = self.slot.poll(cx);
            if !is_known {
                self.waker = Some(cx.waker().clone());
            }
        }
        if found.is_pending() {
            // The waker is where a record finds it. What comes from now on wakes the task.
            if self.shared.attend(&mut self.seat, is_known)? {
                found = self.slot.pop().map_or(Poll::Pending, Poll::Ready);
            }
        }
        found.map(|entry| {
            coop.made_progress();
            Ok(entry.sign())
        })
    }

    /// The next signal; blocks the calling thread until there is one (`poll(2)`). Not for tasks:
    /// it would block their runtime.
    ///
    /// # Errors
    ///
    /// What the system reports: no descriptor left to wait with, say.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::tokio::SignalHub;
    /// use signal_source::{Signal, send};
    ///
    /// let mut subscriber = SignalHub::new(Signal::HUP)?.subscribe(Signal::HUP)?;
    /// send::kill(std::process::id(), Signal::HUP)?;
    /// assert_eq!(subscriber.recv_blocking()?.signal(), Signal::HUP);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recv_blocking(&mut self) -> io::Result<HubEvent> {
        loop {
            if let Some(event) = self.recv_until(None)? {
                return Ok(event);
            }
        }
    }

    /// The next signal, or `None` if none comes within `timeout`; blocks the calling thread
    /// (`poll(2)`).
    ///
    /// The time is monotonic. A zero timeout looks once; one that is too long to count waits for
    /// ever.
    ///
    /// # Errors
    ///
    /// As [`recv_blocking`](Self::recv_blocking).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use signal_source::Signal;
    /// use signal_source::tokio::SignalHub;
    ///
    /// let mut subscriber = SignalHub::new(Signal::HUP)?.subscribe(Signal::HUP)?;
    /// assert!(subscriber.recv_timeout(Duration::from_millis(1))?.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recv_timeout(&mut self, timeout: Duration) -> io::Result<Option<HubEvent>> {
        self.recv_until(Instant::now().checked_add(timeout))
    }

    fn recv_until(&mut self, deadline: Option<Instant>) -> io::Result<Option<HubEvent>> {
        self.waker = None;
        let found = self.shared.block_on(deadline, |cx| self.slot.poll(cx))?;
        Ok(found.map(Entry::sign))
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.shared.with(|state| state.remove_subscriber(self.id, &self.slot, self.set));
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber").field("set", &self.set).finish_non_exhaustive()
    }
}

#[cfg(feature = "stream")]
#[cfg_attr(docsrs, doc(cfg(feature = "stream")))]
impl futures_core::Stream for Subscriber {
    type Item = io::Result<HubEvent>;

    /// As [`poll_recv`](Subscriber::poll_recv); the stream never ends.
    fn poll_next(self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_recv(cx).map(Some)
    }
}
