//! The locks and threads of the handshakes: the standard library's, and shuttle's where their
//! interleavings are checked (`--cfg shuttle`).

#[cfg(not(all(test, shuttle)))]
pub(super) use std::{
    sync::atomic::{AtomicBool, Ordering},
    sync::{Condvar, Mutex, MutexGuard},
    thread::{Thread, current, park, park_timeout},
};

#[cfg(all(test, shuttle))]
pub(super) use shuttle::{
    sync::atomic::{AtomicBool, Ordering},
    sync::{Condvar, Mutex, MutexGuard},
    thread::{Thread, current, park, park_timeout},
};
