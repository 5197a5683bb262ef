//! The kqueue of one receiver: a knote for each signal, and the records that it yields.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::libc;
use nix::sys::event::{EvFlags, EventFilter, FilterFlag, KEvent, Kqueue};
use rustix::io::FdFlags;

use super::dispositions::Kernel;
use crate::platform::actions::Action;
use crate::platform::sigset;
use crate::{Origin, Signal, SignalInfo, SignalSet};

/// The kernel keeps one record for each signal, so there are never more.
const MOST: usize = 128;

pub(super) struct Queue(Kqueue);

impl Queue {
    pub(super) fn new() -> io::Result<Queue> {
        let queue = Kqueue::new()?;
        // In between a fork can't take it along: none inherits it.
        rustix::io::fcntl_setfd(&queue, FdFlags::CLOEXEC)?;
        Ok(Queue(queue))
    }

    /// What one `kevent(2)` gives without waiting.
    pub(super) fn read<'a>(&self, events: &'a mut [KEvent]) -> io::Result<&'a [KEvent]> {
        let count = self.kevent(&[], events)?;
        Ok(&events[..count])
    }

    /// A change that is made again, after an interruption, changes nothing more.
    pub(super) fn kevent(&self, changes: &[KEvent], events: &mut [KEvent]) -> io::Result<usize> {
        let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        loop {
            match self.0.kevent(changes, events, Some(now)) {
                Err(Errno::EINTR) => {}
                result => return Ok(result?),
            }
        }
    }
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Kernel for Queue {
    fn watch(&mut self, set: SignalSet) -> io::Result<()> {
        let changes: Vec<_> = set.iter().map(|signal| event(signal, EvFlags::EV_ADD)).collect();
        self.kevent(&changes, &mut []).map(drop)
    }

    fn unwatch(&mut self, set: SignalSet) {
        for signal in set {
            // One by one: the call ends at the first that does not exist, where watching failed.
            let _ = self.kevent(&[event(signal, EvFlags::EV_DELETE)], &mut []);
        }
    }

    fn take_unread(&mut self) -> SignalSet {
        let mut events = [blank(); MOST];
        let mut unread = SignalSet::EMPTY;
        loop {
            match self.read(&mut events) {
                Ok(events) if !events.is_empty() => {
                    unread.extend(events.iter().filter_map(signal));
                    if events.len() < MOST {
                        return unread;
                    }
                }
                _ => return unread,
            }
        }
    }

    /// On macOS and iOS, what is pending for the calling thread alone: the kernel says no more.
    fn pending(&mut self) -> SignalSet {
        pending()
    }

    fn action(&self, signal: Signal) -> io::Result<Action> {
        Action::of(signal)
    }

    fn set_action(&mut self, signal: Signal, action: &Action) -> io::Result<()> {
        action.set(signal)
    }

    fn send(&mut self, signal: Signal) {
        // A process may send itself anything.
        let sent = sigset::kill(nix::unistd::getpid().as_raw(), signal);
        debug_assert!(sent.is_ok(), "{signal} to oneself");
    }
}

pub(super) fn event(signal: Signal, flags: EvFlags) -> KEvent {
    let ident = signal.as_raw().unsigned_abs() as usize;
    KEvent::new(ident, EventFilter::EVFILT_SIGNAL, flags, FilterFlag::empty(), 0, 0)
}

/// Room for a record.
pub(super) fn blank() -> KEvent {
    KEvent::new(0, EventFilter::EVFILT_SIGNAL, EvFlags::empty(), FilterFlag::empty(), 0, 0)
}

fn signal(event: &KEvent) -> Option<Signal> {
    Signal::from_kernel(u32::try_from(event.ident()).ok()?)
}

/// What is pending for the process or the calling thread.
fn pending() -> SignalSet {
    let mut raw = *nix::sys::signal::SigSet::empty().as_ref();
    // SAFETY: `raw` is a set to write to.
    unsafe { libc::sigpending(&mut raw) };
    sigset::from_raw(&raw)
}

/// The number and the count: a kqueue tells no more.
pub(super) fn decode(event: &KEvent) -> io::Result<SignalInfo> {
    let signal = signal(event).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "the kernel's record has no signal's number")
    })?;
    let count = u32::try_from(event.data()).unwrap_or(u32::MAX);
    Ok(SignalInfo::new(signal, count, None, Origin::Unknown, 0))
}
