//! Linux and Android: `signalfd(2)`.
//!
//! A signal is received instead of acting only while it is blocked, in *every* thread, for the
//! kernel gives it to any thread that lets it in. So opening blocks the set in the calling thread
//! and audits the others.

mod audit;
mod delegate;
pub(crate) mod numbers;
#[cfg(feature = "tokio")]
mod poller;
mod siginfo;

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::ptr;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use nix::libc;
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use self::delegate::Delegate;
#[cfg(feature = "tokio")]
pub(crate) use self::poller::Poller;
use super::generation::generation;
use super::masks::{self, Hold};
use super::sigset::{self, Action};
use super::state::{self, State};
use crate::mask::ThreadInfo;
use crate::{Disposition, OpenError, Signal, SignalInfo, SignalSet};

/// A received signal has to stay blocked in every thread.
pub(super) const MASKED: bool = true;

/// The signals whose disposition an open receiver may have changed.
pub(super) fn touched() -> SignalSet {
    Signal::CHLD.into()
}

/// Records of one `read(2)`: beyond this many, a larger buffer gains nothing.
const BATCH: usize = 64;

/// Room for records. Each fills two cache lines, which the kernel writes faster if it fills them
/// whole.
#[repr(align(64))]
struct Records<const N: usize>([[MaybeUninit<u8>; siginfo::SIZE]; N]);

impl<const N: usize> Records<N> {
    fn new() -> Records<N> {
        Records([[MaybeUninit::uninit(); siginfo::SIZE]; N])
    }

    fn bytes(&mut self) -> &mut [MaybeUninit<u8>] {
        self.0.as_flattened_mut()
    }
}

#[derive(Default)]
pub(super) struct Shared {
    delegate: Option<Delegate>,
}

pub(crate) struct Receiver {
    fd: SignalFd,
    set: SignalSet,
    /// One for each thread that the receiver blocked signals in: `update` may run on another.
    holds: Vec<Hold>,
    /// The action of SIGCHLD before, if that was ignored.
    chld: Option<Action>,
    /// Of the process that opened it; a forked child inherits the descriptor, not the claims.
    generation: u64,
}

impl Receiver {
    pub(crate) fn open(set: SignalSet, audit: bool) -> Result<Receiver, OpenError> {
        let mut state = state::lock();
        let (hold, chld) = acquire(&mut state, set, audit)?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        match SignalFd::with_flags(&sigset::to_sigset(set), flags) {
            Ok(fd) => {
                let (holds, generation) = (vec![hold], generation());
                Ok(Receiver { fd, set, holds, chld, generation })
            }
            Err(errno) => {
                give_back(&mut state, &mut [hold], set, chld);
                Err(OpenError::Os(errno.into()))
            }
        }
    }

    pub(crate) fn update(&mut self, set: SignalSet, audit: bool) -> Result<(), OpenError> {
        self.change(set, audit).map(drop)
    }

    /// Changes the set; what is removed acts when the returned part is dropped.
    pub(crate) fn change(&mut self, set: SignalSet, audit: bool) -> Result<Release, OpenError> {
        let mut state = state::lock();
        if self.generation != generation() {
            return Err(OpenError::Os(io::Error::other(
                "this receiver was inherited from the process that forked, whose set would change \
                 too: open one in this process",
            )));
        }
        let (added, removed) = (set - self.set, self.set - set);
        let (hold, chld) = acquire(&mut state, added, audit)?;
        if let Err(errno) = self.fd.set_mask(&sigset::to_sigset(set)) {
            give_back(&mut state, &mut [hold], added, chld);
            return Err(OpenError::Os(errno.into()));
        }
        self.set = set;
        self.holds.push(hold);
        let removed_chld = self.chld.take_if(|_| removed.contains(Signal::CHLD));
        self.chld = self.chld.or(chld);
        let holds = self.holds.iter_mut().map(|hold| hold.split(removed)).collect();
        self.holds.retain(|hold| !hold.set.is_empty());
        Ok(Release { set: removed, holds, chld: removed_chld, generation: self.generation })
    }

