//! The names and shapes of `tokio::signal`, over one [`SignalHub`] of the process:
//! a program moves over by changing its `use` lines and reserving its signals.
//!
//! ```no_run,standalone_crate
//! use signal_source::tokio::compat::unix::{SignalKind, signal}; // was: tokio::signal::unix
//!
//! signal_source::reserve_at_start!(HUP, TERM); // new: at module level
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let mut hangup = signal(SignalKind::hangup())?;
//!     let mut terminate = signal(SignalKind::terminate())?;
//!     loop {
//!         tokio::select! {
//!             _ = hangup.recv() => println!("Reloading configuration"),
//!             _ = terminate.recv() => return Ok(()),
//!         }
//!     }
//! }
//! ```
//!
//! # What differs from `tokio::signal`
//!
//! - **Dropping.** There, the first listener of a signal changes it for the life of the process.
//!   Here, when the last one of a signal is dropped, the signal acts as before: a Ctrl-C after
//!   [`ctrl_c`] has returned kills, and so does one between two calls of it. A program that counts
//!   several keeps one [`signal(SignalKind::interrupt())`](unix::signal).
//! - **Unread.** A signal that came and that no listener was told, since the last one was dropped
//!   first, acts. There it is swallowed.
//! - **Reserving.** On Linux a signal can be listened to from threads that block it. So reserve it
//!   ([`reserve_at_start!`](crate::reserve_at_start)), or open a listener before any other thread
//!   exists; else [`unix::signal`] is an error that names the threads.
//! - **One owner.** A signal that another receiver of this crate has is an error, and one that
//!   `tokio::signal` has as well is told here, as long as there is a listener.
//! - **A runtime** is not needed: no call panics outside of one, and a listener goes on when the
//!   runtime that it was made in has ended.
//! - **Real-time signals** are told one by one, each with its turn.
//! - **Children** inherit the block, unless they are started with
//!   [`restore_signals`](crate::process::CommandExt::restore_signals).
//! - **`raise`** is directed at the calling thread, and no listener is told.
//! - **Which signals.** Those that can be received: not the faults, not `KILL` and `STOP`.
//!   On Linux `PIPE` is sent to the writing thread, and a listener is not told of it.

use std::io;

use super::SignalHub;
use crate::platform::PerProcess;

/// Of all listeners. A forked child has its own.
static HUB: PerProcess<SignalHub> = PerProcess::new();

/// Waits for the next `INT`: what `tokio::signal::ctrl_c` is.
///
/// Listens from the first poll until the future is dropped or has completed; before and after, `INT`
/// acts as if this crate were not there. For "stop at Ctrl-C or `TERM`" see
/// [`Shutdown`](super::Shutdown).
///
/// # Errors
///
/// As [`unix::signal`].
///
/// # Cancel safety
///
/// A dropped future has either told of a signal or not taken it: an `INT` that came meanwhile acts.
///
/// # Examples
///
/// ```no_run,standalone_crate
/// signal_source::reserve_at_start!(INT);
///
/// #[tokio::main]
/// async fn main() -> std::io::Result<()> {
///     signal_source::tokio::compat::ctrl_c().await?;
///     println!("cleaning up"); // another Ctrl-C kills
///     Ok(())
/// }
/// ```
pub async fn ctrl_c() -> io::Result<()> {
    unix::signal(unix::SignalKind::interrupt())?.subscriber.recv().await?;
    Ok(())
}

/// The names of `tokio::signal::unix`.
pub mod unix {
    use std::ffi::c_int;
    use std::io;
    use std::task::{Context, Poll};

    use super::HUB;
    use crate::Signal as Number;
    use crate::tokio::{SignalHub, Subscriber};

    /// A signal by its number: what `tokio::signal::unix::SignalKind` is. Constants have their own
    /// names in [`Signal`](crate::Signal).
    #[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
    pub struct SignalKind(c_int);

