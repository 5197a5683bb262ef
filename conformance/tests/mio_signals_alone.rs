//! mio-signals' tests that need a process of their own, without a reservation: `cleanup`,
//! `multi_threaded`.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};
use signal_source::{Disposition, Signal, mask};
use signal_source_conformance::mio_signals::{Signals, all};
use signal_source_conformance::turn::send;

/// Mask and dispositions of the signals.
fn state() -> Vec<(bool, Disposition)> {
    let blocked = mask::current().expect("mask");
    let of =
        |signal: Signal| (blocked.contains(signal), signal.disposition().expect("a disposition"));
    all().iter().map(of).collect()
}

/// Origin: mio-signals `cleanup`: changed while it is open, as before afterwards.
fn cleanup() {
    let before = state();
    let signals = Signals::new(all()).expect("open");
    let meanwhile = state();
    assert!(before.iter().zip(&meanwhile).all(|(before, meanwhile)| before != meanwhile));
    drop(signals);
    assert_eq!(state(), before);
}

/// Origin: mio-signals `multi_threaded`: other threads exist, and the receiver gets the signal.
fn multi_threaded() {
    let mut poll = Poll::new().expect("poll");
    let mut events = Events::with_capacity(8);
    let mut signals = Signals::new(all()).expect("open");
    poll.registry().register(&mut signals, Token(10), Interest::READABLE).expect("register");
    let threads = [(); 5].map(|()| {
        let (end, ended) = channel::<()>();
        (end, thread::spawn(move || ended.recv().expect("told to end")))
    });
    send(Signal::INT);
    poll.poll(&mut events, Some(Duration::from_secs(60))).expect("poll");
    assert_eq!(events.iter().map(|event| event.token()).collect::<Vec<_>>(), [Token(10)]);
    assert_eq!(signals.receive().expect("receive"), Some(Signal::INT));
    assert_eq!(signals.receive().expect("receive"), None);
    for (end, thread) in threads {
        end.send(()).expect("it waits");
        thread.join().expect("no panic");
    }
}

fn main() {
    cleanup();
    multi_threaded();
    println!("2 passed, 0 failed");
}
