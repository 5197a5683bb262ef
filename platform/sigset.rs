//! `SignalSet` <-> `sigset_t`, and signals to a process.
//!
//! nix's own sets know no real-time signals, so what builds and reads them is C's.

use std::io;

use nix::libc;
use nix::sys::signal::SigSet;

use crate::{Signal, SignalSet};

/// The set as the C library has it. Numbers that the C library keeps for itself are left out.
pub(crate) fn to_sigset(set: SignalSet) -> SigSet {
    let mut raw = *SigSet::empty().as_ref();
    for signal in set {
        // SAFETY: `raw` is an initialised set, and a refused number changes nothing.
        unsafe { libc::sigaddset(&mut raw, signal.as_raw()) };
    }
    // SAFETY: `raw` is an initialised set.
    unsafe { SigSet::from_sigset_t_unchecked(raw) }
}

/// The signals of a C set that was initialised.
pub(crate) fn from_raw(set: &libc::sigset_t) -> SignalSet {
    let members = (1..=128).filter_map(Signal::from_raw).filter(|signal| {
        // SAFETY: the set is initialised, and the number exists on this system.
        unsafe { libc::sigismember(set, signal.as_raw()) == 1 }
    });
    members.collect()
}

/// `kill(2)`, for any signal; rustix and nix have it for named ones alone.
pub(crate) fn kill(pid: i32, signal: Signal) -> io::Result<()> {
    // SAFETY: sending a signal touches no memory of ours.
    match unsafe { libc::kill(pid, signal.as_raw()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
