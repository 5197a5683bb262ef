//! AnyIO's `tests/test_signals.py`, by `SignalStream`.
#![allow(clippy::await_holding_lock)] // the turn: each test has a runtime of its own

use signal_source::Signal;
use signal_source::tokio::SignalStream;
use signal_source_conformance::turn::{self, send};

signal_source::reserve_at_start!(USR1, USR2);

/// Sent one after the other by another thread, received in this order.
#[tokio::test]
async fn receive_signals() {
    let _turn = turn::take();
    let mut signals = SignalStream::new([Signal::USR1, Signal::USR2]).expect("open");
    for signal in [Signal::USR1, Signal::USR2] {
        tokio::task::spawn_blocking(move || send(signal)).await.expect("no panic");
    }
    assert_eq!(signals.recv().await.expect("recv").signal(), Signal::USR1);
    assert_eq!(signals.recv().await.expect("recv").signal(), Signal::USR2);
}

/// A task that is cancelled as it opens and waits: it ends, and the signal is free again.
#[tokio::test]
async fn task_group_cancellation_open() {
    let _turn = turn::take();
    let task = tokio::spawn(async {
        let mut signals = SignalStream::new(Signal::USR1).expect("open");
        panic!("nothing was sent: {:?}", signals.recv().await);
    });
    tokio::task::yield_now().await;
    task.abort();
    assert!(task.await.expect_err("cancelled").is_cancelled());
    drop(SignalStream::new(Signal::USR1).expect("free again"));
}

/// Tasks that are cancelled as they wait for a receiver of the caller's, which goes on.
#[tokio::test]
async fn task_group_cancellation_consume() {
    let _turn = turn::take();
    let mut signals = SignalStream::new(Signal::USR1).expect("open");
    tokio::select! {
        biased;
        info = signals.recv() => panic!("nothing was sent: {info:?}"),
        () = tokio::task::yield_now() => {}
    }
    send(Signal::USR1);
    assert_eq!(signals.recv().await.expect("recv").signal(), Signal::USR1);
}
