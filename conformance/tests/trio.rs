//! Trio's `test_signals.py`, by `SignalStream` and `SignalHub`. Trio's tests use ILL and FPE, which
//! are faults and can't be received here: USR1 and USR2 take their place.
//!
//! Not met, by design, or by the language:
//!
//! - `catch_signals_wrong_thread`: there, only the main thread may. Here any thread may.
//! - The end of `open_signal_receiver`, use after the end, and `open_signal_receiver_conflict`, two
//!   tasks that wait on one receiver: both do not compile. A second receiver is an error.
//! - The end of `catch_signals_race_condition_on_exit`, handlers that raise exceptions: there are
//!   none.
#![allow(clippy::await_holding_lock)] // the turn: each test has a runtime of its own

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::sys::signal::{SigHandler, Signal as Raised, raise};
use signal_source::tokio::{SignalHub, SignalStream};
use signal_source::{Disposition, OpenError, Signal, SignalSet};
use signal_source_conformance::turn::{self, send};

signal_source::reserve_at_start!(USR1, USR2, HUP);

const SET: [Signal; 2] = [Signal::USR1, Signal::USR2];

fn dispositions() -> Vec<Disposition> {
    SET.iter().map(|signal| signal.disposition().expect("a disposition")).collect()
}

/// Raised several times, told once; then again.
#[tokio::test]
async fn open_signal_receiver() {
    let _turn = turn::take();
    let before = dispositions();
    let mut signals = SignalStream::new(Signal::USR1).expect("open");
    for times in [3, 1] {
        for _ in 0..times {
            raise(Raised::SIGUSR1).expect("raise");
            tokio::task::yield_now().await;
        }
        assert_eq!(signals.recv().await.expect("recv").signal(), Signal::USR1);
        // Merged (Linux) or counted (kqueue), they are one record.
        assert_eq!(signals.get_ref().try_recv().expect("read"), None);
    }
    drop(signals);
    assert_eq!(dispositions(), before);
}

#[tokio::test]
async fn open_signal_receiver_restore_handler_after_one_bad_signal() {
    let _turn = turn::take();
    let before = dispositions();
    assert_eq!(Signal::from_raw(1_234_567), None);
    let refused = SignalStream::new([Signal::USR1, Signal::KILL]);
    assert!(matches!(refused, Err(OpenError::NotReceivable(Signal::KILL))));
    assert_eq!(dispositions(), before);
    drop(SignalStream::new(Signal::USR1).expect("free"));
}

#[tokio::test]
async fn open_signal_receiver_empty_fail() {
    assert!(matches!(SignalStream::new(SignalSet::EMPTY), Err(OpenError::Empty)));
}

#[tokio::test]
async fn open_signal_receiver_restore_handler_after_duplicate_signal() {
    let _turn = turn::take();
    let before = dispositions();
    drop(SignalStream::new([Signal::USR1, Signal::USR1]).expect("open"));
    assert_eq!(dispositions(), before);
}

#[tokio::test]
async fn open_signal_receiver_conflict() {
    let _turn = turn::take();
    let signals = SignalStream::new(Signal::USR1).expect("open");
    let second = SignalStream::new(SET);
    assert!(matches!(second, Err(OpenError::AlreadyReceived(set)) if set == Signal::USR1.into()));
    drop(signals);
}

/// Two signals that are always pending are told in turns. A receiver by itself is told the lowest
/// number first on Linux (read with `recv_many`); a hub's subscriber, in turns.
#[tokio::test]
async fn open_signal_receiver_no_starvation() {
    let _turn = turn::take();
    let hub = SignalHub::new(SET).expect("open");
    let mut signals = hub.subscribe(SET).expect("subscribe");
    let mut previous = None;
    for _ in 0..10 {
        SET.into_iter().for_each(send);
        let got = signals.recv().await.expect("recv").signal();
        assert_ne!(Some(got), previous);
        previous = Some(got);
    }
    while signals.try_recv().expect("read").is_some() {}
}

/// What is unread when the receiver goes acts by the handler of before.
#[tokio::test]
async fn catch_signals_race_condition_on_exit() {
    let _turn = turn::take();
    let hits = Arc::new(AtomicUsize::new(0));
    let handlers = SET.map(|signal| {
        let counted = hits.clone();
        let count = move || {
            counted.fetch_add(1, Ordering::SeqCst);
        };
        // SAFETY: the handler adds to an atomic number.
        unsafe { signal_hook::low_level::register(signal.as_raw(), count) }.expect("set")
    });
    for round in 1..=10 {
        let signals = SignalStream::new(SET).expect("open");
        SET.into_iter().for_each(send);
        if round % 2 == 0 {
            tokio::task::yield_now().await; // the runtime sees that it is readable
        }
        drop(signals);
        assert_eq!(hits.load(Ordering::SeqCst), round * 2);
    }
    for handler in handlers {
        signal_hook::low_level::unregister(handler);
    }
    // Again, with a signal that is ignored: the process lives.
    // SAFETY: no handler.
    unsafe { nix::sys::signal::signal(Raised::SIGHUP, SigHandler::SigIgn) }.expect("ignored");
    for round in 0..2 {
        let signals = SignalStream::new(Signal::HUP).expect("open");
        send(Signal::HUP);
        if round == 1 {
            tokio::task::yield_now().await;
        }
        drop(signals);
    }
}
