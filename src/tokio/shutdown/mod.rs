//! `Shutdown`: the signal to stop, told to every task and thread that asks.

mod builder;
mod cause;
mod latch;

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::builder::ShutdownBuilder;
pub use self::cause::ShutdownCause;
pub(super) use self::latch::{Latch, Latched, Waiting};
use super::blocking::block_on;
use super::kernel::System;
use crate::platform;
use crate::{OpenError, SignalInfo, SignalSet};

/// Tells a program when to stop: on `INT` or `TERM`, or the first of a given set.
///
/// Open it in `main` before the runtime is built; it needs none. Clones share it: each task of any
/// executor and each plain thread that waits, now or later, is told the same [`ShutdownCause`],
/// with the signal's record: who sent it, and whether that
/// [is verified](crate::SignalInfo::is_verified).
///
/// # After it has fired
///
/// The receiver is closed before the cause is told, so a second Ctrl-C kills as it always did, and
/// so does a different signal of the set that was pending with the first. To report further signals
/// instead, open it with [`keep_receiving`](ShutdownBuilder::keep_receiving).
///
/// Where a task or thread waited, a short-lived thread of this crate (`signal-closer`) closes the
/// receiver, so that it does not depend on the waiters: a second Ctrl-C kills a program that is stuck,
/// too. Where one asked or triggered, its own thread closes.
///
/// # Before it fires
///
/// A signal is read only for a task or thread that waits or asks; until then it stays in the kernel's
/// queue. When the last clone is dropped, everything is as it was before, and a signal that no clone
/// told acts: it kills, its earlier handler runs.
///
/// The process' reader thread, which also serves [`SignalHub`](super::SignalHub), reads for the
/// waiters. Nothing is registered with a runtime: one that is shut down, blocked or not driven
/// holds up no other, and an executor needs no reactor. A forked child has no such thread: what it
/// inherits is closed for it, and it may open a shutdown of its own.
///
/// # Signals that are ignored
///
/// `INT` and `HUP` that are ignored when it is opened stay ignored: the program was started so
/// (`nohup`, a shell's background job). So `kill -INT` to a background job of a script does nothing, by
/// design, and `kill -TERM` ends it. [`set`](Self::set) is what is left. If that is nothing, only
/// [`trigger`](Self::trigger) fires it.
///
/// # Platform notes
///
/// Linux and Android: opening blocks the signals in the calling thread, and every other thread must
/// block them already. Inside `#[tokio::main]` the workers exist already, and opening fails with
/// [`OpenError::UnblockedThreads`], unless the signals were
/// [reserved](crate::reserve_at_start).
///
/// # Examples
///
/// ```no_run
/// use signal_source::process;
/// use signal_source::tokio::{Shutdown, ShutdownCause};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     match run(Shutdown::new()?)?.signal() {
///         Some(signal) => process::exit_by(signal),
///         None => Ok(()),
///     }
/// }
///
/// #[tokio::main]
/// async fn run(shutdown: Shutdown) -> Result<ShutdownCause, Box<dyn std::error::Error>> {
///     let told = shutdown.clone();
///     let worker = tokio::spawn(async move {
///         tokio::select! {
///             _ = told.wait() => println!("worker: cleaning up"),
///             _ = std::future::pending::<()>() => {} // work
///         }
///     });
///     let cause = shutdown.wait().await?;
///     println!("stopping: {cause}"); // stopping: SIGTERM from process 4321 (uid 1000)
///     worker.await?;
///     Ok(cause)
/// }
/// ```
#[doc(alias = "ctrl_c")]
#[doc(alias = "graceful")]
#[must_use = "once its last clone is dropped, the signals act as before"]
pub struct Shutdown {
    shared: Arc<Latched<System>>,
    set: SignalSet,
}

