//! Children: `CommandExt::restore_signals`.
#![allow(unsafe_code)] // `pre_exec`, and an allocator that refuses

mod harness;

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt as _, ExitStatusExt};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use harness::kernel::KERNEL;
use harness::{
    descriptors, in_fork, pid, play, role, send, set_counting, set_default, set_ignored,
};
use nix::sys::signal::{SigSet, SigmaskHow};
use signal_source::process::CommandExt;
use signal_source::{Disposition, Signal, SignalSet, Signals, mask};

const TERM_AND_USR1: SignalSet = SignalSet::EMPTY.with(Signal::TERM).with(Signal::USR1);

fn main() {
    harness::main(
        cases![
            receiver_open,
            receiver_of_everything_open,
            receiver_updated,
            receiver_dropped,
            receiver_dropped_after_the_spawning_thread_was_born,
            receiver_opened_in_another_thread,
            receiver_of_a_thread_that_has_gone,
            guard_open,
            guard_kept,
            guard_of_everything_kept,
            opened_and_dropped_all_the_while,
            the_programs_own_block_stays,
            the_programs_own_ignoring_stays,
            children_ignored_before,
            children_ignored_before_and_caught_meanwhile,
            from_a_forked_child,
            from_a_tokio_worker,
            asked_for_twice,
            asked_for_before_opening,
            exec_without_a_child,
            a_pending_signal_acts_at_exec => harness::End::DiesOf(Signal::TERM),
            the_child_dies_of_what_the_parent_receives,
            no_descriptor_reaches_the_child,
            nothing_is_allocated_between_fork_and_exec,
            without_it_the_child_inherits,
        ],
        roles![report, sleeper, executes],
    );
}

/// What a process starts with, as it sees it itself: the signals blocked, and the signals ignored.
fn report(_: &[String]) {
    let blocked = mask::current().expect("mask");
    let ignored = |signal: &Signal| signal.disposition().is_ok_and(|d| d == Disposition::Ignore);
    let ignored: SignalSet = SignalSet::all().iter().filter(ignored).collect();
    println!("blocked {blocked:?}, ignored {ignored:?}, descriptors {}", descriptors());
    #[cfg(target_os = "linux")]
    assert_eq!((blocked, ignored), (status("SigBlk:"), status("SigIgn:")));
}

/// A set of this process, as the kernel shows it; less the numbers that the C library keeps.
#[cfg(target_os = "linux")]
fn status(name: &str) -> SignalSet {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
    let bits = u64::from_str_radix(line.trim(), 16).expect("hexadecimal");
    let signals = (1..=64).filter(|number| bits >> (number - 1) & 1 == 1);
    let signals = signals.map(|number| Signal::from_raw(number).expect("a signal"));
    signals.filter(|signal| signal.disposition().is_ok()).collect()
}

/// Waits to be killed.
fn sleeper(_: &[String]) {
    println!("ready");
    loop {
        thread::park();
    }
}

/// What a command prints. Its status is judged only if it is to be had: whoever ignores CHLD is
/// told none.
fn printed(command: &mut Command) -> String {
    let mut child = command.stdout(Stdio::piped()).spawn().expect("a role starts");
    let output = std::io::read_to_string(child.stdout.take().expect("a pipe")).expect("text");
    if let Ok(status) = child.wait() {
        assert!(status.success(), "{status}");
    }
    output
}

/// What a plain child starts with.
fn plain() -> String {
    printed(&mut role("report", &[]))
}

/// What a child with `restore_signals` starts with.
fn restored() -> String {
    printed(role("report", &[]).restore_signals())
}

fn open(set: impl Into<SignalSet>) -> Signals {
    Signals::new(set).expect("open")
}

/// Opens where the other threads do not block the set.
fn open_unaudited(set: impl Into<SignalSet>) -> Signals {
    Signals::builder().audit(false).open(set).expect("open")
}

