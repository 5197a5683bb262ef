//! `sigqueue(3)`, for the systems that have it.

use std::io;
use std::ptr;

use crate::Signal;

pub(crate) fn sigqueue(pid: i32, signal: Signal, value: i32) -> io::Result<()> {
    let mut sigval = libc::sigval { sival_ptr: ptr::null_mut() };
    // The integer shares its first bytes with the pointer: a C union that the libc crate shows
    // as a pointer alone.
    let int = (&raw mut sigval).cast::<i32>();
    // SAFETY: `int` points at the live, aligned `sigval`, which is at least as large.
    unsafe { int.write(value) };
    // SAFETY: sending a signal touches no memory of ours.
    match unsafe { libc::sigqueue(pid, signal.as_raw(), sigval) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
