//! After a drop on another thread than the one that opened.

use std::sync::mpsc;
use std::thread;

use signal_source::{Signal, SignalSet, Signals, mask};

use crate::harness::kernel::KERNEL;
use crate::harness::{
    self, Worker, eventually, hits, open, raw_mask, received, send, set_counting, wait_for_death,
};

pub(crate) fn a_later_signal_acts_after_a_drop_elsewhere() {
    let signals = open(Signal::INT);
    thread::spawn(move || drop(signals)).join().expect("no panic");
    // The opener does nothing but wait, in the standard library.
    let (_sender, receiver) = mpsc::channel::<()>();
    send(Signal::INT);
    let _ = receiver.recv();
    wait_for_death();
}

/// What the crate lets in since a drop elsewhere, a new receiver has blocked again.
pub(crate) fn another_receiver_gets_everything_after_a_drop_elsewhere() {
    let all = SignalSet::from([Signal::TERM, Signal::USR1, Signal::HUP]);
    all.iter().for_each(set_counting);
    let worker = Worker::start("worker");
    worker.run(move || harness::raw_block(all));
    for round in 0..200 {
        let signals = open([Signal::TERM, Signal::USR1]);
        worker.run(|| drop(signals));
        // One more of a part, of the whole, and of more than was let in.
        let set =
            [SignalSet::from(Signal::TERM), SignalSet::from([Signal::TERM, Signal::USR1]), all]
                [round % 3];
        let signals = open(set);
        for signal in set {
            send(signal);
            assert_eq!(received(&signals), [signal]);
        }
    }
    assert_eq!(all.iter().map(hits).sum::<usize>(), 0);
    assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
}

pub(crate) fn dropped_on_the_opener_after_a_drop_elsewhere() {
    set_counting(Signal::TERM);
    let signals = open(Signal::TERM);
    let worker = Worker::start("worker"); // inherits the block
    worker.run(|| drop(signals));
    let signals = open(Signal::TERM);
    send(Signal::TERM);
    drop(signals);
    eventually("the handler runs", || hits(Signal::TERM) == 1);
    assert_eq!(raw_mask(), SignalSet::EMPTY, "here it is unblocked again");
    assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
    send(Signal::TERM);
    eventually("the handler runs", || hits(Signal::TERM) == 2);
    let signals = worker.run(|| Signals::builder().audit(false).open(Signal::TERM));
    drop(signals);
    send(Signal::TERM);
    eventually("the handler runs", || hits(Signal::TERM) == 3);
}

/// Open here, drop there, open there, drop here: the delegate thread changes what it lets in.
pub(crate) fn by_turns_on_two_threads() {
    let [here, there] = [Signal::USR1, Signal::USR2];
    set_counting(here);
    set_counting(there);
    let both = SignalSet::from([here, there]);
    let guard = mask::block(both).expect("block");
    let worker = Worker::start("worker");
    guard.keep();
    for round in 0..100 {
        // Both threads block both, as the program wants: nothing acts, everything is received.
        let ours = open(here);
        let theirs = worker.run(move || Signals::new(there)).expect("open");
        both.iter().for_each(send);
        assert_eq!((received(&ours), received(&theirs)), (vec![here], vec![there]), "{round}");
        worker.run(|| drop(ours));
        drop(theirs);
    }
    assert_eq!(raw_mask(), both);
    assert_eq!((hits(here), hits(there)), (0, 0));
}

pub(crate) fn a_handler_may_exit_elsewhere() {
    harness::set_exiting(Signal::TERM, 7);
    let signals = open(Signal::TERM);
    send(Signal::TERM);
    let _ = thread::spawn(move || drop(signals)).join();
    wait_for_death();
}

/// Only the opener let the signal in, and it has ended: the crate lets it in for that thread.
pub(crate) fn an_opener_that_has_ended_is_stood_in_for() {
    set_counting(Signal::TERM);
    let opener = Worker::start("opener");
    harness::raw_block(Signal::TERM);
    let signals = opener.run(|| Signals::new(Signal::TERM)).expect("main blocks it");
    drop(opener);
    send(Signal::TERM);
    drop(signals);
    let (acts, later) = if KERNEL.masked { (1, 2) } else { (0, 0) };
    eventually("it acts", || hits(Signal::TERM) == acts);
    send(Signal::TERM);
    eventually("a later one acts", || hits(Signal::TERM) == later);
    assert_eq!(mask::current().expect("mask"), Signal::TERM.into(), "main's own block stays");
}
