//! A thread is the same one until its last destructor has run.

use std::cell::RefCell;
use std::thread;

use signal_source::{Signal, SignalSet, Signals, mask};

use crate::harness::{hits, open, raw_mask, receives, send, set_counting};

const USR1: Signal = Signal::USR1;

thread_local! {
    static GUARD: RefCell<Option<mask::MaskGuard>> = const { RefCell::new(None) };
    static SIGNALS: RefCell<Option<Signals>> = const { RefCell::new(None) };
}

/// No delegate thread has taken over what an ended thread had blocked.
fn nothing_is_let_in_elsewhere() {
    let guard = mask::block(USR1).expect("block");
    send(USR1);
    assert_eq!(hits(USR1), 0, "main blocks it, and no other thread of the program is left");
    assert!(crate::harness::raw_pending().contains(USR1));
    drop(guard);
    assert_eq!(hits(USR1), 1);
    assert_eq!(raw_mask(), SignalSet::EMPTY);
}

pub(crate) fn a_guard_in_a_late_destructor_is_of_its_thread() {
    set_counting(USR1);
    let ending = thread::spawn(|| {
        // Its destructor is noted before the crate's own, and so runs after it.
        GUARD.with(|guard| assert!(guard.borrow().is_none()));
        GUARD.set(Some(mask::block(USR1).expect("block")));
    });
    ending.join().expect("no panic");
    #[cfg(target_os = "linux")]
    assert_eq!(crate::harness::threads_named("signal-source"), 0, "there is nothing to let in");
    nothing_is_let_in_elsewhere();
}

pub(crate) fn a_receiver_in_a_late_destructor_is_of_its_thread() {
    set_counting(USR1);
    let ending = thread::spawn(|| {
        SIGNALS.with(|signals| assert!(signals.borrow().is_none()));
        SIGNALS.set(Some(Signals::builder().audit(false).open(USR1).expect("open")));
    });
    ending.join().expect("no panic");
    nothing_is_let_in_elsewhere();
    receives(&open(USR1));
}
