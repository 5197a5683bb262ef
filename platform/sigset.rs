//! `SignalSet` <-> `sigset_t`, and signals to a process.
//!
//! The sets of C know the real-time signals, which rustix' named signals leave out.

use std::io;
use std::mem::MaybeUninit;
use std::ptr;

use crate::{Signal, SignalSet};

/// The set as the C library has it. Numbers that the C library keeps for itself are left out.
pub(crate) fn to_sigset(set: SignalSet) -> libc::sigset_t {
    let mut raw = empty();
    for signal in set {
        // SAFETY: `raw` is an initialised set, and a refused number changes nothing.
        unsafe { libc::sigaddset(&mut raw, signal.as_raw()) };
    }
    raw
}

/// A set with no signal in it.
pub(crate) fn empty() -> libc::sigset_t {
    let mut raw = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: there is room for a set.
    unsafe { libc::sigemptyset(raw.as_mut_ptr()) };
    // SAFETY: initialised just now.
    unsafe { raw.assume_init() }
}

/// The signals of a C set that was initialised.
pub(crate) fn from_raw(set: &libc::sigset_t) -> SignalSet {
    let members = (1..=128).filter_map(Signal::from_raw).filter(|signal| {
        // SAFETY: the set is initialised, and the number exists on this system.
        unsafe { libc::sigismember(set, signal.as_raw()) == 1 }
    });
    members.collect()
}

/// The calling thread's mask as the C library tells it (`pthread_sigmask(3)`).
#[allow(dead_code)] // where there is no posix_spawn
pub(crate) fn thread_mask() -> io::Result<SignalSet> {
    let mut mask = empty();
    // SAFETY: the set is there to be written to. The function returns its error.
    match unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), &mut mask) } {
        0 => Ok(from_raw(&mask)),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// This process, as `kill(2)` takes it.
pub(crate) fn own_pid() -> i32 {
    rustix::process::getpid().as_raw_nonzero().get()
}

/// `kill(2)`, for any signal; rustix has it for named ones alone.
pub(crate) fn kill(pid: i32, signal: Signal) -> io::Result<()> {
    // SAFETY: sending a signal touches no memory of ours.
    match unsafe { libc::kill(pid, signal.as_raw()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
