//! The locks and threads of the handshakes: the standard library's, and shuttle's where their
//! interleavings are checked (`--cfg shuttle`).

#[cfg(not(all(test, shuttle)))]
pub(super) use std::sync::{Condvar, Mutex, MutexGuard};

#[cfg(all(test, shuttle))]
pub(super) use shuttle::sync::{Condvar, Mutex, MutexGuard};
