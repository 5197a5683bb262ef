//! Dying of a signal.

use std::sync::atomic::{AtomicI32, Ordering};

use super::actions::Action;
use super::kernel::{Kernel, Os};
use super::{ByDefault, backend, numbers, sigset};
use crate::{Signal, SignalSet};

/// What the process dies of when it exits. Relaxed: [`die`] runs on the thread that stored it, or is
/// found by another exiting thread under the C library's lock, where it was registered after.
static AT_EXIT: AtomicI32 = AtomicI32::new(0);

/// The last signal that a wait status can tell of a killed process: it has seven bits for the number, and
/// all of them set mean a process that is stopped. `SIGRTMAX` of Linux on MIPS is 127, and FreeBSD has 128,
/// of which a parent would see that the process has ended well.
const LAST_TOLD: i32 = 126;

/// As shells have it; a code has eight bits.
pub(crate) fn exit_code(number: i32) -> i32 {
    (128 + number).min(255)
}

/// What ends the process before any destructor of the calling thread's thread-local values: those
/// are destroyed in the opposite order of their first use.
struct First;

impl Drop for First {
    fn drop(&mut self) {
        die();
    }
}

thread_local! {
    static FIRST: First = const { First };
}

/// Has the process die of the signal, or exit with [`exit_code`] where that does not end it, once
/// `std::process::exit` has flushed what is buffered.
///
/// Only the standard library's own exit flushes its output without waiting for the lock, which some
/// thread may hold that is stuck writing to a pipe that is not read. What it calls next, `exit(3)`,
/// begins with the calling thread's thread-local values where the C library destroys them, and then
/// calls the function that was registered last.
pub(crate) fn die_at_exit(signal: Signal) {
    AT_EXIT.store(signal.as_raw(), Ordering::Relaxed);
    // A thread that is past its thread-local values has none to be destroyed.
    let _ = FIRST.try_with(|_| ());
    // SAFETY: `die` unwinds into nothing and does not return.
    if unsafe { libc::atexit(die) } != 0 {
        // No memory: better an unflushed line than the wrong end.
        die();
    }
}

/// Kills this process by the signal's default action, without a core dump; or exits, if that is not
/// to end a process, or the kernel protects this one.
extern "C" fn die() {
    let number = AT_EXIT.load(Ordering::Relaxed);
    if let Some(signal) = Signal::from_raw(number) {
        if numbers::by_default(number) == ByDefault::Ends && number <= LAST_TOLD {
            kill(signal);
        }
    }
    // SAFETY: ends the process.
    unsafe { libc::_exit(exit_code(number)) }
}

fn kill(signal: Signal) {
    backend::forbid_core();
    // KILL needs no action, and lets none be set.
    let _ = Action::default().set(signal);
    let _ = Os.set_mask(SignalSet::from_bits(u128::MAX) - signal.into());
    // Directed at this thread, which lets it in: it acts before the call returns.
    // SAFETY: sending a signal touches no memory of ours.
    if unsafe { libc::raise(signal.as_raw()) } != 0 {
        // The queue of pending signals is full, where only a process' own signal needs no place.
        let _ = sigset::kill(sigset::own_pid(), signal);
        // It may be another thread that dies of it, and all with it.
        for _ in 0..100 {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}
