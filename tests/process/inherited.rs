//! The child starts with the mask and dispositions that the program has without this crate.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use nix::sys::signal::{SigSet, SigmaskHow};
use signal_source::{Signal, SignalSet, mask};

use crate::harness::kernel::KERNEL;
use crate::harness::{in_fork, open, open_unaudited, set_counting, set_default, set_ignored};
use crate::report::{TERM_AND_USR1, plain, restored};

/// Blocks without this crate.
fn block_by_hand(set: SignalSet) {
    let mut raw = SigSet::empty();
    for signal in set {
        raw.add(nix::sys::signal::Signal::try_from(signal.as_raw()).expect("a standard signal"));
    }
    raw.thread_swap_mask(SigmaskHow::SIG_BLOCK).expect("mask");
}

// origin: own probe 11/A
pub fn receiver_open() {
    let before = plain();
    let signals = open([Signal::TERM, Signal::HUP, Signal::CHLD]);
    assert_eq!(restored(), before);
    drop(signals);
}

pub fn receiver_of_everything_open() {
    let before = plain();
    let all = if KERNEL.cont { SignalSet::all() } else { SignalSet::all().without(Signal::CONT) };
    let signals = open(all);
    assert_eq!(restored(), before);
    drop(signals);
}

pub fn receiver_updated() {
    let before = plain();
    let signals = open(TERM_AND_USR1);
    signals.update([Signal::USR1, Signal::HUP]).expect("update");
    assert_eq!(restored(), before);
}

pub fn receiver_dropped() {
    let before = plain();
    drop(open(TERM_AND_USR1));
    assert_eq!(restored(), before);
    assert_eq!(plain(), before);
}

pub fn receiver_dropped_after_the_spawning_thread_was_born() {
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

pub fn receiver_opened_in_another_thread() {
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

pub fn receiver_of_a_thread_that_has_gone() {
    let before = plain();
    let opener = thread::spawn(|| (open_unaudited(TERM_AND_USR1), thread::spawn(thread::park)));
    let (signals, _born_there) = opener.join().expect("no panic");
    assert_eq!(restored(), before);
    drop(signals);
    assert_eq!(restored(), before);
}

pub fn guard_open() {
    let before = plain();
    let guard = mask::block(TERM_AND_USR1).expect("block");
    assert_ne!(plain(), before);
    assert_eq!(restored(), before);
    drop(guard);
    assert_eq!(plain(), before);
}

pub fn guard_kept() {
    let before = plain();
    mask::block(TERM_AND_USR1).expect("block").keep();
    assert_ne!(plain(), before);
    assert_eq!(restored(), before);
    assert_eq!(thread::spawn(restored).join().expect("no panic"), before);
}

pub fn guard_of_everything_kept() {
    let before = plain();
    let every = (1..=128).filter_map(Signal::from_raw);
    let every: SignalSet = every.filter(|s| ![Signal::KILL, Signal::STOP].contains(s)).collect();
    mask::block(every).expect("block").keep();
    assert_eq!(restored(), before);
}

pub fn opened_and_dropped_all_the_while() {
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

pub fn the_programs_own_block_stays() {
    block_by_hand([Signal::USR2, Signal::HUP].into());
    let before = plain();
    assert!(before.contains("blocked {SIGHUP, SIGUSR2}"), "{before}");
    let signals = open([Signal::TERM, Signal::USR2]);
    assert_eq!(restored(), before);
    drop(signals);
    assert_eq!(restored(), before);
}

pub fn the_programs_own_ignoring_stays() {
    set_ignored(Signal::HUP);
    set_ignored(Signal::USR1);
    let before = plain();
    assert!(before.contains("SIGHUP"), "{before}");
    let signals = open([Signal::TERM, Signal::USR1]);
    assert_eq!(restored(), before);
    drop(signals);
}

pub fn children_ignored_before() {
    set_ignored(Signal::CHLD);
    // FreeBSD and its kin put CHLD back to its default at every exec; Linux and macOS do not.
    let before = plain();
    let signals = open([Signal::CHLD, Signal::TERM]);
    assert_eq!(restored(), before);
    signals.update(Signal::TERM).expect("update");
    assert_eq!(restored(), before);
    drop(signals);
    assert_eq!(restored(), before);
}

pub fn children_ignored_before_and_caught_meanwhile() {
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

pub fn from_a_forked_child() {
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

/// The negative control, and what the documentation warns of.
pub fn without_it_the_child_inherits() {
    let before = plain();
    let signals = open(TERM_AND_USR1);
    let inherited = plain();
    let (blocked, ignored) = inherited.split_once(", ignored").expect("two sets");
    let how = if KERNEL.masked { blocked } else { ignored };
    assert!(how.contains("SIGTERM") && how.contains("SIGUSR1"), "{inherited}");
    drop(signals);
    assert_eq!(plain(), before);
}
