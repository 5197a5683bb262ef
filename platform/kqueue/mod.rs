//! macOS, iOS, FreeBSD, NetBSD, OpenBSD, DragonFly BSD: `EVFILT_SIGNAL` of `kqueue(2)`.
//!
//! The kernel records each signal that is sent to the process before it looks at what to do with
//! it, and counts. So no mask matters and no thread: it is the disposition that keeps a signal from
//! acting while it is received. [`dispositions`] has the order of steps, [`queue`] the calls.

mod at_start;
mod dispositions;
mod inherited;
#[allow(dead_code)] // where the system has a sigqueue of its own
pub(super) mod no_sigqueue;
pub(crate) mod numbers;
mod opening;
#[cfg(feature = "tokio")]
mod poller;
mod queue;
mod shared;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
#[cfg(feature = "tokio")]
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use self::dispositions::Change;
use self::inherited::Inherited;
use self::opening::{Opened, Queues};
#[cfg(feature = "tokio")]
pub(crate) use self::poller::Poller;
use self::queue::{Knote, Queue, blank, decode, event};
pub(in crate::platform) use self::shared::Shared;
use super::kernel::Os;
use super::masks::Block;
use super::sigset;
use crate::mask::ThreadInfo;
use crate::{OpenError, Signal, SignalInfo, SignalSet};

/// Blocking has no part in it.
pub(super) const MASKED: bool = false;

/// The signals whose disposition an open receiver may have changed.
pub(super) fn touched() -> SignalSet {
    SignalSet::all()
}

/// Records of one `kevent(2)`.
const BATCH: usize = 64;

pub(crate) struct Receiver {
    opened: Opened<Os>,
    /// Some of the knotes are disabled.
    #[cfg(feature = "tokio")]
    is_watched_in_part: AtomicBool,
}

impl Receiver {
    /// There is nothing to audit.
    pub(crate) fn open(set: SignalSet, _audit: bool) -> Result<Receiver, OpenError> {
        Ok(Receiver {
            opened: Opened::open(Os, set)?,
            #[cfg(feature = "tokio")]
            is_watched_in_part: AtomicBool::new(false),
        })
    }

    pub(crate) fn set(&self) -> SignalSet {
        self.opened.set()
    }

    pub(crate) fn update(&self, set: SignalSet, audit: bool) -> Result<(), OpenError> {
        self.change(set, audit).map(drop)
    }

    /// Opens a receiver of what was acquired.
    #[cfg(feature = "tokio")]
    pub(crate) fn open_acquired(acquired: Acquired) -> Result<Receiver, (OpenError, Acquired)> {
        Receiver::open(acquired.0, false).map_err(|error| (error, acquired))
    }

    /// Adds what was acquired. No other thread may be changing the set.
    #[cfg(feature = "tokio")]
    pub(crate) fn widen(&self, acquired: Acquired) -> Result<(), (OpenError, Acquired)> {
        let widened = self.watch_all().map_err(OpenError::Os);
        let widened = widened.and_then(|()| self.opened.update(self.set() | acquired.0));
        widened.map_err(|error| (error, acquired))
    }

    /// Changes the set; what is removed acts on the calling thread when the returned part is
    /// dropped at the latest.
    pub(crate) fn change(&self, set: SignalSet, _audit: bool) -> Result<Release, OpenError> {
        self.opened.check_owner()?;
        let removed = self.set() - set;
        // What is unread is sent once more. This thread lets it in when it holds no lock any more.
        let block = if removed.is_empty() { None } else { Block::new(removed).ok() };
        self.watch_all()?;
        self.opened.update(set)?;
        Ok(Release { _block: block })
    }

    /// Has the descriptor yield the signals of `set` alone, until the next change. A knote that is
    /// disabled goes on counting, and has its record ready when it is enabled.
    #[cfg(feature = "tokio")]
    pub(crate) fn watch(&self, set: SignalSet) -> io::Result<()> {
        let flag = |signal| {
            if set.contains(signal) { Knote::Enable } else { Knote::Disable }
        };
        self.opened.with_set(|all| {
            // Relaxed: under the lock of the process' state.
            self.is_watched_in_part.store(true, Ordering::Relaxed);
            let changes: Vec<_> = all.iter().map(|signal| event(signal, flag(signal))).collect();
            self.opened.queue.kevent(&changes, &mut []).map(drop)
        })?
    }

    /// Ends what [`watch`](Self::watch) did: all that is pending can be read.
    fn watch_all(&self) -> io::Result<()> {
        #[cfg(feature = "tokio")]
        if self.is_watched_in_part.load(Ordering::Relaxed) {
            self.opened.with_set(|all| {
                let enable = |signal| event(signal, Knote::Enable);
                let changes: Vec<_> = all.iter().map(enable).collect();
                self.opened.queue.kevent(&changes, &mut [])?;
                self.is_watched_in_part.store(false, Ordering::Relaxed);
                Ok(())
            })?
        } else {
            Ok(())
        }
        #[cfg(not(feature = "tokio"))]
        Ok(())
    }

