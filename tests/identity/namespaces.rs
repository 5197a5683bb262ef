//! Processes whose number says nothing, and forks that the C library knows nothing of.

use std::cell::Cell;
use std::thread;

use signal_source::{Signal, SignalSet, Signals, mask};

use crate::harness::namespaces::{children_in_a_pid_namespace, nested_pid_namespace};
use crate::harness::{self, Worker, bare_fork, eventually, fork, hits, in_fork, open, pid};
use crate::harness::{raw_block, raw_mask, receives, send, set_counting, threads_named, wait};

const TERM: Signal = Signal::TERM;
const USR1: Signal = Signal::USR1;
const USR2: Signal = Signal::USR2;

/// A child of a process that has a receiver of USR1 and USR2, and a delegate thread.
fn child_of_its_own(inherited: &mut Signals) {
    assert_eq!(mask::current().expect("mask") - [USR1, USR2].into(), SignalSet::EMPTY);
    let error = inherited.update(USR1).expect_err("inherited");
    assert!(error.to_string().contains("inherited"), "{error}");
    assert_eq!(inherited.set(), [USR1, USR2].into());
    let own = open([USR1, USR2, TERM]);
    receives(&own);
    // A delegate of its own.
    thread::spawn(move || drop(own)).join().expect("no panic");
    send(TERM);
    eventually("it acts", || hits(TERM) == 1);
}

/// Opens, has the delegate started, and forks a child that is told apart.
fn tells_apart(fork: fn(&mut Signals) -> u32) {
    set_counting(TERM);
    let mut signals = open([USR1, USR2]);
    let other = open(TERM);
    thread::spawn(move || drop(other)).join().expect("no panic");
    assert_eq!(threads_named("signal-source"), 1);
    let status = wait(fork(&mut signals));
    assert!(status.success(), "the child: {status}");
    receives(&signals);
    signals.update([USR1, USR2, Signal::HUP]).expect("the parent's own");
    receives(&signals);
    send(TERM);
    eventually("it acts", || hits(TERM) == 1);
}

fn with_the_same_pid(fork: fn(&mut Signals) -> u32) {
    children_in_a_pid_namespace();
    in_fork(|| {
        assert_eq!(pid(), 1);
        tells_apart(fork);
    });
}

pub(crate) fn parent_and_child_have_the_same_pid() {
    with_the_same_pid(|signals| {
        nested_pid_namespace(); // from now on this process can start no thread
        fork(|| {
            assert_eq!(pid(), 1);
            child_of_its_own(signals);
        })
    });
}

pub(crate) fn parent_and_child_have_the_same_pid_and_the_fork_is_bare() {
    with_the_same_pid(|signals| {
        nested_pid_namespace(); // from now on this process can start no thread
        bare_fork(|| {
            assert_eq!(pid(), 1);
            child_of_its_own(signals);
        })
    });
}

pub(crate) fn a_bare_fork_beside_a_delegate() {
    tells_apart(|signals| bare_fork(|| child_of_its_own(signals)));
}

fn in_bare_fork(child: impl FnOnce()) {
    let status = wait(bare_fork(child));
    assert!(status.success(), "the child: {status}");
}

pub(crate) fn a_bare_fork_is_a_fork() {
    [USR1, USR2].into_iter().for_each(set_counting);
    let signals = Cell::new(Some(open([USR1, USR2])));
    // It takes nothing from the parent, nor from what the child opens first.
    in_bare_fork(|| {
        let own = open(USR1);
        drop(signals.take());
        receives(&own);
        send(USR2);
        assert_eq!((hits(USR1), hits(USR2)), (0, 1));
        drop(own);
        assert_eq!(raw_mask(), SignalSet::EMPTY);
        send(USR1);
        assert_eq!(hits(USR1), 1);
    });
    let guard = Cell::new(Some(mask::block(Signal::HUP).expect("block")));
    in_bare_fork(|| {
        drop(guard.take());
        assert_eq!(raw_mask(), [USR1, USR2].into());
        receives(&open([USR1, USR2]));
    });
    receives(&signals.take().expect("the parent's own"));
    assert_eq!((hits(USR1), hits(USR2)), (0, 0));
}

/// The first thread of the child that calls into the crate is not the one that forked.
pub(crate) fn after_a_bare_fork_another_thread_drops() {
    set_counting(USR1);
    let signals = Cell::new(Some(open([USR1, USR2])));
    in_bare_fork(|| {
        let signals = signals.take();
        thread::spawn(move || drop(signals)).join().expect("no panic");
        assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
        send(USR1);
        eventually("it acts", || hits(USR1) == 1);
    });
    receives(&signals.take().expect("the parent's own"));
}

/// In a pid namespace with the outer /proc, threads have other numbers there than their own.
pub(crate) fn the_delegate_is_left_out_where_proc_is_another_namespaces() {
    children_in_a_pid_namespace();
    in_fork(|| {
        assert_eq!(pid(), 1);
        set_counting(TERM);
        let opener = Worker::start("opener");
        raw_block(TERM);
        let signals = opener.run(|| Signals::new(TERM)).expect("main blocks TERM");
        // The opener alone let TERM in, and main can't: the delegate does.
        drop(signals);
        assert_eq!(threads_named("signal-source"), 1);
        send(TERM);
        eventually("it acts", || hits(TERM) == 1);
        assert_eq!(mask::unblocked_threads(TERM).expect("/proc"), []);
        let signals = open(TERM);
        receives(&signals);
        drop(signals);
        // A thread of the program is named all the same.
        let worker = Worker::start("worker");
        worker.run(|| harness::raw_unblock(TERM));
        let named = mask::unblocked_threads(TERM).expect("/proc");
        assert_eq!(named.iter().map(|thread| &*thread.name).collect::<Vec<_>>(), ["worker"]);
        Signals::new(TERM).expect_err("the worker lets it in");
    });
}
