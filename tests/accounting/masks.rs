//! Threads' masks where the delegate can't be started, and masks that are full.

use std::thread;

use nix::libc;
use signal_source::{Signal, SignalSet, Signals, mask};

use crate::harness::{
    self, Worker, block_beyond_libc, eventually, hits, open, raw_block, raw_mask,
};
use crate::harness::{receives, send, set_counting, threads_named};

const TERM: Signal = Signal::TERM;

/// This process starts no thread from now on, as a user without rights.
fn start_no_thread() {
    harness::become_unprivileged();
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: reads the limit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NPROC, &none) }, 0);
    if thread::Builder::new().spawn(|| ()).is_ok() {
        harness::skip("this user may start any number of threads");
    }
}

/// A thread that blocked TERM by the program's own doing.
fn bystander() -> Worker {
    let bystander = Worker::start("bystander");
    bystander.run(|| raw_block(TERM));
    bystander
}

/// The bystander's own calls into the crate must not let in what it blocked itself, whichever other
/// thread blocks it too.
fn keeps_its_block(bystander: &Worker) {
    let masks = bystander.run(|| {
        let before = raw_mask();
        let current = mask::current().expect("mask");
        drop(mask::block(Signal::USR1).expect("block"));
        [before, current, raw_mask()]
    });
    assert_eq!(masks, [SignalSet::from(TERM); 3]);
}

pub(crate) fn without_a_delegate_a_bystanders_own_block_stays() {
    set_counting(TERM);
    let bystander = bystander();
    let guard = mask::block(TERM).expect("block");
    let opener = Worker::start("opener");
    drop(guard);
    raw_block(TERM);
    start_no_thread();
    // The opener newly blocks; main, which blocks TERM itself, drops.
    let signals = opener.run(|| {
        harness::raw_unblock(TERM);
        Signals::new(TERM)
    });
    drop(signals.expect("all threads block"));
    assert_eq!(threads_named("signal-source"), 0);
    keeps_its_block(&bystander);
    // The opener's next call lets it in again.
    assert_eq!(opener.run(|| mask::current().expect("mask")), SignalSet::EMPTY);
    send(TERM);
    eventually("it acts", || hits(TERM) == 1);
    keeps_its_block(&bystander);
}

pub(crate) fn without_a_delegate_the_opener_is_put_back_at_its_next_call() {
    set_counting(TERM);
    let bystander = bystander();
    let signals = open(TERM);
    let dropper = Worker::start("dropper"); // inherits the block
    start_no_thread();
    dropper.run(|| drop(signals));
    keeps_its_block(&bystander);
    send(TERM);
    assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
    eventually("it acts", || hits(TERM) == 1);
    keeps_its_block(&bystander);
    let signals = Signals::builder().audit(false).open(TERM).expect("open");
    drop(signals);
    assert_eq!(raw_mask(), SignalSet::EMPTY);
}

/// glibc blocks the signals that it keeps too while a thread is born; this thread does so for good.
pub(crate) fn a_thread_that_sleeps_with_a_full_mask_blocks() {
    let worker = Worker::start("worker");
    worker.run(block_beyond_libc);
    for _ in 0..3 {
        let signals = Signals::new([TERM, Signal::USR1]).expect("the worker blocks all");
        signals.update([TERM, Signal::USR2]).expect("the worker blocks all");
        receives(&signals);
    }
    assert_eq!(mask::unblocked_threads(TERM).expect("/proc").len(), 1, "main");
}