impl Shutdown {
    /// Opens a receiver for `INT` and `TERM` (`signalfd(2)`; `kqueue(2)`).
    ///
    /// # Errors
    ///
    /// As [`Signals::new`](crate::Signals::new).
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::tokio::Shutdown;
    ///
    /// let shutdown = Shutdown::new()?; // in main, before the runtime
    /// assert!(!shutdown.is_triggered());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new() -> Result<Shutdown, OpenError> {
        Shutdown::builder().open()
    }

    /// Opens a receiver for another set than `INT` and `TERM`.
    ///
    /// # Errors
    ///
    /// As [`Signals::new`](crate::Signals::new).
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::Signal;
    /// use signal_source::tokio::Shutdown;
    ///
    /// let shutdown = Shutdown::on([Signal::TERM, Signal::HUP])?;
    /// assert!(shutdown.set().contains(Signal::TERM));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on(set: impl Into<SignalSet>) -> Result<Shutdown, OpenError> {
        Shutdown::builder().signals(set).open()
    }

    /// A [`ShutdownBuilder`]: other signals, further ones after the first, opening without the audit.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::Signal;
    /// use signal_source::tokio::Shutdown;
    ///
    /// let shutdown = Shutdown::builder().signals(Signal::TERM).keep_receiving(true).open()?;
    /// assert_eq!(shutdown.set(), Signal::TERM.into());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder() -> ShutdownBuilder {
        ShutdownBuilder::new()
    }

    /// The signals that fire it: those asked for, less the ones that stay ignored.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::Signal;
    /// use signal_source::tokio::Shutdown;
    ///
    /// let shutdown = Shutdown::on(Signal::TERM)?;
    /// assert_eq!(shutdown.set(), Signal::TERM.into());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set(&self) -> SignalSet {
        self.set
    }

    /// Waits until it fires; at once if it has.
    ///
    /// Works in any executor: it needs no reactor.
    ///
    /// # Errors
    ///
    /// If the reader thread can't be started, or has no descriptor for its work: nothing is lost,
    /// and a later call may succeed. In a forked child, for a shutdown that it inherited.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it fires for all that wait, now or later.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::tokio::Shutdown;
    ///
    /// let shutdown = Shutdown::new()?;
    /// tokio::runtime::Runtime::new()?.block_on(async {
    ///     let told = tokio::spawn({
    ///         let shutdown = shutdown.clone();
    ///         async move { shutdown.wait().await }
    ///     });
    ///     shutdown.trigger();
    ///     println!("{:?}", told.await??);
    ///     Ok::<(), Box<dyn std::error::Error>>(())
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn wait(&self) -> io::Result<ShutdownCause> {
        let waiting = Waiting::new(&self.shared)?;
        let cause = poll_fn(|cx| waiting.poll_first(cx)).await;
        self.settle();
        cause
    }

    /// Waits until it fires, as a future that owns a clone: for calls that take a future without a
    /// lifetime or an error, such as `with_graceful_shutdown` of axum, `shutdown_signal` of actix and
    /// `serve_with_shutdown` of tonic. [`cause`](Self::cause) tells why.
    ///
    /// Where waiting fails (see [`wait`](Self::wait)) it says so on standard error and waits
    /// for ever: a server does not stop for want of a descriptor.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`wait`](Self::wait).
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::tokio::Shutdown;
    ///
    /// let shutdown = Shutdown::new()?;
    /// # shutdown.trigger();
    /// tokio::runtime::Runtime::new()?.block_on(async {
    ///     let app = axum::Router::new();
    ///     let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    ///     axum::serve(listener, app).with_graceful_shutdown(shutdown.wait_owned()).await?;
    ///     println!("stopped: {:?}", shutdown.cause());
    ///     Ok::<(), std::io::Error>(())
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wait_owned(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let shutdown = self.clone();
        async move {
            if let Err(error) = shutdown.wait().await {
                eprintln!("waiting for a shutdown failed: {error}");
                std::future::pending::<()>().await;
            }
        }
    }

    /// The receiver may have been opened on this very thread and closed on another one: then this
    /// thread unblocks the signals now.
    fn settle(&self) {
        let _ = platform::current_mask();
    }

    /// Waits until it fires; at once if it has. Blocks the calling thread: not for tasks.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::tokio::Shutdown;
    ///
    /// let shutdown = Shutdown::new()?;
    /// let told = shutdown.clone();
    /// let thread = std::thread::spawn(move || told.wait_blocking());
    /// shutdown.trigger();
    /// let cause = thread.join().expect("no panic")?;
    /// assert_eq!(cause.to_string(), "triggered by the program");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wait_blocking(&self) -> io::Result<ShutdownCause> {
        loop {
            if let Some(cause) = self.wait_until(None)? {
                return Ok(cause);
            }
        }
    }

    /// As [`wait_blocking`](Self::wait_blocking), but `None` if it does not fire within `timeout`.
    ///
    /// The time is monotonic. A zero timeout looks once; one that is too long to count waits for
    /// ever.
    ///
    /// # Errors
    ///
    /// As [`wait_blocking`](Self::wait_blocking).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use signal_source::tokio::Shutdown;
    ///
    /// let shutdown = Shutdown::new()?;
    /// assert!(shutdown.wait_timeout(Duration::from_millis(1))?.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wait_timeout(&self, timeout: Duration) -> io::Result<Option<ShutdownCause>> {
        self.wait_until(Instant::now().checked_add(timeout))
    }

    fn wait_until(&self, deadline: Option<Instant>) -> io::Result<Option<ShutdownCause>> {
        let waiting = Waiting::new(&self.shared)?;
        let is_over = deadline.is_some_and(|deadline| deadline <= Instant::now());
        let cause = if is_over { None } else { block_on(deadline, |cx| waiting.poll_first(cx)) };
        drop(waiting);
        self.settle();
        match cause {
            Some(cause) => cause.map(Some),
            None => Ok(self.cause()),
        }
    }

    /// Whether it has fired. Until then this costs a system call (`read(2)`; `kevent(2)`): a signal
    /// may be pending.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::tokio::Shutdown;
    ///
    /// let shutdown = Shutdown::new()?;
    /// let clone = shutdown.clone();
    /// clone.trigger();
    /// assert!(shutdown.is_triggered());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_triggered(&self) -> bool {
        self.cause().is_some()
    }

    /// Why it has fired, if it has. Costs as much as [`is_triggered`](Self::is_triggered).
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::tokio::Shutdown;
    ///
    /// let shutdown = Shutdown::new()?;
    /// assert!(shutdown.cause().is_none());
    /// shutdown.trigger();
    /// assert_eq!(shutdown.cause().and_then(|cause| cause.signal()), None);
    /// assert!(shutdown.cause().is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cause(&self) -> Option<ShutdownCause> {
        self.shared.look()
    }

    /// Fires it, as the program's own decision; nothing if it has fired. A signal that is pending
    /// comes first.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::tokio::Shutdown;
    ///
    /// let shutdown = Shutdown::new()?;
    /// shutdown.trigger();
    /// shutdown.wait_blocking()?; // returns at once
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn trigger(&self) {
        self.shared.trigger();
    }

    /// Waits until it has fired, and then for a further signal; `None` if the receiver has been
    /// closed and there will be none, as always without
    /// [`keep_receiving`](ShutdownBuilder::keep_receiving).
    ///
    /// Each further signal goes to one of the tasks and threads that wait for it. While none waits it
    /// stays pending, and acts when the last clone is dropped.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a signal is taken only when the future completes with it.
    ///
    /// # Examples
    ///
    /// ```
    /// # async fn example(shutdown: signal_source::tokio::Shutdown) -> std::io::Result<()> {
    /// shutdown.wait().await?;
    /// while let Some(info) = shutdown.further().await? {
    ///     println!("still cleaning up; {info}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn further(&self) -> io::Result<Option<SignalInfo>> {
        self.wait().await?;
        let waiting = Waiting::new(&self.shared)?;
        poll_fn(|cx| waiting.poll_further(cx)).await
    }

    /// As [`further`](Self::further), but blocks the calling thread: not for tasks.
    ///
    /// # Errors
    ///
    /// As [`wait_blocking`](Self::wait_blocking).
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::tokio::Shutdown;
    /// use signal_source::{Signal, send};
    ///
    /// let shutdown = Shutdown::builder().signals(Signal::TERM).keep_receiving(true).open()?;
    /// send::kill(std::process::id(), Signal::TERM)?;
    /// shutdown.wait_blocking()?;
    /// send::kill(std::process::id(), Signal::TERM)?;
    /// let further = shutdown.further_blocking()?;
    /// assert_eq!(further.map(|info| info.signal()), Some(Signal::TERM));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn further_blocking(&self) -> io::Result<Option<SignalInfo>> {
        self.wait_blocking()?;
        let waiting = Waiting::new(&self.shared)?;
        block_on(None, |cx| waiting.poll_further(cx)).transpose().map(Option::flatten)
    }
}

impl Clone for Shutdown {
    /// The same shutdown.
    fn clone(&self) -> Shutdown {
        self.shared.add_clone();
        Shutdown { shared: self.shared.clone(), set: self.set }
    }
}

impl Drop for Shutdown {
    fn drop(&mut self) {
        self.shared.remove_clone();
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = self.shared.peek();
        f.debug_struct("Shutdown").field("signals", &self.set).field("cause", &cause).finish()
    }
}
