//! `sigqueue(3)`, for the systems that lack it.

use std::io;

use crate::Signal;

pub(crate) fn sigqueue(_pid: i32, signal: Signal, _value: usize) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        format!(
            "{signal} with a value: this system has no sigqueue(3); send it without (send::kill)"
        ),
    ))
}
