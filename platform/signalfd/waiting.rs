//! Waiting for a record, by `rt_sigtimedwait(2)` or, where that may not be, by `poll(2)`.

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use super::calls::{self, Raw};
use super::reading::no_signal;
use super::{Receiver, siginfo};
use crate::SignalInfo;
use crate::error::Refused;

impl Receiver {
    /// The next record, which is waited for.
    pub(crate) fn wait(&self) -> io::Result<SignalInfo> {
        let mut raw = Raw::zeroed();
        loop {
            match self.take(None, &mut raw)? {
                Waited::Taken => return siginfo::decode_siginfo(&raw.0).ok_or_else(no_signal),
                Waited::Nothing => {}
                Waited::ByDescriptor => return self.wait_by_descriptor(),
            }
        }
    }

    #[cold]
    fn wait_by_descriptor(&self) -> io::Result<SignalInfo> {
        loop {
            if let Some(info) = self.poll_one(None)? {
                return Ok(info);
            }
        }
    }

    /// The next record, which is waited for until the time is over; or `None`, then or for no reason
    /// at all.
    pub(crate) fn wait_one(&self, timeout: Duration) -> io::Result<Option<SignalInfo>> {
        let mut raw = Raw::zeroed();
        match self.take(Some(timeout), &mut raw)? {
            Waited::Taken => siginfo::decode_siginfo(&raw.0).map(Some).ok_or_else(no_signal),
            Waited::Nothing => Ok(None),
            Waited::ByDescriptor => self.poll_one(Some(timeout)),
        }
    }

    /// Waits by the call, which writes the record to `raw`.
    #[inline(always)]
    fn take(&self, timeout: Option<Duration>, raw: &mut Raw) -> io::Result<Waited> {
        let Some((waiting, set)) = self.opened.wait() else { return Ok(Waited::ByDescriptor) };
        let taken = calls::take(set, timeout, raw);
        drop(waiting);
        match taken {
            Ok(()) => Ok(Waited::Taken),
            Err(error) => nothing_taken(error),
        }
    }

    /// The same by the descriptor, which follows the set.
    #[cold]
    fn poll_one(&self, timeout: Option<Duration>) -> io::Result<Option<SignalInfo>> {
        if let Some(info) = self.read_one()? {
            return Ok(Some(info));
        }
        // More seconds than the kernel counts are as good as for ever.
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        match rustix::event::poll(
            &mut [PollFd::new(&self.opened.fd, PollFlags::IN)],
            timeout.as_ref(),
        ) {
            Ok(_) | Err(Errno::INTR) => self.read_one(),
            Err(errno) => Err(Refused::wrap("poll(2)", errno.into())),
        }
    }
}

/// What came of waiting by the call.
enum Waited {
    Taken,
    /// The time is over, or a handler has run.
    Nothing,
    /// It was not called: the descriptor is to be waited for.
    ByDescriptor,
}

/// What the call says if the time is over, or if a handler has run.
#[cold]
fn nothing_taken(error: io::Error) -> io::Result<Waited> {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(Waited::Nothing),
        _ => Err(Refused::wrap("rt_sigtimedwait(2)", error)),
    }
}
