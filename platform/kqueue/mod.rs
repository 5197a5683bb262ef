//! macOS, iOS, FreeBSD, NetBSD, OpenBSD, DragonFly BSD: `EVFILT_SIGNAL` of `kqueue(2)`.
//!
//! The kernel records each signal that is sent to the process before it looks at what to do with
//! it, and counts. So no mask matters and no thread: it is the disposition that keeps a signal from
//! acting while it is received ([`dispositions`]); [`opening`] has the claims and the lock.

mod dispositions;
mod inherited;
#[allow(dead_code)] // where the system has a sigqueue of its own
pub(super) mod no_sigqueue;
pub(crate) mod numbers;
mod opening;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::event::{EvFlags, EventFilter, FilterFlag, KEvent, Kqueue};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rustix::io::FdFlags;

use self::dispositions::{Change, Kernel};
use self::inherited::Inherited;
use self::opening::{Opened, Queues};
use super::actions::Action;
use super::kernel::Os;
use super::sigset;
use crate::mask::ThreadInfo;
use crate::{OpenError, Origin, Signal, SignalInfo, SignalSet};

/// Blocking has no part in it.
pub(super) const MASKED: bool = false;

/// The signals whose disposition an open receiver may have changed.
pub(super) fn touched() -> SignalSet {
    SignalSet::all()
}

/// Records of one `kevent(2)`.
const BATCH: usize = 64;

/// The kernel keeps one record for each signal, so there are never more.
const MOST: usize = 128;

pub(super) use self::opening::Shared;

pub(crate) struct Receiver(Opened<Os>);

impl Receiver {
    /// There is nothing to audit.
    pub(crate) fn open(set: SignalSet, _audit: bool) -> Result<Receiver, OpenError> {
        Ok(Receiver(Opened::open(Os, set)?))
    }

    pub(crate) fn update(&mut self, set: SignalSet, _audit: bool) -> Result<(), OpenError> {
        self.0.update(set)
    }

    /// The next record, if there is one.
    pub(crate) fn read_one(&self) -> io::Result<Option<SignalInfo>> {
        self.0.check_owner()?;
        let mut event = [blank()];
        self.0.queue.read(&mut event)?.first().map(decode).transpose()
    }

    /// Appends up to `limit` records and returns their number.
    pub(crate) fn read_many(&self, infos: &mut Vec<SignalInfo>, limit: usize) -> io::Result<usize> {
        self.0.check_owner()?;
        let mut events = [blank(); BATCH];
        let mut total = 0;
        while total < limit {
            let batch = BATCH.min(limit - total);
            let events = match self.0.queue.read(&mut events[..batch]) {
                Ok(events) => events,
                // What was read stays read; the error will come again.
                Err(_) if total > 0 => break,
                Err(error) => return Err(error),
            };
            infos.extend(events.iter().map(decode).filter_map(Result::ok));
            total += events.len();
            if events.len() < batch {
                break;
            }
        }
        Ok(total)
    }

    /// By `poll(2)`, which looks at the queue from outside, as another kqueue would: `kevent(2)`
    /// takes what it waits for, or does not wait.
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.check_owner()?;
        let timeout = timeout.map_or(PollTimeout::NONE, |timeout| {
            // Rounded up, so as not to spin through the last millisecond; the caller comes again
            // if it is more than fits.
            let millis = timeout.as_nanos().div_ceil(1_000_000);
            PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)
        });
        match nix::poll::poll(&mut [PollFd::new(self.as_fd(), PollFlags::POLLIN)], timeout) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// In a forked child the number is nobody's, or somebody else's.
impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.queue.0.as_fd()
    }
}

impl Queues for Os {
    type Queue = Queue;

    fn open(&self) -> io::Result<Queue> {
        Queue::new()
    }

    fn keep(&self, changes: Vec<Change>) {
        INHERITED.add(changes);
    }

    fn take_kept(&self, set: SignalSet) -> Vec<Change> {
        INHERITED.take(set)
    }
}

static INHERITED: Inherited = Inherited::new();

pub(in crate::platform) struct Queue(Kqueue);

impl Queue {
    fn new() -> io::Result<Queue> {
        let queue = Kqueue::new()?;
        // In between a fork can't take it along: none inherits it.
        rustix::io::fcntl_setfd(&queue, FdFlags::CLOEXEC)?;
        Ok(Queue(queue))
    }

    /// What one `kevent(2)` gives without waiting.
    fn read<'a>(&self, events: &'a mut [KEvent]) -> io::Result<&'a [KEvent]> {
        let count = self.kevent(&[], events)?;
        Ok(&events[..count])
    }

    /// A change that is made again, after an interruption, changes nothing more.
    fn kevent(&self, changes: &[KEvent], events: &mut [KEvent]) -> io::Result<usize> {
        let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        loop {
            match self.0.kevent(changes, events, Some(now)) {
                Err(Errno::EINTR) => {}
                result => return Ok(result?),
            }
        }
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

fn event(signal: Signal, flags: EvFlags) -> KEvent {
    let ident = signal.as_raw().unsigned_abs() as usize;
    KEvent::new(ident, EventFilter::EVFILT_SIGNAL, flags, FilterFlag::empty(), 0, 0)
}

/// Room for a record.
fn blank() -> KEvent {
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
fn decode(event: &KEvent) -> io::Result<SignalInfo> {
    let signal = signal(event).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "the kernel's record has no signal's number")
    })?;
    let count = u32::try_from(event.data()).unwrap_or(u32::MAX);
    Ok(SignalInfo::new(signal, count, None, Origin::Unknown, 0))
}

pub(crate) fn unblocked_threads(_set: SignalSet) -> io::Result<Vec<ThreadInfo>> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "this system shows no thread's mask; receiving needs none blocked",
    ))
}

/// Makes `mask` the calling thread's and returns the one before (`pthread_sigmask(3)`).
pub(super) fn set_mask(mask: SignalSet) -> io::Result<SignalSet> {
    let new = sigset::to_sigset(mask);
    let mut old = *new.as_ref();
    // SAFETY: both sets are initialised. The function returns its error.
    match unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, new.as_ref(), &mut old) } {
        0 => Ok(sigset::from_raw(&old)),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// No thread of this crate's own lets anything in, and none asks for its number or waits for it.
pub(super) fn everything() -> SignalSet {
    SignalSet::from_bits(u128::MAX)
}

pub(super) fn tid() -> u32 {
    0
}

pub(super) fn wait(_word: &AtomicU32, _seen: u32, timeout: Option<Duration>) {
    std::thread::sleep(timeout.unwrap_or_default());
}

pub(super) fn wake(_word: &AtomicU32) {}

/// No such page is made here: the hook of `pthread_atfork(3)` has to do.
pub(super) fn wiped_on_fork() -> Option<&'static AtomicU64> {
    None
}

/// No core is dumped from now on.
pub(super) fn forbid_core() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_CORE) {
        let _ = setrlimit(Resource::RLIMIT_CORE, 0, hard);
    }
}
