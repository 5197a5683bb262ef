//! The locks and atomics of the handshakes: the standard library's, and shuttle's where their
//! interleavings are checked (`--cfg shuttle`). Shuttle knows sequential consistency alone: what the
//! few atomics need of it is said at [`Turn`](super::hub::turn::Turn).

#[cfg(not(all(test, shuttle)))]
pub(super) use std::sync::atomic::AtomicU64;
#[cfg(not(all(test, shuttle)))]
pub(super) use std::sync::{Condvar, Mutex, MutexGuard};

#[cfg(all(test, shuttle))]
pub(super) use shuttle::sync::atomic::AtomicU64;
#[cfg(all(test, shuttle))]
pub(super) use shuttle::sync::{Condvar, Mutex, MutexGuard};
