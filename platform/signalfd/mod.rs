//! Linux and Android: `signalfd(2)`.
//!
//! [`opening`] and [`acquisition`] have the order of steps, [`delegate`] the threads where signals act
//! that their own thread can't be made to let in, [`audit`] reads the masks of all threads, and
//! [`siginfo`] decodes what the kernel says of a signal.

mod acquisition;
mod at_start;
mod audit;
mod calls;
mod children;
mod delegate;
mod holds;
pub(crate) mod numbers;
mod opening;
#[cfg(feature = "tokio")]
mod poller;
mod reading;
mod siginfo;
#[cfg(all(test, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod simulation;
mod turn;
mod waiters;
mod waiting;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
/// Of the handshakes of several threads: where they are simulated, another one may go on at each use.
#[cfg(not(all(
    test,
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
use std::sync::atomic;
use std::sync::atomic::AtomicU64;

#[cfg(feature = "tokio")]
use self::acquisition::{Acquisition, Released};
pub(super) use self::audit::own_tid as tid;
pub(crate) use self::calls::pidfd;
pub(super) use self::calls::{everything, set_mask, wait, wake};
use self::opening::{Descriptors, Opened};
#[cfg(feature = "tokio")]
pub(crate) use self::poller::Poller;
#[cfg(feature = "tokio")]
use self::reading::Second;
use super::actions::Action;
use super::kernel::Os;
#[cfg(all(target_os = "linux", target_env = "musl"))]
use super::posix_spawn::AddChdir;
use super::process::locked_anyhow;
#[cfg(all(test, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
use super::simulation::atomic;
use crate::mask::ThreadInfo;
use crate::{OpenError, Signal, SignalInfo, SignalSet};

/// A received signal has to stay blocked in every thread.
pub(super) const MASKED: bool = true;

/// The signals whose disposition an open receiver may have changed.
pub(super) fn touched() -> SignalSet {
    Signal::CHLD.into()
}

pub(super) type Shared = delegate::Delegates;

pub(crate) struct Receiver {
    opened: Opened<Os>,
    #[cfg(feature = "tokio")]
    second: Second,
}

impl From<Opened<Os>> for Receiver {
    fn from(opened: Opened<Os>) -> Receiver {
        Receiver {
            opened,
            #[cfg(feature = "tokio")]
            second: Second::default(),
        }
    }
}

impl Receiver {
    pub(crate) fn open(set: SignalSet, audit: bool) -> Result<Receiver, OpenError> {
        Ok(Opened::open(Os, set, audit)?.into())
    }

    pub(crate) fn set(&self) -> SignalSet {
        self.opened.set()
    }

    pub(crate) fn update(&self, set: SignalSet, audit: bool) -> Result<(), OpenError> {
        self.opened.update(set, audit)
    }

    /// Opens a receiver of what was acquired.
    #[cfg(feature = "tokio")]
    pub(crate) fn open_acquired(acquired: Acquired) -> Result<Receiver, (OpenError, Acquired)> {
        let opened = Opened::open_acquired(*acquired.0);
        opened
            .map(Receiver::from)
            .map_err(|(error, acquired)| (error, Acquired(Box::new(acquired))))
    }

    /// Adds what was acquired. No other thread may be changing the set.
    #[cfg(feature = "tokio")]
    pub(crate) fn widen(&self, acquired: Acquired) -> Result<(), (OpenError, Acquired)> {
        self.opened
            .widen(*acquired.0)
            .map_err(|(error, acquired)| (error, Acquired(Box::new(acquired))))
    }

    /// Changes the set; what is removed acts when the returned part is dropped.
    #[cfg(feature = "tokio")]
    pub(crate) fn change(&self, set: SignalSet, audit: bool) -> Result<Release, OpenError> {
        self.opened.change(set, audit).map(Release)
    }

    /// Has the descriptor yield the signals of `set` alone, until the next change.
    #[cfg(feature = "tokio")]
    pub(crate) fn watch(&self, set: SignalSet) -> io::Result<()> {
        self.opened.watch(set)
    }

    /// As [`read_many`](Self::read_many), of the signals of `set` alone, whatever the descriptor yields;
    /// `None` if there is no descriptor for that. One thread at a time may do this.
    #[cfg(feature = "tokio")]
    pub(crate) fn read_of(
        &self,
        set: SignalSet,
        infos: &mut Vec<SignalInfo>,
        limit: usize,
    ) -> io::Result<Option<usize>> {
        let Some(fd) = self.second.yielding(set & self.set()) else { return Ok(None) };
        reading::read_many(fd, infos, limit).map(Some)
    }

    /// The next record, if there is one.
    pub(crate) fn read_one(&self) -> io::Result<Option<SignalInfo>> {
        reading::read_one(&self.opened.fd)
    }

