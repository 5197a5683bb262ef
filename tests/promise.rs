//! Law 1, "never lost": received once, or acts as it would have before the receiver was opened.

mod harness;

use std::sync::mpsc;
use std::thread;

use harness::{End, eventually, hits, send, set_counting, set_ignored};
use signal_source::{Signal, SignalSet, Signals, mask};

fn main() {
    harness::main(
        cases![
            received_once,
            unread_at_drop_kills => End::DiesOf(Signal::TERM),
            unread_at_drop_runs_the_earlier_handler,
            unread_at_drop_stays_ignored,
            dropped_on_another_thread_kills => End::DiesOf(Signal::TERM),
            a_later_signal_acts_after_a_drop_elsewhere => End::DiesOf(Signal::INT),
        ],
        roles![],
    );
}

fn received_once() {
    let signals = Signals::new([Signal::USR1, Signal::USR2]).expect("open");
    send(Signal::USR1);
    assert_eq!(signals.recv().expect("recv").signal(), Signal::USR1);
    assert!(signals.try_recv().expect("try_recv").is_none());
    drop(signals);
    assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
}

fn unread_at_drop_kills() {
    let signals = Signals::new(Signal::TERM).expect("open");
    send(Signal::TERM);
    drop(signals);
}

fn unread_at_drop_runs_the_earlier_handler() {
    set_counting(Signal::TERM);
    let signals = Signals::new(Signal::TERM).expect("open");
    send(Signal::TERM);
    assert_eq!(hits(Signal::TERM), 0);
    drop(signals);
    assert_eq!(hits(Signal::TERM), 1);
}

fn unread_at_drop_stays_ignored() {
    set_ignored(Signal::TERM);
    let signals = Signals::new(Signal::TERM).expect("open");
    send(Signal::TERM);
    drop(signals);
    send(Signal::TERM);
}

fn dropped_on_another_thread_kills() {
    let signals = Signals::new(Signal::TERM).expect("open");
    send(Signal::TERM);
    let _ = thread::spawn(move || drop(signals)).join();
}

fn a_later_signal_acts_after_a_drop_elsewhere() {
    let signals = Signals::new(Signal::INT).expect("open");
    thread::spawn(move || drop(signals)).join().expect("no panic");
    // The opener does nothing but wait, in the standard library.
    let (_sender, receiver) = mpsc::channel::<()>();
    send(Signal::INT);
    let _ = receiver.recv();
    eventually("the end", || false);
}
