//! Receivers whose opening thread has ended, or is ending.

use std::sync::{Arc, Barrier};
use std::thread;

use signal_source::{Signals, mask};

use crate::acts_as_before;
use crate::harness::{Worker, eventually, open};

/// The opener blocked what main blocked already; it ends, and main drops.
pub(crate) fn after_the_opener_has_ended() {
    acts_as_before(|signal, sends| {
        let guard = mask::block(signal).expect("block");
        let signals = thread::spawn(move || open(signal)).join().expect("no panic");
        drop(guard);
        sends();
        drop(signals);
    });
}

/// The opener alone let the signal in; it ends, and with it the only mask that could be put back.
pub(crate) fn after_an_opener_that_alone_let_it_in() {
    acts_as_before(|signal, sends| {
        let opener = Worker::start("opener");
        let guard = mask::block(signal).expect("block");
        let signals = opener.run(move || open(signal));
        drop(opener);
        sends();
        thread::spawn(move || drop(signals)).join().expect("no panic");
        drop(guard);
    });
}

/// A receiver in a thread-local variable goes late: some destructors have run already.
pub(crate) fn by_a_thread_that_is_ending() {
    thread_local! {
        static KEPT: std::cell::RefCell<Option<Signals>> = const { std::cell::RefCell::new(None) };
    }
    acts_as_before(|signal, sends| {
        let guard = mask::block(signal).expect("block");
        let (opened, dropped) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let (ours, its) = ((opened.clone(), dropped.clone()), (opened, dropped));
        let ending = thread::spawn(move || {
            // Its destructor is noted before the crate's own, and so runs after it.
            KEPT.with(|kept| assert!(kept.borrow().is_none()));
            KEPT.set(Some(open(signal)));
            its.0.wait();
            its.1.wait();
        });
        ours.0.wait();
        sends();
        ours.1.wait();
        ending.join().expect("no panic");
        eventually("the signals are free again", || Signals::new(signal).is_ok());
        drop(guard);
    });
}