    /// Appends up to `limit` records and returns their number; stops early at a short read, which
    /// need not mean that nothing is left.
    pub(crate) fn read_many(&self, infos: &mut Vec<SignalInfo>, limit: usize) -> io::Result<usize> {
        reading::read_many(&self.opened.fd, infos, limit)
    }
}

impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.opened.fd.as_fd()
    }
}

/// Signals that a receiver may take, without waiting for anything. Dropping this gives them back.
#[cfg(feature = "tokio")]
pub(crate) struct Acquired(Box<Acquisition<Os>>);

#[cfg(feature = "tokio")]
impl Acquired {
    pub(crate) fn new(set: SignalSet, audit: bool) -> Result<Acquired, OpenError> {
        Ok(Acquired(Box::new(Acquisition::new(Os, set, audit)?)))
    }
}

/// Signals that a receiver has given up: dropping this lets them act.
#[cfg(feature = "tokio")]
pub(crate) struct Release(#[allow(dead_code)] Released<Os>); // for its drop

impl Descriptors for Os {
    type Fd = OwnedFd;
    type Record = libc::siginfo_t;

    fn open(&self, set: SignalSet) -> io::Result<OwnedFd> {
        let fd = calls::signalfd(-1, set, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC)?;
        // SAFETY: a new descriptor, which has no other owner.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }

    fn change(&self, fd: &OwnedFd, set: SignalSet) -> io::Result<()> {
        calls::signalfd(fd.as_raw_fd(), set, 0).map(drop)
    }

    fn unblocked_threads(
        &self,
        set: SignalSet,
        own: &[u32],
    ) -> io::Result<Option<Vec<ThreadInfo>>> {
        audit::unblocked_threads(set, own)
    }

    fn action(&self, signal: Signal) -> io::Result<Action> {
        Action::of(signal)
    }

    fn set_action(&self, signal: Signal, action: &Action) -> io::Result<()> {
        action.set(signal)
    }

    fn take_pending(&self, signal: Signal) -> Option<libc::siginfo_t> {
        calls::take_pending(signal)
    }

    fn put_back(&self, record: libc::siginfo_t) {
        calls::put_back(&record);
    }
}

pub(crate) fn unblocked_threads(set: SignalSet) -> io::Result<Vec<ThreadInfo>> {
    let own = locked_anyhow(&Os, |change| acquisition::own_threads(change));
    audit::unblocked_threads(set, &own)?.ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::Unsupported,
            "/proc is not mounted, or shows no thread's mask (gVisor): none can be read",
        )
    })
}

/// See [`acquisition::reserve`].
pub(crate) fn reserve(set: SignalSet) -> Result<(), OpenError> {
    acquisition::reserve(&Os, set)
}

/// Whether the calling thread is the first of its process.
pub(super) fn is_first_thread() -> bool {
    rustix::thread::gettid() == rustix::process::getpid()
}

/// A page of the process that a fork leaves zeroed in the child (`MADV_WIPEONFORK`, since Linux
/// 4.14); never unmapped.
pub(super) fn wiped_on_fork() -> Option<&'static AtomicU64> {
    let len = size_of::<AtomicU64>(); // the kernel rounds it up to a page
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: maps new memory, wherever there is room.
    let page = unsafe { libc::mmap(ptr::null_mut(), len, access, kind, -1, 0) };
    if page == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: the page was mapped just now, and is private and anonymous.
    if unsafe { libc::madvise(page, len, libc::MADV_WIPEONFORK) } != 0 {
        // SAFETY: the page was mapped just now, and no other thread knows its address.
        unsafe { libc::munmap(page, len) };
        return None;
    }
    // SAFETY: a page is aligned and large enough for the integer, zeroed, and stays mapped.
    Some(unsafe { &*page.cast::<AtomicU64>() })
}

/// musl has it since 2019; to a program that is linked statically, none is shown by `dlsym(3)`.
#[cfg(all(target_os = "linux", target_env = "musl"))]
pub(super) fn add_chdir() -> Option<AddChdir> {
    Some(libc::posix_spawn_file_actions_addchdir_np)
}

#[cfg(all(target_os = "linux", not(target_env = "musl")))]
pub(super) use super::posix_spawn::look_up_add_chdir as add_chdir;

/// No core is dumped from now on, into a file or a pipe.
pub(super) fn forbid_core() {
    // The limit of a core's size would not keep one from a pipe, such as systemd's.
    // The kernel reads full words.
    let [no, unused]: [std::ffi::c_ulong; 2] = [0, 0];
    // SAFETY: sets a flag of this process.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, no, unused, unused, unused) };
}
