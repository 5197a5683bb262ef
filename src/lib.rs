//! Operating-system signals as ordinary events, straight from the kernel's own queue.
//!
//! [`Signals`] is an owned file descriptor that is readable while a signal is pending: a mio
//! `Source`, a tokio stream ([`tokio::SignalStream`]), a blocking receiver and a descriptor for an
//! event loop of one's own. No signal handler is ever installed, so no line of code runs in
//! handler context, and no call of the program is interrupted with `EINTR`.
//!
//! | facility | systems |
//! |---|---|
//! | [`signalfd(2)`] | Linux, Android |
//! | [`kqueue(2)`], `EVFILT_SIGNAL` | macOS, iOS, tvOS, watchOS, visionOS, FreeBSD, NetBSD, OpenBSD, DragonFly BSD |
//!
//! Signals are named as the constants of [`Signal`] are: `TERM` is `SIGTERM`.
//!
//! [`signalfd(2)`]: https://man7.org/linux/man-pages/man2/signalfd.2.html
//! [`kqueue(2)`]: https://man.freebsd.org/cgi/man.cgi?query=kqueue&sektion=2
//!
//! # First steps
//!
//! What changes least in a tokio program that exists: the async `main` becomes `run`, and a `main` of
//! three lines opens the receiver and hands it in, before `#[tokio::main]` starts the runtime's
//! threads. (tokio's macro takes arguments on any function but `main`.)
//!
#![cfg_attr(feature = "tokio", doc = "```no_run")]
#![cfg_attr(not(feature = "tokio"), doc = "```ignore")]
//! use signal_source::{Signal, Signals, tokio::SignalStream};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     run(Signals::new([Signal::TERM, Signal::HUP])?)
//! }
//!
//! #[tokio::main]
//! async fn run(signals: Signals) -> Result<(), Box<dyn std::error::Error>> {
//!     let mut signals = SignalStream::try_from(signals)?;
//!     loop {
//!         let info = signals.recv().await?;
//!         println!("{info}"); // SIGHUP from process 4321 (uid 1000)
//!         match info.signal() {
//!             Signal::HUP => println!("Reloading configuration"),
//!             _ => return Ok(()),
//!         }
//!     }
//! }
//! ```
//!
//! Where `main` has to stay a macro's, or receivers are opened later, on any thread, one line beside it
//! reserves the signals before it runs:
//!
#![cfg_attr(feature = "tokio", doc = "```no_run,standalone_crate")]
#![cfg_attr(not(feature = "tokio"), doc = "```ignore")]
//! use signal_source::{Signal, tokio::SignalStream};
//!
//! signal_source::reserve_at_start!(TERM, HUP);
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let mut signals = SignalStream::new([Signal::TERM, Signal::HUP])?;
//!     println!("{}", signals.recv().await?);
//!     Ok(())
//! }
//! ```
//!
//! With a runtime that is built by hand: open the receiver, then build, then
//! `SignalStream::try_from` inside ([`tokio`]). Without one, in `main` or in a thread:
//!
//! ```no_run
//! use signal_source::{Signal, Signals};
//!
//! let signals = Signals::new([Signal::TERM, Signal::HUP])?;
//! for info in &signals {
//!     match info?.signal() {
//!         Signal::HUP => println!("Reloading configuration"),
//!         _ => break,
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it promises
//!
//! - **Nothing is lost.** While a receiver is open, each signal of its set that is sent to the
//!   process is either received, once, or acts as it would have acted before the receiver was
//!   opened: its earlier handler runs, it kills, it is ignored. That holds when the receiver is
//!   dropped with signals unread, on whatever thread, in a panic, in a task that is aborted, with a
//!   runtime that is shut down, and when [`Signals::update`] removes a signal. On macOS and the BSDs,
//!   where no call changes recording and acting at once, a signal that arrives in the very moment of
//!   opening or dropping, between the two calls that take it over or give it back, may do both, or act
//!   twice, never neither.
//! - **The kernel is the queue.** A record is read when the caller asks for it, into the caller's
//!   memory. A dropped future loses nothing, and nothing grows.
//! - **Nothing is left behind.** The last receiver or guard puts mask and dispositions back to what
//!   they were. [`process::CommandExt::restore_signals`] starts children as if this crate were not
//!   there.
//! - **Loud, not silent.** Whatever would lose signals or kill the process is an error when the
//!   receiver is opened, and the message says what to do: [`OpenError`].
//! - **Honest.** What the platform does not tell is absent, not zero. With a signal that was queued the
//!   sender wrote pid and uid itself, and can write any: [`SignalInfo::is_verified`] tells that from
//!   what the kernel vouches for (`kill(2)`, `tgkill(2)`, children, the kernel's own).
//! - **No waiting for the program's code.** No lock of this crate is held while a handler, a waker or
//!   any other code of the program can run. Ending a thread or the process waits for the kernel alone;
//!   dropping a receiver waits for no handler but that of a signal that it gives back itself.
//!
//! # Threads
//!
//! Linux gives a signal that is sent to the process to any thread that does not block it. So a
//! signal is received only while *every* thread blocks it: otherwise it kills the process, or, if
//! it is ignored by default (`CHLD`, `WINCH`, `URG`, `CONT`), vanishes without a trace. No call
//! changes another thread's mask, but a new thread inherits its creator's. Hence the one rule:
//!
//! **Open the receiver in `main`, before any other thread exists; or reserve its signals before.**
//!
//! | `main` | way |
//! |---|---|
//! | is the program's own | open first in `main`, and hand the receiver in |
//! | is `#[tokio::main]`'s, `#[test]`'s or another macro's; or receivers are opened later, on any thread | [`reserve_at_start!`] beside it |
//! | is the program's own, and receivers are opened later, on any thread | [`reserve()`] first in it |
//! | has to start threads before it opens a receiver, and the signals may wait until then | [`mask::block`] first in it |
//!
//! [`Signals::new`] checks the rule: it refuses, names the threads that do not block, and says which
//! ways out there are. A reserved signal without a receiver acts as before. On macOS and the BSDs masks
//! play no part, and a receiver may be opened at any time, in any thread; a program that keeps to the
//! rule works everywhere.
//!
//! This crate starts threads of its own only when one is needed:
//!
//! - The **delegate thread** (`signal-source`; Linux) lets in what has to act and no other thread lets in: a reserved
//!   signal without a receiver, and one whose receiver was dropped on another thread than the one that
//!   opened it, which goes on blocking, being busy elsewhere. So Ctrl-C is not dead. An earlier handler
//!   then runs on that thread; if one takes long, a further delegate is started for other signals. The
//!   opener's mask is put back at its next call into this crate. A program that drops where it opened,
//!   and reserves nothing, never sees a delegate.
//! - The **reader thread** (`signal-reader`) reads for [`tokio::SignalHub`] and [`tokio::Shutdown`], for
//!   as long as something waits. It blocks every signal: no handler runs there, only wakers. A
//!   `signal-closer` closes the receiver of a [`tokio::Shutdown`] that has fired, and ends.
//!
//! # What merges, what queues
//!
//! Standard signals merge while they are pending: Linux keeps one record, the first; macOS and the
//! BSDs count ([`SignalInfo::count`]). So a signal says "at least once since you looked". `CHLD`
//! above all: it says that *some* children changed, never that one did; wait for all
//! (`waitpid(2)` with `WNOHANG`) until none is left. Linux queues real-time signals ([`Signal::rt`])
//! one by one, each with its payload, in order, up to a limit (`RLIMIT_SIGPENDING`), beyond which
//! the sender is told ([`send::sigqueue`]).
//!
//! # What it does not do
//!
//! - **Signals directed at one thread** (`raise(3)`, `pthread_kill(3)`, and on Linux `PIPE` and the
//!   faults) are not a process' events: see [the table](#platforms). To send oneself a signal use
//!   [`send::kill`] with [`std::process::id`].
//! - **Faults** (`SEGV`, `BUS`, `FPE`, `ILL`, `TRAP`, `SYS`) need a handler, on the thread's stack.
//! - **Windows** has no signals; its console events are another thing.
//! - **Two receivers of one signal** in a process: the second is an error. Handing signals to several
//!   consumers is a layer above, [`tokio::SignalHub`].
//! - **What the kernel itself discards**: a pending stop signal when `CONT` is sent, a pending
//!   `CONT` when a stop signal is sent.
//! - **Masks that a program changes by its own calls.** A thread that unblocks a received signal
//!   takes it away; a library that blocks one by itself keeps it blocked. See [`mask`].
//! - **Threads inside a handler of a received signal** when its receiver is opened (Linux): the kernel
//!   blocks the signal there until the handler returns, and shows no difference. The audit looks twice,
//!   a millisecond apart, where the signal has a handler; a thread whose handler takes longer passes
//!   for one that blocks, and takes the next signal away.
//! - **Endless floods**: dropping a receiver while a signal with an earlier handler is sent without
//!   end keeps that handler busy, as it would have been.
//!
//! # Children
//!
//! A child inherits blocked and ignored signals, across exec too: `kill` would not end it. Start
//! children with [`process::CommandExt::restore_signals`] or, without a fork, by [`process::Spawn`], and
//! a program that replaces this one with [`process::exec`](process::exec()). After `fork(2)` without
//! exec (a daemon's start) the child opens a receiver and an event loop of its own, and leaves the
//! inherited ones alone.
//!
//! `tokio::process` on Linux waits for children by their pidfds, and a receiver of `CHLD` is not in
//! its way. Where there are none (Linux before 5.3, macOS, the BSDs) it installs a handler of
//! `CHLD`, which a receiver of `CHLD` keeps from running: use one of the two there.
//!
//! # What stands on the receiver
//!
//! - [`tokio::Shutdown`]: "tell me when to stop", for many tasks and threads; after the first signal
//!   a second Ctrl-C kills, as it always did.
//! - [`tokio::SignalHub`]: one receiver, many subscribers, in tasks of any executor and in plain
//!   threads.
//! - [`process::exit_by`], [`process::stop_by`]: ends or stops the process so that its parent sees which
//!   signal did.
//! - [`tokio::compat`]: the names and shapes of `tokio::signal`, over one hub.
//!
//! # Platforms
//!
#![doc = include_str!("platforms.md")]
//!
//! # How it works
//!
//! [`how_it_works`] draws a signal's way through the kernel, masks, threads and queues.
//!
//! # Coming from elsewhere
//!
//! [`migrating`] shows programs for `tokio::signal`, signal-hook, ctrlc, mio-signals, calloop and
//! AnyIO side by side with this crate's, and what changes in meaning. [`event_loops`] has programs
//! for async-io, polling, calloop, io_uring, compio, monoio, GLib, epoll and kqueue; [`libraries`]
//! is for authors of libraries that receive signals.
//!
//! # Features
//!
//! None is on by default.
//!
//! | feature | gives | adds |
//! |---|---|---|
//! | `mio` | `impl mio::event::Source for Signals` | mio |
//! | `tokio` | [`tokio::SignalStream`], [`tokio::Shutdown`], [`tokio::SignalHub`] | tokio (`net`, `rt`) |
//! | `stream` | `futures_core::Stream` for the stream and the hub's subscribers | futures-core |
//! | `serde` | [`Signal`] as its name, [`SignalSet`] as a list of names, [`SignalInfo`] as an object, to be written alone | serde |
//!
//! Minimum Rust version: 1.85.
//!
// Where they are not compiled, their pages are linked to as they are published.
#![cfg_attr(not(feature = "tokio"), doc = include_str!("links/tokio.md"))]
#![cfg_attr(not(all(feature = "mio", feature = "tokio")), doc = include_str!("links/pages.md"))]
#![cfg_attr(docsrs, feature(doc_cfg))]