/// The mask is the program's own doing.
fn block_by_hand(set: SignalSet) {
    let mut raw = SigSet::empty();
    for signal in set {
        raw.add(nix::sys::signal::Signal::try_from(signal.as_raw()).expect("a standard signal"));
    }
    raw.thread_swap_mask(SigmaskHow::SIG_BLOCK).expect("mask");
}

// origin: own probe 11/A
fn receiver_open() {
    let before = plain();
    let signals = open([Signal::TERM, Signal::HUP, Signal::CHLD]);
    assert_eq!(restored(), before);
    drop(signals);
}

fn receiver_of_everything_open() {
    let before = plain();
    let all = if KERNEL.cont { SignalSet::all() } else { SignalSet::all().without(Signal::CONT) };
    let signals = open(all);
    assert_eq!(restored(), before);
    drop(signals);
}

fn receiver_updated() {
    let before = plain();
    let mut signals = open(TERM_AND_USR1);
    signals.update([Signal::USR1, Signal::HUP]).expect("update");
    assert_eq!(restored(), before);
}

fn receiver_dropped() {
    let before = plain();
    drop(open(TERM_AND_USR1));
    assert_eq!(restored(), before);
    assert_eq!(plain(), before);
}

fn receiver_dropped_after_the_spawning_thread_was_born() {
    let before = plain();
    let signals = open(TERM_AND_USR1);
    let (go, gone) = channel();
    let spawner = thread::spawn(move || {
        gone.recv().expect("the receiver goes");
        (plain(), restored())
    });
    drop(signals);
    go.send(()).expect("the thread waits");
    let (inherited, restored) = spawner.join().expect("no panic");
    assert_eq!(restored, before);
    // The thread itself still blocks what it was born with.
    assert_eq!(inherited != before, KERNEL.masked);
}

fn receiver_opened_in_another_thread() {
    let before = plain();
    let (opened, is_open) = channel();
    let (go, gone) = channel::<()>();
    let opener = thread::spawn(move || {
        let signals = open_unaudited(TERM_AND_USR1);
        let here = restored();
        let born_there = thread::spawn(restored).join().expect("no panic");
        opened.send([here, born_there]).expect("main waits");
        let _ = gone.recv();
        drop(signals);
    });
    for seen in is_open.recv().expect("it opens") {
        assert_eq!(seen, before);
    }
    assert_eq!(restored(), before);
    drop(go);
    opener.join().expect("no panic");
    assert_eq!(restored(), before);
}

fn receiver_of_a_thread_that_has_gone() {
    let before = plain();
    let opener = thread::spawn(|| (open_unaudited(TERM_AND_USR1), thread::spawn(thread::park)));
    let (signals, _born_there) = opener.join().expect("no panic");
    assert_eq!(restored(), before);
    drop(signals);
    assert_eq!(restored(), before);
}

fn guard_open() {
    let before = plain();
    let guard = mask::block(TERM_AND_USR1).expect("block");
    assert_ne!(plain(), before);
    assert_eq!(restored(), before);
    drop(guard);
    assert_eq!(plain(), before);
}

fn guard_kept() {
    let before = plain();
    mask::block(TERM_AND_USR1).expect("block").keep();
    assert_ne!(plain(), before);
    assert_eq!(restored(), before);
    assert_eq!(thread::spawn(restored).join().expect("no panic"), before);
}

fn guard_of_everything_kept() {
    let before = plain();
    let every = (1..=128).filter_map(Signal::from_raw);
    let every: SignalSet = every.filter(|s| ![Signal::KILL, Signal::STOP].contains(s)).collect();
    mask::block(every).expect("block").keep();
    assert_eq!(restored(), before);
}

