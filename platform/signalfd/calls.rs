//! System calls that no library has as they are needed here.

use std::ffi::{CStr, c_ulong};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
#[cfg(not(target_os = "android"))]
use std::os::fd::AsFd;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

#[cfg(not(target_os = "android"))]
use rustix::process::{PidfdFlags, WaitId, WaitIdOptions};
use rustix::thread::futex;

use super::siginfo;
use crate::platform::sigset::own_pid;
use crate::{Signal, SignalSet};

/// The kernel's own `sigset_t`: 64 signals, or 128 on MIPS.
#[cfg(any(
    target_arch = "mips",
    target_arch = "mips32r6",
    target_arch = "mips64",
    target_arch = "mips64r6"
))]
const SIGNALS: usize = 128;
#[cfg(not(any(
    target_arch = "mips",
    target_arch = "mips32r6",
    target_arch = "mips64",
    target_arch = "mips64r6"
)))]
const SIGNALS: usize = 64;

const WORD: usize = c_ulong::BITS as usize;

#[repr(transparent)]
struct KernelSet([c_ulong; SIGNALS / WORD]);

impl KernelSet {
    const SIZE: usize = size_of::<KernelSet>();

    #[allow(clippy::cast_possible_truncation)] // word by word
    fn new(set: SignalSet) -> KernelSet {
        let mut words = [0; SIGNALS / WORD];
        for (index, word) in words.iter_mut().enumerate() {
            *word = (set.bits() >> (index * WORD)) as c_ulong;
        }
        KernelSet(words)
    }

    #[allow(clippy::useless_conversion)] // a word is 32 or 64 bits wide
    fn get(&self) -> SignalSet {
        let words = self.0.iter().enumerate();
        let bits = words.map(|(index, &word)| u128::from(word) << (index * WORD));
        SignalSet::from_bits(bits.fold(0, |all, word| all | word))
    }
}

/// Makes `mask` the calling thread's and returns the one before (`rt_sigprocmask(2)`).
///
/// The system call itself: the C library's function would leave out the signals that it keeps for
/// itself, and lose what the program did to those.
pub(in crate::platform) fn set_mask(mask: SignalSet) -> io::Result<SignalSet> {
    let new = KernelSet::new(mask);
    let mut old = KernelSet::new(SignalSet::EMPTY);
    // SAFETY: both sets are of the size that the kernel is told.
    let done = unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            ptr::from_ref(&new),
            ptr::from_mut(&mut old),
            KernelSet::SIZE,
        )
    };
    if done == 0 { Ok(old.get()) } else { Err(io::Error::last_os_error()) }
}

/// A new signalfd if `fd` is -1, or else that one with another set (`signalfd4(2)`).
pub(super) fn signalfd(fd: RawFd, set: SignalSet, flags: libc::c_int) -> io::Result<RawFd> {
    let set = KernelSet::new(set);
    // SAFETY: the set is of the size that the kernel is told; a number that is no signalfd's is an
    // error.
    let done = unsafe {
        libc::syscall(libc::SYS_signalfd4, fd, ptr::from_ref(&set), KernelSet::SIZE, flags)
    };
    RawFd::try_from(done).ok().filter(|&fd| fd >= 0).ok_or_else(io::Error::last_os_error)
}

/// All that a thread of this crate's own blocks for good: not what the C library keeps for itself, by
/// which it has all threads take part in a `setuid(2)`.
pub(in crate::platform) fn everything() -> SignalSet {
    let libc = (32..libc::SIGRTMIN()).filter_map(Signal::from_raw);
    SignalSet::from_bits(u128::MAX) - libc.collect::<SignalSet>()
}

/// The kernel's `timespec`: of `long`s, for the calls that are as old as signals are; but in programs
/// of the x32 kind as on their 64-bit kernel.
#[repr(C)]
struct KernelTime {
    seconds: KernelLong,
    nanoseconds: KernelLong,
}

#[cfg(all(target_arch = "x86_64", target_pointer_width = "32"))]
type KernelLong = i64;
#[cfg(not(all(target_arch = "x86_64", target_pointer_width = "32")))]
type KernelLong = std::ffi::c_long;

impl KernelTime {
    /// The time, or the longest that the kernel takes.
    fn new(time: Duration) -> KernelTime {
        let seconds = KernelLong::try_from(time.as_secs()).unwrap_or(KernelLong::MAX);
        // Less than 10^9, which every long has room for.
        let nanoseconds = time.subsec_nanos() as KernelLong;
        KernelTime { seconds, nanoseconds }
    }
}

/// Room for a `siginfo_t`, which begins where it has to.
#[repr(C, align(8))]
pub(super) struct Raw(pub(super) [u8; siginfo::SIZE]);

impl Raw {
    #[inline(always)]
    pub(super) fn zeroed() -> Raw {
        Raw([0; siginfo::SIZE])
    }
}

const _: () = assert!(align_of::<Raw>() >= align_of::<libc::siginfo_t>());