// Where the platform is none of ours, its one error is enough: nothing else is compiled on Windows.
#[cfg(unix)]
mod error;
#[cfg(unix)]
mod info;
#[cfg(unix)]
pub mod mask;
// Pages alone: no program has any use for it.
#[cfg(all(unix, doc, feature = "mio", feature = "tokio"))]
pub mod how_it_works;
#[cfg(all(unix, doc, feature = "mio", feature = "tokio"))]
pub mod migrating;
#[cfg(all(unix, doc, feature = "mio", feature = "tokio"))]
#[doc = include_str!("loops.md")]
pub mod event_loops {}
#[cfg(all(unix, doc, feature = "mio", feature = "tokio"))]
#[doc = include_str!("libraries.md")]
pub mod libraries {}
#[cfg(all(unix, feature = "mio"))]
mod mio;
#[path = "../platform/mod.rs"]
mod platform;
#[cfg(unix)]
pub mod process;
#[cfg(unix)]
mod reserve;
#[cfg(unix)]
pub mod send;
#[cfg(all(unix, feature = "serde"))]
mod serde;
#[cfg(unix)]
mod set;
#[cfg(unix)]
mod signal;
#[cfg(unix)]
mod signals;
#[cfg(all(unix, feature = "tokio"))]
#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
pub mod tokio;

#[cfg(unix)]
pub use crate::{
    error::OpenError,
    info::{ChildInfo, ChildStatus, Origin, Sender, SignalInfo},
    reserve::{__reserve_at_start, reserve},
    set::{SetIter, SignalSet},
    signal::{Disposition, ParseSignalError, Signal, SignalNumberError},
    signals::{Builder, Iter, Signals},
};

/// The README's programs are compiled, too.
#[cfg(all(doctest, unix, feature = "mio", feature = "tokio"))]
#[doc = include_str!("../README.md")]
mod readme {}
