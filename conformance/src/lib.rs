//! Thin layers over signal-source in the shape of other crates, for the cases in `tests/`: each
//! asserts what a test of another project asserts, in words of its own, and is named after it.
//!
//! All of them begin with `reserve_at_start!`, since the tests of a binary share one process whose
//! threads exist before the first of them.
//!
//! `tokio::signal`'s shape is public: `signal_source::tokio::compat`.

pub mod async_signal;
pub mod calloop;
pub mod mio_signals;
pub mod signal_hook;
pub mod turn;