    /// The next record, if there is one.
    pub(crate) fn read_one(&self) -> io::Result<Option<SignalInfo>> {
        self.opened.check_owner()?;
        let mut event = [blank()];
        self.opened.queue.read(&mut event)?.first().map(decode).transpose()
    }

    /// Appends up to `limit` records and returns their number.
    pub(crate) fn read_many(&self, infos: &mut Vec<SignalInfo>, limit: usize) -> io::Result<usize> {
        self.opened.check_owner()?;
        let mut events = [blank(); BATCH];
        let mut total = 0;
        while total < limit {
            let batch = BATCH.min(limit - total);
            let events = match self.opened.queue.read(&mut events[..batch]) {
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

    /// A second queue would count the signals once more, so there is none: see the
    /// [contract](crate::platform).
    #[cfg(feature = "tokio")]
    pub(crate) fn read_of(
        &self,
        _set: SignalSet,
        _infos: &mut Vec<SignalInfo>,
        _limit: usize,
    ) -> io::Result<Option<usize>> {
        Ok(None)
    }

    /// The next record, which is waited for until the time is over; or `None`, then or for no reason
    /// at all. The kernel knows what is watched, so a change of the set is nothing to a thread that
    /// waits.
    pub(crate) fn wait_one(&self, timeout: Duration) -> io::Result<Option<SignalInfo>> {
        self.wait_until(Some(timeout))
    }

    /// The next record, which is waited for.
    pub(crate) fn wait(&self) -> io::Result<SignalInfo> {
        loop {
            if let Some(info) = self.wait_until(None)? {
                return Ok(info);
            }
        }
    }

    fn wait_until(&self, timeout: Option<Duration>) -> io::Result<Option<SignalInfo>> {
        self.opened.check_owner()?;
        let mut event = [blank()];
        self.opened.queue.wait(&mut event, timeout)?.first().map(decode).transpose()
    }
}

/// In a forked child the number belongs to no descriptor, or to one that the child has opened since.
impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.opened.queue.as_fd()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if self.opened.check_owner().is_ok() {
            // It can't fail: the knotes exist.
            let _ = self.watch_all();
        }
    }
}

impl Queues for Os {
    type Queue = Queue;
    type Calls<'a> = &'a Queue;

    fn open(&self) -> io::Result<Queue> {
        Queue::new()
    }

    fn calls(queue: &Queue) -> &Queue {
        queue
    }

    fn descriptor(queue: &Queue) -> RawFd {
        queue.as_fd().as_raw_fd()
    }

    fn watch(descriptor: RawFd, signal: Signal, is_watched: bool) {
        // SAFETY: the caller knows the queue to be open, under the lock.
        let queue = unsafe { BorrowedFd::borrow_raw(descriptor) };
        let knote = if is_watched { Knote::Add } else { Knote::Delete };
        // It fails where there is nothing to delete.
        let _ = queue::kevent(queue, &[event(signal, knote)], &mut []);
    }

    fn keep(&self, changes: Vec<Change>) {
        INHERITED.add(changes);
    }

    fn take_kept(&self, set: SignalSet) -> Vec<Change> {
        INHERITED.take(set)
    }
}

static INHERITED: Inherited = Inherited::new();

/// Signals that a receiver may take. No thread has to be waited for before, so nothing is done before.
#[cfg(feature = "tokio")]
pub(crate) struct Acquired(SignalSet);

#[cfg(feature = "tokio")]
impl Acquired {
    pub(crate) fn new(set: SignalSet, _audit: bool) -> Result<Acquired, OpenError> {
        Ok(Acquired(set))
    }
}

/// Signals that a receiver has given up, and that the calling thread lets in when this is dropped.
pub(crate) struct Release {
    _block: Option<Block>,
}

pub(crate) fn unblocked_threads(_set: SignalSet) -> io::Result<Vec<ThreadInfo>> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "this system shows no thread's mask; receiving needs none blocked",
    ))
}

/// A receiver can be opened on any thread anyhow.
pub(crate) fn reserve(_set: SignalSet) -> Result<(), OpenError> {
    Ok(())
}

/// Makes `mask` the calling thread's and returns the one before (`pthread_sigmask(3)`).
pub(super) fn set_mask(mask: SignalSet) -> io::Result<SignalSet> {
    let new = sigset::to_sigset(mask);
    let mut old = new;
    // SAFETY: both sets are initialised. The function returns its error.
    match unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &new, &mut old) } {
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

/// Not asked for: no thread's mask counts.
pub(super) fn is_first_thread() -> bool {
    true
}

/// No such page is made here: the hook of `pthread_atfork(3)` has to do.
pub(super) fn wiped_on_fork() -> Option<&'static AtomicU64> {
    None
}

/// Processes have numbers alone.
pub(crate) fn pidfd(_pid: i32) -> Option<OwnedFd> {
    None
}

#[cfg(not(any(
    target_os = "ios",
    target_os = "tvos",
    target_os = "watchos",
    target_os = "visionos"
)))]
pub(super) use super::posix_spawn::look_up_add_chdir as add_chdir;

/// No core is dumped from now on.
pub(super) fn forbid_core() {
    let limit = getrlimit(Resource::Core);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), ..limit });
}
