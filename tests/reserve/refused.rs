//! Reservations that can't be made, and that change nothing then.

use std::thread;

use signal_source::{OpenError, Signal, SignalSet, Signals, reserve};

use crate::harness::kernel::KERNEL;
use crate::harness::{Everything, Worker, blocked_by, descriptors, eventually, hits};
use crate::harness::{open, raw_mask, receives, send, set_counting, workers};

const SET: [Signal; 2] = [Signal::TERM, Signal::USR1];

/// Where the other threads' masks do not matter there is nothing to refuse.
#[track_caller]
fn is_refused(reserved: Result<(), OpenError>, by: &str) {
    if !KERNEL.masked {
        return reserved.expect("reserve");
    }
    match reserved {
        Err(OpenError::UnblockedThreads { signals, threads }) => {
            assert_eq!(signals, SET.into());
            assert!(threads.iter().any(|thread| thread.name == by), "{threads:?}");
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) fn refused_when_another_thread_does_not_block() {
    SET.into_iter().for_each(set_counting);
    let worker = Worker::start("too early");
    let before = Everything::now();
    for round in 1..=5 {
        is_refused(reserve(SET), "too early");
        assert_eq!(Everything::now(), before);
        SET.into_iter().for_each(send);
        eventually("they act", || SET.map(hits) == [round; 2]);
        if KERNEL.masked {
            worker.run(|| is_refused(reserve(SET), current_name().as_str()));
            let refused = Signals::new(SET).expect_err("refused as before");
            assert!(matches!(refused, OpenError::UnblockedThreads { .. }), "{refused:?}");
        }
    }
    drop(worker);
    reserve(SET).expect("reserve");
    thread::spawn(|| receives(&open(SET))).join().expect("no panic");
    assert_eq!(raw_mask(), blocked_by(SET));
}

/// The name of the first thread, which is the one that lets the set in.
fn current_name() -> String {
    let name = std::fs::read_to_string("/proc/self/comm").unwrap_or_default();
    name.trim_end().into()
}

pub(crate) fn refused_inside_a_runtime() {
    SET.into_iter().for_each(set_counting);
    let runtime = workers(2, "tokio worker");
    is_refused(runtime.block_on(async { reserve(SET) }), "tokio worker");
    SET.into_iter().for_each(send);
    eventually("they act", || SET.map(hits) == [1, 1]);
    drop(runtime);
}

/// A reservation that is refused takes nothing from a receiver that is open.
pub(crate) fn refused_while_an_open_set_is_widened() {
    let signals = open(Signal::HUP);
    let worker = Worker::start("too early");
    is_refused(reserve(SignalSet::from(SET) | Signal::HUP), "too early");
    receives(&signals);
    drop(signals);
    drop(worker);
    reserve(SET).expect("reserve");
    receives(&open(Signal::HUP));
}

pub(crate) fn refused_sets() {
    let before = Everything::now();
    assert!(matches!(reserve(SignalSet::EMPTY), Err(OpenError::Empty)));
    for signal in [Signal::KILL, Signal::STOP, Signal::SEGV] {
        let refused = reserve([signal, Signal::TERM]);
        assert!(matches!(refused, Err(OpenError::NotReceivable(one)) if one == signal));
    }
    assert_eq!(Everything::now(), before);
}

pub(crate) fn leaves_no_descriptor() {
    let before = descriptors();
    reserve(SET).expect("reserve");
    thread::spawn(|| receives(&open(SET))).join().expect("no panic");
    assert_eq!(descriptors(), before);
}
