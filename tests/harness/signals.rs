//! Signals, dispositions and masks, as a program has them that does not use the crate.

use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::libc;
use nix::sys::signal::SigSet;
use signal_source::{Signal, SignalSet};

use super::kernel::KERNEL;

/// This process' pid.
pub fn pid() -> u32 {
    std::process::id()
}

/// Sends a signal to this process.
pub fn send(signal: Signal) {
    signal_source::send::kill(pid(), signal).expect("a process may signal itself");
}

pub(super) fn set_action(signal: Signal, handler: libc::sighandler_t) {
    set_action_with(signal, handler, 0);
}

fn set_action_with(signal: Signal, handler: libc::sighandler_t, flags: libc::c_int) {
    // SAFETY: all zeros are a valid action.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = handler;
    action.sa_flags = flags;
    // SAFETY: the action ignores, is the default, or a function that only counts.
    let set = unsafe { libc::sigaction(signal.as_raw(), &action, ptr::null_mut()) };
    assert_eq!(set, 0, "the action of {signal}");
}

/// Ignores CHLD, with a flag that says nothing then but is the program's.
pub fn ignore_children_with_a_flag() {
    set_action_with(Signal::CHLD, libc::SIG_IGN, libc::SA_NOCLDSTOP);
}

/// The flags of CHLD's action.
pub fn flags_of_chld() -> libc::c_int {
    // SAFETY: all zeros are a valid action.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    // SAFETY: writes the action alone.
    assert_eq!(unsafe { libc::sigaction(libc::SIGCHLD, ptr::null(), &mut action) }, 0);
    action.sa_flags
}

pub fn set_default(signal: Signal) {
    set_action(signal, libc::SIG_DFL);
}

pub fn set_ignored(signal: Signal) {
    set_action(signal, libc::SIG_IGN);
}

static HITS: [AtomicUsize; 129] = [const { AtomicUsize::new(0) }; 129];

extern "C" fn count(number: libc::c_int) {
    if let Some(hits) = usize::try_from(number).ok().and_then(|number| HITS.get(number)) {
        hits.fetch_add(1, Ordering::SeqCst);
    }
}

/// Installs a handler that counts: [`hits`].
pub fn set_counting(signal: Signal) {
    set_action(signal, count as extern "C" fn(libc::c_int) as libc::sighandler_t);
}

/// How often the counting handler ran.
pub fn hits(signal: Signal) -> usize {
    HITS[usize::try_from(signal.as_raw()).expect("a number")].load(Ordering::SeqCst)
}

/// The calling thread's mask, asked of the C library alone.
pub fn raw_mask() -> SignalSet {
    members(SigSet::thread_get_mask().expect("a mask").as_ref())
}

/// What is pending for the process or the calling thread, asked of the C library alone.
pub fn raw_pending() -> SignalSet {
    let mut pending = *SigSet::empty().as_ref();
    // SAFETY: writes the set.
    assert_eq!(unsafe { libc::sigpending(&mut pending) }, 0);
    members(&pending)
}

fn members(set: &libc::sigset_t) -> SignalSet {
    // SAFETY: the set is initialised, and a number that does not exist is refused.
    let contains = |number| unsafe { libc::sigismember(set, number) } == 1;
    (1..=128).filter(|&number| contains(number)).filter_map(Signal::from_raw).collect()
}

/// A set of the calling thread as the kernel shows it (`SigBlk:`, `SigIgn:`), less the numbers that
/// the C library keeps.
#[cfg(target_os = "linux")]
pub fn shown(name: &str) -> SignalSet {
    let status = std::fs::read_to_string("/proc/thread-self/status").expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
    let bits = u128::from_str_radix(line.trim(), 16).expect("hexadecimal");
    let signals = (1..=KERNEL.highest).filter(|number| bits >> (number - 1) & 1 == 1);
    let signals = signals.map(|number| Signal::from_raw(number).expect("a signal"));
    signals.filter(|signal| signal.disposition().is_ok()).collect()
}

/// Blocks all in the calling thread, the signals that the C library keeps too, for good.
#[cfg(target_os = "linux")]
pub fn block_beyond_libc() {
    // On MIPS the kernel's set has 128 signals.
    let all = [u64::MAX; 2];
    let none = ptr::null_mut::<u64>();
    let size = if KERNEL.highest > 64 { size_of_val(&all) } else { size_of::<u64>() };
    // SAFETY: reads a set of the kernel's size.
    let done = unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_BLOCK, &raw const all, none, size)
    };
    assert_eq!(done, 0);
}

/// Blocks the set in the calling thread, as a program does that does not use this crate.
pub fn raw_block(set: impl Into<SignalSet>) {
    change_mask(libc::SIG_BLOCK, set.into());
}

/// Unblocks the set in the calling thread, as a program does that does not use this crate.
pub fn raw_unblock(set: impl Into<SignalSet>) {
    change_mask(libc::SIG_UNBLOCK, set.into());
}

fn change_mask(how: libc::c_int, set: SignalSet) {
    let mut raw = *SigSet::empty().as_ref();
    for signal in set {
        // SAFETY: the set is initialised, and a number that does not exist is refused.
        unsafe { libc::sigaddset(&mut raw, signal.as_raw()) };
    }
    // SAFETY: reads an initialised set.
    assert_eq!(unsafe { libc::pthread_sigmask(how, &raw, ptr::null_mut()) }, 0);
}

static EXIT_CODE: AtomicUsize = AtomicUsize::new(0);

extern "C" fn exit(_number: libc::c_int) {
    // Not allowed in a handler, and done in many a program.
    std::process::exit(EXIT_CODE.load(Ordering::SeqCst).try_into().unwrap_or(1))
}

/// Installs a handler that exits with the code, in the way of programs that know no better.
pub fn set_exiting(signal: Signal, code: u8) {
    EXIT_CODE.store(code.into(), Ordering::SeqCst);
    set_action(signal, exit as extern "C" fn(libc::c_int) as libc::sighandler_t);
}

/// Reads where there is no memory.
pub fn fault() {
    set_default(Signal::SEGV); // Rust's own handler prints about overflowed stacks
    let page = 4096;
    let (nowhere, private) = (ptr::null_mut(), libc::MAP_PRIVATE | libc::MAP_ANON);
    // SAFETY: new memory, which no other code uses, and which can't be read.
    let memory = unsafe { libc::mmap(nowhere, page, libc::PROT_NONE, private, -1, 0) };
    assert_ne!(memory, libc::MAP_FAILED);
    // SAFETY: faults, on purpose: the address is mapped and may not be read.
    unsafe { memory.cast::<u8>().read_volatile() };
}

/// Sends a signal to the calling thread.
pub fn raise(signal: Signal) {
    // SAFETY: sending a signal touches no memory of ours.
    assert_eq!(unsafe { libc::raise(signal.as_raw()) }, 0);
}
