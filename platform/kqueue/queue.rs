//! The kqueue of one receiver: a knote for each signal, and the records that it yields.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;
use std::time::Duration;

use rustix::io::FdFlags;

use super::dispositions::Kernel;
use crate::platform::actions::Action;
use crate::platform::sigset;
use crate::{Origin, Signal, SignalInfo, SignalSet};

/// The kernel keeps one record for each signal, so there are never more.
const MOST: usize = 128;

/// Of one call.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// A change or a record; rustix has a type for them, which carries named signals alone.
pub(super) type KEvent = libc::kevent;

pub(super) struct Queue(OwnedFd);

impl Queue {
    pub(super) fn new() -> io::Result<Queue> {
        let queue = rustix::event::kqueue::kqueue()?;
        // In between a fork can't take it along: none inherits it.
        rustix::io::fcntl_setfd(&queue, FdFlags::CLOEXEC)?;
        Ok(Queue(queue))
    }

    /// What one `kevent(2)` gives without waiting.
    pub(super) fn read<'a>(&self, events: &'a mut [KEvent]) -> io::Result<&'a [KEvent]> {
        let count = self.kevent(&[], events)?;
        Ok(&events[..count])
    }

    /// As [`read`](Self::read), but waits until there is something, until the time is over or a handler
    /// has run.
    pub(super) fn wait<'a>(
        &self,
        events: &'a mut [KEvent],
        timeout: Option<Duration>,
    ) -> io::Result<&'a [KEvent]> {
        // Some systems refuse more than 100,000,000 seconds; the caller comes again if it is more.
        let timeout = timeout.map(|timeout| timeout.min(LONGEST_WAIT)).map(|timeout| {
            let nanoseconds = i32::try_from(timeout.subsec_nanos()).unwrap_or(0);
            let seconds = libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX);
            libc::timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() }
        });
        match call(self.as_fd(), &[], events, timeout.as_ref()) {
            Ok(count) => Ok(&events[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(&[]),
            Err(error) => Err(error),
        }
    }

    pub(super) fn kevent(&self, changes: &[KEvent], events: &mut [KEvent]) -> io::Result<usize> {
        kevent(self.as_fd(), changes, events)
    }
}

/// `kevent(2)` without waiting. A change that is made again, after an interruption, changes nothing
/// more.
pub(super) fn kevent(
    queue: BorrowedFd<'_>,
    changes: &[KEvent],
    events: &mut [KEvent],
) -> io::Result<usize> {
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    loop {
        match call(queue, changes, events, Some(&now)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn call(
    queue: BorrowedFd<'_>,
    changes: &[KEvent],
    events: &mut [KEvent],
    timeout: Option<&libc::timespec>,
) -> io::Result<usize> {
    // There are never more than `MOST`, so they fit a byte, and that fits every system's integer.
    let len = |len: usize| u8::try_from(len).unwrap_or(u8::MAX);
    let (all, room) = (len(changes.len()), len(events.len()));
    let (fd, changes, events) = (queue.as_raw_fd(), changes.as_ptr(), events.as_mut_ptr());
    let timeout = timeout.map_or(ptr::null(), ptr::from_ref);
    // SAFETY: so many changes can be read, and so many events written; the time is there or null.
    let count = unsafe { libc::kevent(fd, changes, all.into(), events, room.into(), timeout) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Kernel for &Queue {
    fn watch(&mut self, signal: Signal) -> io::Result<()> {
        self.kevent(&[event(signal, Knote::Add)], &mut []).map(drop)
    }

    fn unwatch(&mut self, set: SignalSet) {
        for signal in set {
            // One by one: the call ends at the first that does not exist, where watching failed.
            let _ = self.kevent(&[event(signal, Knote::Delete)], &mut []);
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
        let sent = sigset::kill(sigset::own_pid(), signal);
        debug_assert!(sent.is_ok(), "{signal} to oneself");
    }
}

/// What to do with the knote of a signal.
#[derive(Clone, Copy)]
pub(super) enum Knote {
    Add,
    Delete,
    #[cfg(feature = "tokio")]
    Enable,
    #[cfg(feature = "tokio")]
    Disable,
}

pub(super) fn event(signal: Signal, knote: Knote) -> KEvent {
    let mut event = blank();
    event.ident = signal.as_raw().unsigned_abs() as usize;
    event.filter = libc::EVFILT_SIGNAL;
    event.flags = match knote {
        Knote::Add => libc::EV_ADD,
        Knote::Delete => libc::EV_DELETE,
        #[cfg(feature = "tokio")]
        Knote::Enable => libc::EV_ENABLE,
        #[cfg(feature = "tokio")]
        Knote::Disable => libc::EV_DISABLE,
    };
    event
}

/// Room for a record.
pub(super) fn blank() -> KEvent {
    // The fields are not the same on every system.
    // SAFETY: integers and a pointer, which may be null.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

fn signal(event: &KEvent) -> Option<Signal> {
    Signal::from_kernel(u32::try_from(event.ident).ok()?)
}

/// What is pending for the process or the calling thread.
fn pending() -> SignalSet {
    let mut raw = sigset::empty();
    // SAFETY: `raw` is a set to write to.
    unsafe { libc::sigpending(&mut raw) };
    sigset::from_raw(&raw)
}

/// The number and the count: a kqueue tells no more.
pub(super) fn decode(event: &KEvent) -> io::Result<SignalInfo> {
    let signal = signal(event).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "the kernel's record has no signal's number")
    })?;
    let count = u32::try_from(event.data).unwrap_or(u32::MAX);
    Ok(SignalInfo::new(signal, count, None, Origin::Unknown, 0))
}