    /// `hangup = HUP` and so on, each in the words of tokio.
    macro_rules! kinds {
        ($($name:ident = $signal:ident),* $(,)?) => {$(
            #[doc = concat!("`SIG", stringify!($signal), "`: [`Signal::", stringify!($signal),
                "`](crate::Signal::", stringify!($signal), ").")]
            pub const fn $name() -> SignalKind {
                SignalKind(Number::$signal.as_raw())
            }
        )*};
    }

    impl SignalKind {
        /// Any number, a real-time signal's ([`Signal::rt`](crate::Signal::rt)) among them. Whether
        /// it can be received is [`signal`]'s to say.
        pub const fn from_raw(signum: c_int) -> SignalKind {
            SignalKind(signum)
        }

        /// The number.
        pub const fn as_raw_value(&self) -> c_int {
            self.0
        }

        kinds! {
            alarm = ALRM,
            child = CHLD,
            hangup = HUP,
            interrupt = INT,
            io = IO,
            pipe = PIPE,
            quit = QUIT,
            terminate = TERM,
            user_defined1 = USR1,
            user_defined2 = USR2,
            window_change = WINCH,
        }
    }

    impl From<c_int> for SignalKind {
        fn from(signum: c_int) -> SignalKind {
            SignalKind(signum)
        }
    }

    impl From<SignalKind> for c_int {
        fn from(kind: SignalKind) -> c_int {
            kind.0
        }
    }

    impl From<Number> for SignalKind {
        fn from(signal: Number) -> SignalKind {
            SignalKind(signal.as_raw())
        }
    }

    /// A listener: what `tokio::signal::unix::Signal` is, a [`Subscriber`] underneath.
    #[must_use = "a listener that is dropped at once receives nothing"]
    #[derive(Debug)]
    pub struct Signal {
        pub(super) subscriber: Subscriber,
    }

    /// Listens to a signal from now on: what `tokio::signal::unix::signal` is.
    ///
    /// # Errors
    ///
    /// A number that is no signal's or can't be received; a thread that does not block the signal;
    /// a signal that another receiver has ([`OpenError`](crate::OpenError)).
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use signal_source::tokio::compat::unix::{SignalKind, signal};
    ///
    /// signal_source::reserve_at_start!(USR1);
    ///
    /// #[tokio::main]
    /// async fn main() -> std::io::Result<()> {
    ///     let mut one = signal(SignalKind::user_defined1())?;
    ///     let mut other = signal(SignalKind::user_defined1())?;
    ///     signal_source::send::kill(std::process::id(), signal_source::Signal::USR1)?;
    ///     one.recv().await;
    ///     other.recv().await;
    ///     Ok(())
    /// }
    /// ```
    pub fn signal(kind: SignalKind) -> io::Result<Signal> {
        let number = Number::from_raw(kind.0).ok_or_else(|| {
            let message = format!("{} is not the number of a signal", kind.0);
            io::Error::new(io::ErrorKind::InvalidInput, message)
        })?;
        let subscriber = HUB.get(SignalHub::closed).subscribe(number)?;
        Ok(Signal { subscriber })
    }

    impl Signal {
        /// Waits for the next one. `None` where [`Subscriber::recv`] has an error: in a forked child,
        /// for a listener that it inherited, and where no thread can be started.
        ///
        /// # Cancel safety
        ///
        /// Cancel safe: a dropped future has taken nothing.
        ///
        /// # Examples
        ///
        /// ```no_run
        /// # async fn example() -> std::io::Result<()> {
        /// use signal_source::tokio::compat::unix::{SignalKind, signal};
        ///
        /// let mut hangup = signal(SignalKind::hangup())?;
        /// while hangup.recv().await.is_some() {
        ///     println!("Reloading configuration");
        /// }
        /// # Ok(()) }
        /// ```
        pub async fn recv(&mut self) -> Option<()> {
            self.subscriber.recv().await.ok().map(|_| ())
        }

        /// [`recv`](Self::recv) for hand-written futures: polls for the next one, and has the task
        /// woken if there is none.
        ///
        /// # Examples
        ///
        /// ```
        /// use signal_source::tokio::compat::unix::Signal;
        /// use std::task::{Context, Poll};
        ///
        /// fn poll(hangup: &mut Signal, cx: &mut Context<'_>) -> Poll<Option<()>> {
        ///     hangup.poll_recv(cx)
        /// }
        /// ```
        pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
            self.subscriber.poll_recv(cx).map(|told| told.ok().map(|_| ()))
        }
    }

    /// What `tokio_stream::wrappers::SignalStream` is of tokio's.
    #[cfg(feature = "stream")]
    #[cfg_attr(docsrs, doc(cfg(feature = "stream")))]
    impl futures_core::Stream for Signal {
        type Item = ();

        fn poll_next(self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
            self.get_mut().poll_recv(cx)
        }
    }
}