/// Takes a signal of the set out of the queue of the calling thread or the process; waits for one
/// until the time is over (`rt_sigtimedwait(2)`). No signal is an error too: `EAGAIN` then, and
/// `EINTR` after a handler or for no reason at all.
///
/// The system call itself: glibc's function makes `SI_USER` of the code `SI_TKILL`.
///
/// The record is written where the caller has room for it: to move it would take as long as to decode
/// it.
#[inline]
pub(super) fn take(set: SignalSet, timeout: Option<Duration>, raw: &mut Raw) -> io::Result<()> {
    let set = KernelSet::new(set);
    let timeout = timeout.map(KernelTime::new);
    // SAFETY: the set is of the size that the kernel is told, the time is there or null, and `raw` has
    // room for what is written.
    let taken = unsafe {
        libc::syscall(
            libc::SYS_rt_sigtimedwait,
            ptr::from_ref(&set),
            raw.0.as_mut_ptr(),
            timeout.as_ref().map_or(ptr::null(), ptr::from_ref),
            KernelSet::SIZE,
        )
    };
    if taken > 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Takes a blocked, pending signal out of the queue.
pub(super) fn take_pending(signal: Signal) -> Option<libc::siginfo_t> {
    let mut raw = Raw::zeroed();
    take(signal.into(), Some(Duration::ZERO), &mut raw).ok()?;
    // SAFETY: it is as large as the record, begins where that may, and was zeroed before the kernel
    // wrote to it: integers and pointers.
    Some(unsafe { ptr::from_ref(&raw).cast::<libc::siginfo_t>().read() })
}

/// A descriptor for a child that has not been waited for (`pidfd_open(2)`, since Linux 5.3); `None` where
/// there is no such call, and for a process that is no child any more.
#[cfg(not(target_os = "android"))]
pub(crate) fn pidfd(pid: i32) -> Option<OwnedFd> {
    let pid = rustix::process::Pid::from_raw(pid)?;
    let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok()?;
    // Another thread may have waited for the child already, and another process have its number.
    let peek = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let found = rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), peek);
    let is_child = !matches!(found, Err(rustix::io::Errno::CHILD));
    is_child.then_some(pidfd)
}

/// None on Android: an app's sandbox may kill for a call that it does not know.
#[cfg(target_os = "android")]
pub(crate) fn pidfd(_: i32) -> Option<OwnedFd> {
    None
}

/// A code that says nothing: no kernel gives it, and its record is of unknown origin.
const SI_UNKNOWN: i32 = -64;

/// Sends this process a signal with the record that it had (`rt_sigqueueinfo(2)`). The first thread
/// may write what it likes there for its own process. Any other may not speak for the kernel: it
/// says nothing of the origin, which is better than to name itself.
pub(super) fn put_back(info: &libc::siginfo_t) {
    // SAFETY: all zeros are a valid record: integers and null pointers.
    let mut unknown: libc::siginfo_t = unsafe { MaybeUninit::zeroed().assume_init() };
    unknown.si_signo = info.si_signo;
    unknown.si_code = SI_UNKNOWN;
    let done = queue(info) || queue(&unknown);
    if !done {
        // A sandbox refuses the call, but may allow the plain one. A full queue refuses neither: it
        // loses the record of a standard signal, and `CHLD` is one.
        // SAFETY: sending a signal touches no memory of ours.
        unsafe { libc::kill(own_pid(), info.si_signo) };
    }
}

fn queue(info: &libc::siginfo_t) -> bool {
    // SAFETY: the record is a whole one.
    let done = unsafe {
        libc::syscall(libc::SYS_rt_sigqueueinfo, own_pid(), info.si_signo, ptr::from_ref(info))
    };
    done == 0
}

/// Opens a file of `/proc` for reading, by its path from a directory (`openat(2)`).
pub(super) fn open_at(directory: BorrowedFd<'_>, path: &CStr) -> io::Result<File> {
    let flags = libc::O_RDONLY | libc::O_CLOEXEC;
    // SAFETY: the path ends with a zero.
    let fd = unsafe { libc::openat(directory.as_raw_fd(), path.as_ptr(), flags) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a new descriptor, which has no other owner.
    Ok(unsafe { File::from_raw_fd(fd) })
}

/// Writes entries of a directory to `entries`, and returns how many bytes; 0 at the end
/// (`getdents64(2)`). The C library's functions ask for the directory's status too, and for memory.
pub(super) fn list(directory: BorrowedFd<'_>, entries: &mut [u8]) -> io::Result<usize> {
    // SAFETY: `entries` has room for as many bytes as the kernel is told.
    let len = unsafe {
        libc::syscall(
            libc::SYS_getdents64,
            directory.as_raw_fd(),
            entries.as_mut_ptr(),
            entries.len(),
        )
    };
    usize::try_from(len).map_err(|_negative| io::Error::last_os_error())
}

/// Sleeps while `word` has the value `seen` (`futex(2)`).
pub(in crate::platform) fn wait(word: &AtomicU32, seen: u32, timeout: Option<Duration>) {
    let timeout = timeout.and_then(|timeout| futex::Timespec::try_from(timeout).ok());
    // Whatever ends it, an interruption too, the caller looks again.
    let _ = futex::wait(word, futex::Flags::PRIVATE, seen, timeout.as_ref());
}

pub(in crate::platform) fn wake(word: &AtomicU32) {
    let _ = futex::wake(word, futex::Flags::PRIVATE, i32::MAX.unsigned_abs());
}
