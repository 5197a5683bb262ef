//! `sigqueue(3)`, for the systems that have it.

use std::io;
use std::ptr;

use crate::Signal;

/// Sends the signal with a value as wide as a pointer.
pub(crate) fn sigqueue(pid: i32, signal: Signal, value: usize) -> io::Result<()> {
    let sigval = libc::sigval { sival_ptr: ptr::without_provenance_mut(value) };
    // SAFETY: sending a signal touches no memory of ours.
    match unsafe { libc::sigqueue(pid, signal.as_raw(), sigval) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