fn opened_and_dropped_all_the_while() {
    set_ignored(Signal::CHLD);
    let before = plain();
    let over = Arc::new(AtomicBool::new(false));
    let over_too = Arc::clone(&over);
    let opener = thread::spawn(move || {
        // Threads that are born with the block, or just without it, spawn too.
        let mut spawners = Vec::new();
        while !over_too.load(Ordering::SeqCst) {
            let signals = open_unaudited([Signal::TERM, Signal::USR1, Signal::CHLD]);
            if spawners.len() < 50 {
                spawners.push(thread::spawn(restored));
            }
            drop(signals);
            drop(mask::block(TERM_AND_USR1).expect("block"));
        }
        spawners
    });
    for _ in 0..200 {
        assert_eq!(restored(), before);
    }
    over.store(true, Ordering::SeqCst);
    for spawner in opener.join().expect("no panic") {
        assert_eq!(spawner.join().expect("no panic"), before);
    }
}

fn the_programs_own_block_stays() {
    block_by_hand([Signal::USR2, Signal::HUP].into());
    let before = plain();
    assert!(before.contains("blocked {SIGHUP, SIGUSR2}"), "{before}");
    let signals = open([Signal::TERM, Signal::USR2]);
    assert_eq!(restored(), before);
    drop(signals);
    assert_eq!(restored(), before);
}

fn the_programs_own_ignoring_stays() {
    set_ignored(Signal::HUP);
    set_ignored(Signal::USR1);
    let before = plain();
    assert!(before.contains("SIGHUP"), "{before}");
    let signals = open([Signal::TERM, Signal::USR1]);
    assert_eq!(restored(), before);
    drop(signals);
}

fn children_ignored_before() {
    set_ignored(Signal::CHLD);
    // FreeBSD and its kin put CHLD back to its default at every exec; Linux and macOS do not.
    let before = plain();
    let mut signals = open([Signal::CHLD, Signal::TERM]);
    assert_eq!(restored(), before);
    signals.update(Signal::TERM).expect("update");
    assert_eq!(restored(), before);
    drop(signals);
    assert_eq!(restored(), before);
}

fn children_ignored_before_and_caught_meanwhile() {
    let before = plain();
    set_ignored(Signal::CHLD);
    let signals = open(Signal::CHLD);
    set_counting(Signal::CHLD);
    // As without the receiver: exec puts a handled signal to its default.
    assert_eq!(restored(), before);
    drop(signals);
    set_default(Signal::CHLD);
    assert_eq!(restored(), before);
}

fn from_a_forked_child() {
    let before = plain();
    let signals = open(TERM_AND_USR1);
    in_fork(|| assert_eq!(restored(), before));
    in_fork(|| {
        drop(signals);
        let signals = open(Signal::HUP);
        assert_eq!(restored(), before);
        drop(signals);
    });
}

fn from_a_tokio_worker() {
    let before = plain();
    let signals = open([Signal::TERM, Signal::USR1]);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let spawned = runtime.spawn(async {
        let mut command = tokio::process::Command::from(role("report", &[]));
        command.as_std_mut().restore_signals();
        command.output().await.expect("a role starts")
    });
    let Output { status, stdout, .. } = runtime.block_on(spawned).expect("no panic");
    assert!(status.success(), "{status}");
    assert_eq!(String::from_utf8(stdout).expect("text"), before);
    drop(signals);
}

fn asked_for_twice() {
    let before = plain();
    let _signals = open(TERM_AND_USR1);
    let mut command = role("report", &[]);
    command.restore_signals().restore_signals();
    // Decided at each spawn, not when it was asked for.
    assert_eq!(printed(&mut command), before);
    assert_eq!(printed(&mut command), before);
}

fn asked_for_before_opening() {
    let before = plain();
    let mut command = role("report", &[]);
    command.restore_signals();
    let _signals = open(TERM_AND_USR1);
    assert_eq!(printed(&mut command), before);
}

/// Opens a receiver, then becomes another program.
fn executes(_: &[String]) {
    let signals = open(TERM_AND_USR1);
    let error = role("report", &[]).restore_signals().exec();
    drop(signals);
    panic!("exec: {error}");
}

