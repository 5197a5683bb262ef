//! A signal has one receiver in a process, and a test binary is one process: its tests take turns.

use std::sync::{Mutex, MutexGuard, PoisonError};

static TURN: Mutex<()> = Mutex::new(());

/// Waits for the test before to end.
pub fn take() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends a signal to this process.
pub fn send(signal: signal_source::Signal) {
    signal_source::send::kill(std::process::id(), signal).expect("a process may signal itself");
}
