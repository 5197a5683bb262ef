//! Coming from `tokio::signal`, signal-hook, ctrlc, mio-signals, calloop or AnyIO: programs side by
//! side, and what changes in meaning.
//!
//! | from | to |
//! |---|---|
//! | [`tokio::signal`](tokio_signal) | [`compat`](crate::tokio::compat), by its `use` lines; or [`SignalStream`](crate::tokio::SignalStream), [`Shutdown`](crate::tokio::Shutdown), [`SignalHub`](crate::tokio::SignalHub) |
//! | [signal-hook](signal_hook) and its adapters | [`Signals`](crate::Signals), features `mio` and `tokio` |
//! | [ctrlc] | [`Signals`](crate::Signals) in a thread of its own |
//! | [mio-signals](mio_signals) | [`Signals`](crate::Signals), feature `mio` |
//! | [calloop] | [`Signals`](crate::Signals) as a descriptor |
//! | [AnyIO](anyio), Trio, asyncio | [`SignalStream`](crate::tokio::SignalStream) |
//!
//! Five things are the same on every page. They follow from the kernel's queue, which takes the
//! place of a handler:
//!
//! - **Threads.** A handler is the process', and may be installed at any time. Here (on Linux) every
//!   thread has to block the signals, so the receiver is opened in `main` before any other thread
//!   exists; or they are [reserved](crate::reserve_at_start), and it is opened anywhere: inside
//!   `#[tokio::main]`, in tests, in a library. [`OpenError`](crate::OpenError) names the threads that
//!   came too early.
//! - **The end.** Most crates never put the default back: once asked for, Ctrl-C is theirs for good.
//!   Here everything is as before when the receiver is dropped, and what was left unread acts. Keep
//!   it as long as you want the signals; drop it to have Ctrl-C kill again.
//! - **Children.** exec resets handlers, but a child inherits blocked and ignored signals: start
//!   children with [`restore_signals`](crate::process::CommandExt::restore_signals).
//! - **`raise`** is directed at the calling thread. A handler sees it; a receiver in another thread
//!   does not. Tests send with [`send::kill`](crate::send::kill) to their own pid. A program that means
//!   to end itself by `raise(SIGTERM)` goes on while the signal is received or reserved: it stays
//!   pending for that thread, which blocks it. [`process::exit_by`](crate::process::exit_by) ends it.
//! - **Ignored at the start.** A shell without job control starts background jobs with `INT` and
//!   `QUIT` ignored, and `nohup` ignores `HUP`, so that these do not end the program.
//!   [`tokio::Shutdown`](crate::tokio::Shutdown) leaves `INT` and `HUP` ignored then: `kill -INT` to
//!   a background job of a script does nothing, by design, and `kill -TERM` ends it. Crates that
//!   install handlers take them all the same, and so does a plain [`Signals`](crate::Signals).
//!
//! What is said of several crates in one process was tried on Linux, with tokio 1.54, signal-hook
//! 0.4.6, ctrlc 3.5.2, mio-signals 0.3.0 and calloop 0.14.5.

#[doc = include_str!("tokio_signal.md")]
pub mod tokio_signal {}

#[doc = include_str!("signal_hook.md")]
pub mod signal_hook {}

#[doc = include_str!("ctrlc.md")]
pub mod ctrlc {}

#[doc = include_str!("mio_signals.md")]
pub mod mio_signals {}

#[doc = include_str!("calloop.md")]
pub mod calloop {}

#[doc = include_str!("anyio.md")]
pub mod anyio {}
