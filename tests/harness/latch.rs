//! Handlers that sleep until they are told to go on: code of the program that takes its time.

use std::io::{Read, Write};
use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicI32, Ordering};

use nix::libc;
use signal_source::Signal;

use super::set_action;

/// The handler's end of the pair: it writes a byte when it starts, and reads one before it returns.
static HANDLER_END: AtomicI32 = AtomicI32::new(-1);

extern "C" fn sleep_until_told(_number: libc::c_int) {
    let end = HANDLER_END.load(Ordering::SeqCst);
    let mut byte = 0u8;
    // SAFETY: writes one live byte to a descriptor that is never closed.
    unsafe { libc::write(end, (&raw const byte).cast(), 1) };
    // SAFETY: reads into one live byte.
    while unsafe { libc::read(end, (&raw mut byte).cast(), 1) } < 0 {}
}

/// The other end of a handler that [`set_sleeping`] installed.
#[derive(Debug)]
pub struct Latch(UnixStream);

/// Installs a handler that sleeps until it is told to go on. One for each process.
pub fn set_sleeping(signal: Signal) -> Latch {
    let (ours, handlers) = UnixStream::pair().expect("a pair");
    HANDLER_END.store(handlers.into_raw_fd(), Ordering::SeqCst);
    set_action(signal, sleep_until_told as extern "C" fn(libc::c_int) as libc::sighandler_t);
    Latch(ours)
}

impl Latch {
    /// Waits until the handler runs.
    pub fn entered(&self) {
        (&self.0).read_exact(&mut [0]).expect("the handler writes");
    }

    /// Lets the handler return.
    pub fn release(&self) {
        (&self.0).write_all(&[0]).expect("the handler reads");
    }
}