    /// Has the descriptor yield the signals of `set` alone, until the next change. The others stay
    /// blocked and claimed, and in the kernel's queue.
    #[cfg(feature = "tokio")]
    pub(crate) fn watch(&mut self, set: SignalSet) -> io::Result<()> {
        Ok(self.fd.set_mask(&sigset::to_sigset(set & self.set))?)
    }

    /// The next record, if there is one.
    pub(crate) fn read_one(&self) -> io::Result<Option<SignalInfo>> {
        let mut buffer = Records::<1>::new();
        match self.read(buffer.bytes())?.first_chunk() {
            None => Ok(None),
            Some(record) => siginfo::decode(record).map(Some).ok_or_else(no_signal),
        }
    }

    /// Appends up to `limit` records and returns their number; stops early at a short read, which
    /// need not mean that nothing is left.
    pub(crate) fn read_many(&self, infos: &mut Vec<SignalInfo>, limit: usize) -> io::Result<usize> {
        let mut buffer = Records::<BATCH>::new();
        let mut total = 0;
        while total < limit {
            let batch = BATCH.min(limit - total);
            let bytes = match self.read(&mut buffer.bytes()[..batch * siginfo::SIZE]) {
                Ok(bytes) => bytes,
                // What was read stays read; the error will come again.
                Err(_) if total > 0 => break,
                Err(error) => return Err(error),
            };
            let records = bytes.chunks_exact(siginfo::SIZE);
            let count = records.len();
            infos.reserve(count);
            for record in records {
                infos.extend(record.first_chunk().and_then(siginfo::decode));
            }
            total += count;
            if count < batch {
                break;
            }
        }
        Ok(total)
    }

    /// What one `read(2)` gives: whole records, or nothing if nothing is pending.
    fn read<'a>(&self, buffer: &'a mut [MaybeUninit<u8>]) -> io::Result<&'a [u8]> {
        match rustix::io::read(&self.fd, buffer) {
            Ok((records, _)) => Ok(records),
            Err(Errno::AGAIN) => Ok(&[]),
            Err(errno) => Err(errno.into()),
        }
    }

    pub(crate) fn wait(&self, timeout: Option<Duration>) -> io::Result<()> {
        // More seconds than the kernel counts are as good as for ever.
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        match rustix::event::poll(&mut [PollFd::new(&self.fd, PollFlags::IN)], timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// Signals that a receiver has given up: dropping this lets them act.
pub(crate) struct Release {
    set: SignalSet,
    holds: Vec<Hold>,
    chld: Option<Action>,
    generation: u64,
}

impl Drop for Release {
    fn drop(&mut self) {
        if !self.set.is_empty() && self.generation == generation() {
            give_back(&mut state::lock(), &mut self.holds, self.set, self.chld);
        }
    }
}

impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let mut state = state::lock();
        if self.generation == generation() {
            give_back(&mut state, &mut self.holds, self.set, self.chld);
        } else {
            // In a forked child: the claims, if any, are other receivers'.
            let chld = self.chld.filter(|_| !state.claimed().contains(Signal::CHLD));
            chld.iter().for_each(reignore_children);
            for hold in &mut self.holds {
                masks::release_inherited(&mut state, hold);
            }
        }
    }
}

/// Claims the set, blocks it in the calling thread and sees that every other thread blocks it too;
/// or undoes it all. Returns the action of SIGCHLD before, if that was ignored.
fn acquire(
    state: &mut State,
    set: SignalSet,
    audit: bool,
) -> Result<(Hold, Option<Action>), OpenError> {
    state.claim(set)?;
    let mut hold = match masks::hold(state, set) {
        Ok(hold) => hold,
        Err(error) => {
            state.unclaim(set);
            return Err(OpenError::Os(error));
        }
    };
    let chld = if set.contains(Signal::CHLD) { unignore_children() } else { None };
    let audited = if audit { audited(state, set) } else { Ok(()) };
    if let Err(error) = audited {
        give_back(state, std::slice::from_mut(&mut hold), set, chld);
        return Err(error);
    }
    Ok((hold, chld))
}

