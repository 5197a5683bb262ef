//! async-signal's `tests/`.
//!
//! Not met, by design: the half of `distanced` that raises in another thread than the one that
//! receives, for `raise` is directed at a thread, and that wants each of 1,000 standard signals
//! told, for the kernel merges them while they are pending.

use futures_lite::{StreamExt, future};
use nix::sys::signal::{Signal as Raised, raise};
use signal_source::Signal;
use signal_source_conformance::async_signal::Signals;
use signal_source_conformance::turn::{self, send};

signal_source::reserve_at_start!(INT, USR1, USR2, ALRM);

#[test]
fn sigint() {
    let _turn = turn::take();
    future::block_on(async {
        let mut signals = Signals::new(Signal::INT).expect("open");
        assert!(future::poll_once(signals.next()).await.is_none());
        raise(Raised::SIGINT).expect("raise");
        assert_eq!(signals.next().await.expect("a stream").expect("recv"), Signal::INT);
    });
}

/// 100,000, each raised when the one before was received.
#[test]
fn endurance() {
    let _turn = turn::take();
    future::block_on(async {
        let mut signals = Signals::new([Signal::USR1, Signal::USR2]).expect("open");
        for turn in 0..100_000 {
            let (raised, signal) = match turn % 2 {
                0 => (Raised::SIGUSR1, Signal::USR1),
                _ => (Raised::SIGUSR2, Signal::USR2),
            };
            assert!(future::poll_once(signals.next()).await.is_none());
            raise(raised).expect("raise");
            let next = future::poll_once(signals.next()).await.expect("ready");
            assert_eq!(next.expect("a stream").expect("recv"), signal);
        }
    });
}

/// From another thread, one after the other.
#[test]
fn distanced() {
    let _turn = turn::take();
    let mut signals = Signals::new(Signal::ALRM).expect("open");
    let (received, next) = std::sync::mpsc::channel();
    let sender = std::thread::spawn(move || {
        for _ in 0..1000 {
            send(Signal::ALRM);
            next.recv().expect("received");
        }
    });
    future::block_on(async {
        for _ in 0..1000 {
            assert_eq!(signals.next().await.expect("a stream").expect("recv"), Signal::ALRM);
            received.send(()).expect("the sender waits");
        }
        assert!(future::poll_once(signals.next()).await.is_none());
    });
    sender.join().expect("no panic");
}

/// Origin: the examples of `add_signals` and `remove_signals`.
#[test]
fn added_and_removed() {
    let _turn = turn::take();
    future::block_on(async {
        let mut signals = Signals::new(Signal::USR1).expect("open");
        signals.add_signals(Signal::USR2).expect("added");
        send(Signal::USR2);
        assert_eq!(signals.next().await.expect("a stream").expect("recv"), Signal::USR2);
        signals.remove_signals(Signal::USR1).expect("removed");
        send(Signal::USR2);
        assert_eq!(signals.next().await.expect("a stream").expect("recv"), Signal::USR2);
    });
}
