//! While an earlier handler runs on the delegate thread.

use std::os::unix::process::ExitStatusExt;
use std::sync::mpsc::channel;
use std::thread;

use signal_source::process::exit_by;
use signal_source::{OpenError, Signal, SignalSet, Signals, mask};

use crate::harness::{self, Latch, Worker, eventually, fork, hits, in_fork, open, raw_block};
use crate::harness::{receives, role, send, set_counting, set_sleeping, wait};

const TERM: Signal = Signal::TERM;
const USR1: Signal = Signal::USR1;

/// How the handler came to run on the delegate thread.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// The receiver was dropped, then TERM came.
    Later,
    /// TERM was unread when the receiver was dropped: the thread that drops waits for the handler.
    Unread,
}

/// Returns while the handler of TERM runs on the delegate thread: main has opened a receiver, which
/// another thread drops, and has not called into the crate since.
fn in_a_handler(way: Way) -> Latch {
    let latch = set_sleeping(TERM);
    let signals = open(TERM);
    match way {
        Way::Later => {
            thread::spawn(move || drop(signals)).join().expect("no panic");
            send(TERM);
        }
        Way::Unread => {
            send(TERM);
            thread::spawn(move || drop(signals));
        }
    }
    latch.entered();
    assert!(harness::raw_mask().contains(TERM), "only the delegate lets it in");
    latch
}

/// Tries both ways, each in a process of its own.
fn each_way(case: fn(Way)) {
    for way in [Way::Later, Way::Unread] {
        println!("{way:?}");
        in_fork(|| case(way));
    }
}

/// A thread that uses the crate and lets no TERM in.
fn user() -> Worker {
    let worker = Worker::start("worker");
    worker.run(|| {
        raw_block(TERM);
        mask::block(USR1).expect("block").keep();
    });
    worker
}

pub(crate) fn threads_end_while_the_delegate_is_in_a_handler() {
    each_way(|way| {
        let worker = user();
        let latch = in_a_handler(way);
        drop(worker); // waits for its end
        let used_since = thread::spawn(|| drop(mask::block(USR1).expect("block")));
        used_since.join().expect("no panic");
        latch.release();
    });
}

pub(crate) fn exit_while_the_delegate_is_in_a_handler() {
    for way in [Way::Later, Way::Unread] {
        let status = wait(fork(|| {
            let _latch = in_a_handler(way);
            std::process::exit(3);
        }));
        assert_eq!(status.code(), Some(3), "{way:?}: {status}");
    }
}

pub(crate) fn exit_on_a_thread_while_the_delegate_is_in_a_handler() {
    for way in [Way::Later, Way::Unread] {
        let status = wait(fork(|| {
            let worker = user();
            let _latch = in_a_handler(way);
            worker.run(|| std::process::exit(3));
        }));
        assert_eq!(status.code(), Some(3), "{way:?}: {status}");
    }
}

/// Also by the signal whose handler runs.
pub(crate) fn exit_by_while_the_delegate_is_in_a_handler() {
    for way in [Way::Later, Way::Unread] {
        for signal in [Signal::USR2, TERM] {
            let status = wait(fork(|| {
                let _latch = in_a_handler(way);
                exit_by(signal);
            }));
            assert_eq!(status.signal(), Some(signal.as_raw()), "{way:?}: {status}");
        }
    }
}

/// Role: a program whose `main` returns.
pub(crate) fn returns_from_main(arguments: &[String]) {
    let way = if arguments[0] == "Later" { Way::Later } else { Way::Unread };
    std::mem::forget(in_a_handler(way));
}

pub(crate) fn main_returns_while_the_delegate_is_in_a_handler() {
    for way in ["Later", "Unread"] {
        let status = role("returns_from_main", &[way]).status().expect("a role starts");
        assert!(status.success(), "{way}: {status}");
    }
}

/// On the opener of the dropped receiver: it puts its own mask back on the way.
pub(crate) fn another_signal_opens_while_the_delegate_is_in_a_handler() {
    each_way(|way| {
        let guard = mask::block([USR1, Signal::HUP]).expect("block"); // for the thread that drops
        let latch = in_a_handler(way);
        let signals = open(USR1);
        receives(&signals);
        signals.update([USR1, Signal::HUP]).expect("the delegate blocks HUP");
        receives(&signals);
        drop((signals, guard));
        assert_eq!(harness::raw_mask(), SignalSet::EMPTY);
        latch.release();
    });
}

pub(crate) fn another_signal_opens_elsewhere_while_the_delegate_is_in_a_handler() {
    each_way(|way| {
        let guard = mask::block(USR1).expect("block");
        let worker = user();
        let latch = in_a_handler(way);
        let signals = worker.run(|| Signals::new(USR1)).expect("the delegate blocks USR1");
        receives(&signals);
        worker.run(move || drop(signals));
        latch.release();
        drop(guard);
    });
}

/// The delegate can't block it before its handler has returned.
pub(crate) fn the_same_signal_is_refused_while_the_delegate_is_in_its_handler() {
    let latch = in_a_handler(Way::Later);
    for audit in [true, false] {
        let error = Signals::builder().audit(audit).open([TERM, USR1]).expect_err("it is let in");
        assert!(matches!(error, OpenError::UnblockedThreads { .. } | OpenError::Os(_)));
        assert!(error.to_string().contains("signal-source"), "it names the thread: {error}");
    }
    let signals = open(USR1);
    let error = signals.update([TERM, USR1]).expect_err("it is let in");
    assert!(error.to_string().contains("signal-source"), "it names the thread: {error}");
    receives(&signals);
    drop(signals);
    latch.release();
    eventually("it opens once the handler has returned", || Signals::new([TERM, USR1]).is_ok());
    receives(&open([TERM, USR1]));
}

pub(crate) fn another_receiver_is_dropped_while_the_delegate_is_in_a_handler() {
    each_way(|way| {
        set_counting(USR1);
        let other = open(USR1);
        let latch = in_a_handler(way);
        thread::spawn(move || drop(other)).join().expect("no panic");
        latch.release();
        send(USR1);
        eventually("it acts", || hits(USR1) == 1);
        assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
        send(USR1);
        eventually("a later one acts", || hits(USR1) == 2);
    });
}

/// A handler that counts is none to wait for, either.
pub(crate) fn another_receiver_is_dropped_unread_while_the_delegate_is_in_a_handler() {
    each_way(|way| {
        set_counting(USR1);
        let guard = mask::block(Signal::HUP).expect("block"); // for the threads that drop
        let other = open(USR1);
        let latch = in_a_handler(way);
        send(USR1);
        let (dropped, is_dropped) = channel();
        thread::spawn(move || {
            drop(other); // may wait for the handler of USR1, and so for the delegate
            dropped.send(()).expect("main waits");
        });
        receives(&open(Signal::HUP));
        drop(guard);
        latch.release();
        is_dropped.recv().expect("the drop returns");
        eventually("what was unread acts", || hits(USR1) == 1);
    });
}

pub(crate) fn guards_come_and_go_while_the_delegate_is_in_a_handler() {
    each_way(|way| {
        let latch = in_a_handler(way);
        let guard = mask::block([USR1, Signal::HUP]).expect("block");
        assert_eq!(mask::current().expect("mask"), [USR1, Signal::HUP].into());
        drop(guard);
        assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
        // The delegate can't respect a guard of TERM before its handler has returned.
        if let Err(error) = mask::block(TERM) {
            assert!(error.to_string().contains("signal-source"), "it names the thread: {error}");
        }
        assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
        latch.release();
    });
}