fn exec_without_a_child() {
    assert_eq!(play("executes", &[]), plain());
}

fn a_pending_signal_acts_at_exec() {
    let signals = open(Signal::TERM);
    send(Signal::TERM);
    if !KERNEL.masked {
        // Ignored while it is received, so nothing is pending in the process.
        drop(signals);
    }
    let _ = role("report", &[]).restore_signals().exec();
}

fn the_child_dies_of_what_the_parent_receives() {
    let signals = open(Signal::TERM);
    let mut child =
        role("sleeper", &[]).restore_signals().stdout(Stdio::piped()).spawn().expect("it starts");
    let mut ready = String::new();
    let stdout = child.stdout.take().expect("a pipe");
    BufReader::new(stdout).read_line(&mut ready).expect("it is ready");
    signal_source::send::kill(pid(), Signal::TERM).expect("kill");
    signal_source::send::kill(child.id(), Signal::TERM).expect("kill");
    let status = child.wait().expect("wait");
    assert_eq!(status.signal(), Some(Signal::TERM.as_raw()), "{status}");
    assert_eq!(signals.recv().expect("recv").signal(), Signal::TERM);
}

// origin: gVisor Cloexec, LTP signalfd4 (K3)
fn no_descriptor_reaches_the_child() {
    let count = |report: &str| report.rsplit(' ').next().map(str::to_owned);
    let before = count(&plain());
    let _signals = open(TERM_AND_USR1);
    assert_eq!(count(&plain()), before);
    assert_eq!(count(&restored()), before);
}

/// Ends the process if it allocates while it must not.
struct Strict;

static STRICT: AtomicBool = AtomicBool::new(false);
const ALLOCATED: i32 = 97;

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Strict {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        refuse();
        // SAFETY: the caller's promise is the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        refuse();
        // SAFETY: the caller's promise is the system allocator's.
        unsafe { System.dealloc(memory, layout) }
    }
}

fn refuse() {
    if STRICT.load(Ordering::Relaxed) {
        // SAFETY: ends the process.
        unsafe { nix::libc::_exit(ALLOCATED) }
    }
}

#[global_allocator]
static ALLOCATOR: Strict = Strict;

fn nothing_is_allocated_between_fork_and_exec() {
    set_ignored(Signal::CHLD);
    let _receiver = open(Signal::CHLD);
    let every: SignalSet = SignalSet::all().without(Signal::CHLD);
    every.iter().filter(|&signal| signal != Signal::CONT).for_each(set_counting);
    let _guard = mask::block(every).expect("block");
    let strict = |on| move || Ok::<(), std::io::Error>(STRICT.store(on, Ordering::Relaxed));
    let mut command = role("report", &[]);
    // SAFETY: a store to an atomic of the child's own.
    unsafe { command.pre_exec(strict(true)) };
    command.restore_signals();
    // SAFETY: as above.
    unsafe { command.pre_exec(strict(false)) };
    let output = command.output().expect("a role starts");
    assert!(output.status.success(), "{}", output.status);
    // The allocator does refuse.
    let mut command = role("report", &[]);
    // SAFETY: as above, but for the allocation, which ends the child.
    unsafe {
        command.pre_exec(|| {
            STRICT.store(true, Ordering::Relaxed);
            drop(std::hint::black_box(Box::new(0)));
            Ok(())
        })
    };
    assert_eq!(command.output().expect("it starts").status.code(), Some(ALLOCATED));
}

/// The negative control, and what the documentation warns of.
fn without_it_the_child_inherits() {
    let before = plain();
    let signals = open(TERM_AND_USR1);
    let inherited = plain();
    let (blocked, ignored) = inherited.split_once(", ignored").expect("two sets");
    let how = if KERNEL.masked { blocked } else { ignored };
    assert!(how.contains("SIGTERM") && how.contains("SIGUSR1"), "{inherited}");
    drop(signals);
    assert_eq!(plain(), before);
}