fn audited(state: &State, set: SignalSet) -> Result<(), OpenError> {
    if set.is_empty() {
        return Ok(());
    }
    // Where /proc is not mounted there is nothing to read: the program has to know its threads.
    let delegate = state.backend.delegate.as_ref().map(|delegate| delegate.tid);
    let threads = audit::unblocked_threads(set, delegate)?.unwrap_or_default();
    if threads.is_empty() {
        return Ok(());
    }
    let signals = threads.iter().fold(SignalSet::EMPTY, |all, thread| all | thread.unblocked);
    Err(OpenError::UnblockedThreads { signals, threads })
}

/// Undoes [`acquire`] for the set, in the opposite order: what is pending acts.
fn give_back(state: &mut State, holds: &mut [Hold], set: SignalSet, chld: Option<Action>) {
    chld.iter().for_each(reignore_children);
    // Under the lock no audit looks, so the claim may go first; the masks depend on it.
    state.unclaim(set);
    for hold in holds {
        masks::release(state, hold, set);
    }
}

/// Linux makes no SIGCHLD at all while it is ignored. Returns the action before, if so.
fn unignore_children() -> Option<Action> {
    let earlier = Action::of(Signal::CHLD).ok()?;
    if earlier.disposition() != Disposition::Ignore {
        return None;
    }
    set_keeping_pending(Signal::CHLD, &Action::default().marked(Disposition::Ignore));
    Some(earlier)
}

fn reignore_children(earlier: &Action) {
    // Whoever has set another disposition meanwhile keeps it.
    if Action::of(Signal::CHLD).is_ok_and(|action| action.mark(Signal::CHLD).is_some()) {
        set_keeping_pending(Signal::CHLD, earlier);
    }
}

/// Sets the action of a blocked signal. The kernel discards a pending one if the new action ignores
/// it, so it is sent once more.
fn set_keeping_pending(signal: Signal, action: &Action) {
    let pending = sigset::pending().contains(signal);
    let done = action.set(signal);
    debug_assert!(done.is_ok(), "the disposition of {signal} is the program's to set");
    if pending {
        // A process may send itself anything.
        let sent = sigset::kill(nix::unistd::getpid().as_raw(), signal);
        debug_assert!(sent.is_ok(), "{signal} to oneself");
    }
}

/// Has the delegate thread let in `set`, and nothing else.
pub(super) fn act_for(state: &mut State, set: SignalSet) {
    let delegate = &mut state.backend.delegate;
    if delegate.is_none() && !set.is_empty() {
        *delegate = Delegate::start().ok();
    }
    match delegate {
        Some(delegate) => delegate.let_in(set),
        // No thread to be had: better this one than none.
        None => sigset::unblock(set),
    }
}

pub(crate) fn unblocked_threads(set: SignalSet) -> io::Result<Vec<ThreadInfo>> {
    let state = state::lock();
    let delegate = state.backend.delegate.as_ref().map(|delegate| delegate.tid);
    audit::unblocked_threads(set, delegate)?.ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::Unsupported,
            "/proc is not mounted: no thread's mask can be read",
        )
    })
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
        // SAFETY: nobody has seen the page.
        unsafe { libc::munmap(page, len) };
        return None;
    }
    // SAFETY: a page is aligned and large enough for the integer, zeroed, and stays mapped.
    Some(unsafe { &*page.cast::<AtomicU64>() })
}

/// No core is dumped from now on, into a file or a pipe.
pub(super) fn forbid_core() {
    // The limit of a core's size would not keep one from a pipe, such as systemd's.
    // nix has the call on Linux alone, not on Android. The kernel reads full words.
    let [no, unused]: [std::ffi::c_ulong; 2] = [0, 0];
    // SAFETY: sets a flag of this process.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, no, unused, unused, unused) };
}

fn no_signal() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the kernel's record has no signal's number")
}
