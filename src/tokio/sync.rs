//! The locks of the handshakes: the standard library's, and shuttle's where their interleavings are
//! checked (`--cfg shuttle`). Nothing here is shared without a lock, so no memory ordering is to be
//! chosen, and shuttle, which knows sequential consistency alone, checks what runs.

#[cfg(not(all(test, shuttle)))]
pub(super) use std::sync::{Condvar, Mutex, MutexGuard};

#[cfg(all(test, shuttle))]
pub(super) use shuttle::sync::{Condvar, Mutex, MutexGuard};
