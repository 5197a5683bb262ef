//! `Subscriber`: one consumer of a hub's signals.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use ::tokio::task::coop;

use super::event::HubEvent;
use super::receiver::{self, Hub};
use super::taken::Taken;
use super::turn::Registration;
use super::waiting::Waiting;
use crate::tokio::blocking::block_on;
use crate::tokio::kernel::System;

use crate::{OpenError, SignalSet};

/// A subscription to a [`SignalHub`]: receives every signal of its set that is sent after it was made,
/// by [`SignalHub::subscribe`].
///
/// It may move between threads, tasks and executors, and waits wherever it is: async with
/// [`recv`](Self::recv), or blocking a plain thread with [`recv_blocking`](Self::recv_blocking).
/// Dropping it, anywhere, ends its part; what that does to a signal that no other subscriber gets is
/// told at [`SignalHub`].
///
/// [`SignalHub`]: super::SignalHub
/// [`SignalHub::subscribe`]: super::SignalHub::subscribe
///
/// # Examples
///
/// ```
/// use signal_source::tokio::SignalHub;
/// use signal_source::{Signal, send};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let hub = SignalHub::new(Signal::USR1)?;
/// let mut one = hub.subscribe(Signal::USR1)?;
/// let mut other = hub.subscribe(Signal::USR1)?;
/// send::kill(std::process::id(), Signal::USR1)?;
/// assert_eq!(one.recv_blocking()?.signal(), Signal::USR1);
/// assert_eq!(other.recv_blocking()?.signal(), Signal::USR1);
/// # Ok(()) }
/// ```
#[must_use = "a subscriber that is dropped at once receives nothing"]
pub struct Subscriber {
    hub: Arc<Hub<System>>,
    number: usize,
    set: SignalSet,
    registration: Registration,
    taken: Taken,
}

impl Subscriber {
    pub(super) fn new(hub: &Arc<Hub<System>>, set: SignalSet) -> Result<Subscriber, OpenError> {
        if set.is_empty() {
            return Err(OpenError::Empty);
        }
        let number = receiver::subscribe(hub, set)?;
        Ok(Subscriber {
            hub: hub.clone(),
            number,
            set,
            registration: Registration::default(),
            taken: Taken::default(),
        })
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
    /// removed ends as if by a drop, for what it has not read yet too. The rest is not touched, and
    /// what it has missed is still told ([`HubEvent::dropped`]).
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
        receiver::update(&self.hub, self.number, self.set, set, &mut self.taken)?;
        self.registration.forget_turn();
        self.set = set;
        Ok(())
    }

    /// The next signal, without waiting; `None` if nothing is unread. Looks into the kernel's queue
    /// itself, once, if it has none yet.
    ///
    /// # Errors
    ///
    /// What `read(2)` or `kevent(2)` reports, none of which is known to happen; in a forked child,
    /// for a subscriber that it inherited.
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
        Waiting::new(&self.hub, self.number, &mut self.registration, &mut self.taken).try_recv()
    }

    /// The next signal. Works in any executor: it needs no reactor.
    ///
    /// Inside tokio it costs a unit of the task's cooperative budget, so that a flood of signals does
    /// not starve other tasks.
    ///
    /// # Errors
    ///
    /// If the reader thread can't be started, or has no descriptor for its work: nothing is lost,
    /// and a later call may succeed. In a forked child, for a subscriber that it inherited.
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
        // Dropped with the future: then the subscriber does not wait any more.
        let mut waiting =
            Waiting::new(&self.hub, self.number, &mut self.registration, &mut self.taken);
        poll_fn(|cx| poll(&mut waiting, cx)).await
    }

    /// [`recv`](Self::recv) for hand-written futures: polls for the next signal, and has the task
    /// woken if there is none. Only the task that polled last is woken, and the subscriber waits
    /// until it is.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<HubEvent>> {
        let mut waiting =
            Waiting::new(&self.hub, self.number, &mut self.registration, &mut self.taken);
        let polled = poll(&mut waiting, cx);
        waiting.keep_waiting();
        polled
    }

    /// The next signal; blocks the calling thread until there is one. Not for tasks: it would block
    /// their runtime.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
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

    /// The next signal, or `None` if none comes within `timeout`; blocks the calling thread.
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
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return self.try_recv();
        }
        self.registration.set_task(None);
        let mut waiting =
            Waiting::new(&self.hub, self.number, &mut self.registration, &mut self.taken);
        match block_on(deadline, |cx| waiting.poll(cx.waker())) {
            Some(event) => event.map(Some),
            None => waiting.try_recv(),
        }
    }
}

/// Polls in a task: under its budget, if it is one of tokio's.
fn poll(waiting: &mut Waiting<'_, System>, cx: &mut Context<'_>) -> Poll<io::Result<HubEvent>> {
    let coop = ready!(coop::poll_proceed(cx));
    let event = waiting.poll_task(cx.waker());
    if event.is_ready() {
        coop.made_progress();
    }
    event
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        receiver::unsubscribe(&self.hub, self.number, self.set, &mut self.taken);
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
