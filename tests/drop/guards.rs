//! Receivers that end beside guards of the same signal.

use std::thread;

use signal_source::{Signal, mask};

use crate::acts_as_before;
use crate::harness::{Worker, hits, open, raw_mask};

pub(crate) fn after_a_guard_that_came_first() {
    acts_as_before(|signal, sends| {
        let guard = mask::block(signal).expect("block");
        let signals = open(signal);
        sends();
        drop(guard);
        drop(signals);
    });
}

pub(crate) fn after_a_guard_that_came_later() {
    acts_as_before(|signal, sends| {
        let signals = open(signal);
        let guard = mask::block([signal, Signal::USR1]).expect("block");
        sends();
        drop(guard);
        thread::spawn(move || drop(signals)).join().expect("no panic");
    });
}

pub(crate) fn guard_last() {
    acts_as_before(|signal, sends| {
        let signals = open(signal);
        let guard = mask::block(signal).expect("block");
        sends();
        thread::spawn(move || drop(signals)).join().expect("no panic");
        assert!(raw_mask().contains(signal), "the guard still holds");
        assert_eq!(hits(signal), 0);
        drop(guard);
    });
}

/// Main's guard goes while a worker's receiver relies on it.
pub(crate) fn guard_on_main_receiver_elsewhere() {
    acts_as_before(|signal, sends| {
        let guard = mask::block(signal).expect("block");
        let worker = Worker::start("worker");
        let signals = worker.run(move || open(signal));
        drop(guard);
        sends();
        assert_eq!(hits(signal), 0, "it must not act while the receiver is open");
        worker.run(|| drop(signals));
        std::mem::forget(worker);
    });
}
