//! Signals in tokio: a stream, a shutdown that all parts of a program are told of, and a hub for
//! many subscribers.
//!
//! | what the program needs | type |
//! |---|---|
//! | one task receives signals | [`SignalStream`] |
//! | to know when to stop, in many places | [`Shutdown`] |
//! | several tasks and threads receive the same signals | [`SignalHub`] |
//! | what a program has that uses `tokio::signal` | [`compat`] |
//!
//! The stream is registered with a tokio runtime. Shutdown and hub are not: the process' *reader
//! thread* reads for them, and they work in any executor and in plain threads.
//!
//! Open the receiver in `main`, before the runtime is built, and hand it in, so that the runtime's
//! threads inherit the block. tokio's macro takes arguments on any function but `main`:
//!
//! ```no_run
//! use signal_source::tokio::SignalStream;
//! use signal_source::{Signal, Signals};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     run(Signals::new([Signal::TERM, Signal::HUP])?)
//! }
//!
//! #[tokio::main]
//! async fn run(signals: Signals) -> Result<(), Box<dyn std::error::Error>> {
//!     let mut signals = SignalStream::try_from(signals)?;
//!     loop {
//!         match signals.recv().await?.signal() {
//!             Signal::HUP => println!("Reloading configuration"),
//!             _ => return Ok(()),
//!         }
//!     }
//! }
//! ```
//!
//! Or reserve the signals with one line beside `#[tokio::main]`'s `main`
//! ([`reserve_at_start!`](crate::reserve_at_start)), and open with [`SignalStream::new`] where they are
//! needed. Or build the runtime by hand:
//!
//! ```no_run
//! use signal_source::tokio::SignalStream;
//! use signal_source::{Signal, Signals};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let signals = Signals::new([Signal::TERM, Signal::HUP])?;
//!     tokio::runtime::Runtime::new()?.block_on(async {
//!         let mut signals = SignalStream::try_from(signals)?;
//!         println!("{}", signals.recv().await?);
//!         Ok(())
//!     })
//! }
//! ```

mod arming;
mod blocking;
pub mod compat;
mod hub;
mod kernel;
mod local;
#[cfg(all(test, shuttle))]
mod model;
mod reader;
mod roster;
mod shutdown;
mod slab;
mod source;
mod stream;
mod sync;
mod waiters;

pub use hub::{HubEvent, SignalHub, Subscriber};
pub use shutdown::{Shutdown, ShutdownBuilder, ShutdownCause};
pub use stream::SignalStream;
