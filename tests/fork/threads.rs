//! Forks by a thread that did not open, beside busy threads, and threads of the child.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use signal_source::{SignalSet, Signals, mask};

use crate::harness::{self, Worker, eventually, hits, in_fork, open, receives};
use crate::harness::{send, set_counting};
use crate::{USR1, USR2};

/// The thread that forks is not the one that opened.
pub(crate) fn a_child_of_another_thread() {
    set_counting(USR1);
    let signals = open(USR1);
    let worker = Worker::start("worker"); // inherits the block
    let signals = worker.run(move || {
        let signals = std::cell::Cell::new(Some(signals));
        in_fork(|| {
            let own = open([USR1, USR2]);
            receives(&own);
            drop(own);
            drop(signals.take());
            send(USR1);
            assert_eq!(hits(USR1), 1, "after the last has gone it acts");
        });
        // In the other order too.
        in_fork(|| {
            let own = open([USR1, USR2]);
            drop(signals.take());
            receives(&own);
            drop(own);
            send(USR1);
            assert_eq!(hits(USR1), 1, "after the last has gone it acts");
        });
        signals.take().expect("the parent's own")
    });
    receives(&signals);
    assert_eq!(hits(USR1), 0);
}

/// The crate's own thread does not exist in the child.
pub(crate) fn a_child_after_a_drop_elsewhere() {
    set_counting(USR1);
    let signals = open(USR1);
    thread::spawn(move || drop(signals)).join().expect("no panic");
    in_fork(|| {
        assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
        send(USR1);
        assert_eq!(hits(USR1), 1);
        let own = open(USR1);
        receives(&own);
        thread::spawn(move || drop(own)).join().expect("no panic");
        send(USR1);
        eventually("it acts", || hits(USR1) == 2);
    });
    send(USR1);
    eventually("it acts", || hits(USR1) == 1);
}

/// The child does not wait for the crate's lock, which another thread has while this one forks.
pub(crate) fn while_another_thread_has_the_lock() {
    [USR1, USR2].into_iter().for_each(set_counting);
    let guard = mask::block(USR1).expect("block");
    let (stop, rounds) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
    let busy = {
        let (stop, rounds) = (stop.clone(), rounds.clone());
        thread::spawn(move || {
            harness::raw_block(USR2);
            while !stop.load(Ordering::SeqCst) {
                drop(open(USR1));
                rounds.fetch_add(1, Ordering::SeqCst);
            }
        })
    };
    eventually("it is busy", || rounds.load(Ordering::SeqCst) > 10);
    let signals = std::cell::Cell::new(Some(open(USR2)));
    for round in 0..200 {
        in_fork(|| {
            let own = open([USR1, USR2]);
            receives(&own);
            // What the parent had is given back, in either order, known of or not.
            let (first, last) = if round % 2 == 0 {
                (own, signals.take())
            } else {
                (signals.take().expect("inherited"), Some(own))
            };
            drop(first);
            drop(last);
            send(USR2);
            assert_eq!(hits(USR2), 1, "round {round}");
            receives(&open([USR1, USR2]));
        });
    }
    drop(signals.take());
    stop.store(true, Ordering::SeqCst);
    busy.join().expect("no panic");
    drop(guard);
    assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
}

pub(crate) fn threads_in_the_child() {
    let signals = open(USR1);
    in_fork(|| {
        let guard = mask::block([USR1, USR2]).expect("block");
        let workers: Vec<_> = (0..4).map(|_| Worker::start("worker")).collect();
        let own = workers[0].run(|| Signals::new([USR1, USR2])).expect("all threads block");
        receives(&own);
        workers[1].run(|| drop(own));
        drop(guard);
    });
    receives(&signals);
}

/// A child moves what it inherited to a thread of its own, and that thread drops it.
pub(crate) fn moved_to_a_thread_of_the_child() {
    [USR1, USR2].into_iter().for_each(set_counting);
    let signals = std::cell::Cell::new(Some(open([USR1, USR2])));
    in_fork(|| {
        let inherited = signals.take();
        let own = open(USR1);
        thread::spawn(move || drop(inherited)).join().expect("no panic");
        receives(&own);
        drop(own);
        assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
        send(USR1);
        send(USR2);
        eventually("both act", || (hits(USR1), hits(USR2)) == (1, 1));
    });
}
