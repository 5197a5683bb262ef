//! System calls that no library has as they are needed here.

use std::ffi::c_ulong;
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use rustix::thread::futex;

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

/// All that a thread of this crate's own blocks for good: not what the C library keeps for itself, by
/// which it has all threads take part in a `setuid(2)`.
pub(in crate::platform) fn everything() -> SignalSet {
    let libc = (32..libc::SIGRTMIN()).filter_map(Signal::from_raw);
    SignalSet::from_bits(u128::MAX) - libc.collect::<SignalSet>()
}

/// Takes a blocked, pending signal out of the queue (`rt_sigtimedwait(2)`).
pub(super) fn take_pending(signal: Signal) -> Option<libc::siginfo_t> {
    let set = KernelSet::new(signal.into());
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    // SAFETY: the set is of the size that the kernel is told; `info` has room for what it writes.
    let taken = unsafe {
        libc::syscall(
            libc::SYS_rt_sigtimedwait,
            ptr::from_ref(&set),
            info.as_mut_ptr(),
            ptr::from_ref(&now),
            KernelSet::SIZE,
        )
    };
    // SAFETY: zeroed before, and whatever the kernel wrote is valid: integers and pointers.
    (taken > 0).then(|| unsafe { info.assume_init() })
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
        // The queue of pending signals is full, where only a plain one needs no place.
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

/// Sleeps while `word` has the value `seen` (`futex(2)`).
pub(in crate::platform) fn wait(word: &AtomicU32, seen: u32, timeout: Option<Duration>) {
    let timeout = timeout.and_then(|timeout| futex::Timespec::try_from(timeout).ok());
    // Whatever ends it, an interruption too, the caller looks again.
    let _ = futex::wait(word, futex::Flags::PRIVATE, seen, timeout.as_ref());
}

pub(in crate::platform) fn wake(word: &AtomicU32) {
    let _ = futex::wake(word, futex::Flags::PRIVATE, i32::MAX.unsigned_abs());
}
