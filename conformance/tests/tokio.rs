//! tokio's `tests/signal_*.rs`, by `signal_source::tokio::compat`. tokio runs each in a process of
//! its own; here they share one, as the tests of a program do.
//!
//! Not met, by design:
//!
//! - `drop_then_get_a_signal`: opened, dropped, *sent*, opened again, received. Here a signal that no
//!   listener wants acts as it would have: it kills, or an earlier handler runs.
//! - `no_runtime_panics_creating_signals`, `signal_panic_caller`: nothing panics, for no runtime is
//!   needed, and a number that is no signal's is an error.
#![allow(clippy::await_holding_lock)] // the turn: each test has a runtime of its own

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use signal_source::Signal as Number;
use signal_source::tokio::compat;
use signal_source::tokio::compat::unix::{SignalKind, signal};
use signal_source_conformance::turn::{self, send};
use tokio::runtime::{Builder, Runtime};

signal_source::reserve_at_start!(HUP, INT, USR1, USR2);

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

#[tokio::test]
async fn signal_usr1() {
    let _turn = turn::take();
    let mut listener = signal(SignalKind::user_defined1()).expect("listen");
    send(Number::USR1);
    assert_eq!(listener.recv().await, Some(()));
}

#[tokio::test]
async fn twice() {
    let _turn = turn::take();
    let mut listener = signal(SignalKind::user_defined1()).expect("listen");
    for _ in 0..2 {
        send(Number::USR1);
        assert_eq!(listener.recv().await, Some(()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ctrl_c() {
    let _turn = turn::take();
    // Polled once, it listens.
    let mut ctrl_c = Box::pin(compat::ctrl_c());
    assert!(futures_lite::future::poll_once(&mut ctrl_c).await.is_none());
    let sender = tokio::spawn(async { send(Number::INT) });
    ctrl_c.await.expect("INT");
    sender.await.expect("no panic");
}

#[tokio::test]
async fn notify_both() {
    let _turn = turn::take();
    let mut one = signal(SignalKind::user_defined2()).expect("listen");
    let mut other = signal(SignalKind::user_defined2()).expect("listen");
    send(Number::USR2);
    assert_eq!(one.recv().await, Some(()));
    assert_eq!(other.recv().await, Some(()));
}

/// What the signal does that came in between is its own: here, an earlier handler runs.
#[tokio::test]
async fn drop_then_get_a_signal() {
    let _turn = turn::take();
    let hits = Arc::new(AtomicUsize::new(0));
    let counted = hits.clone();
    let count = move || {
        counted.fetch_add(1, Ordering::SeqCst);
    };
    // SAFETY: the handler adds to an atomic number.
    unsafe { signal_hook::low_level::register(signal_hook::consts::SIGUSR1, count) }.expect("set");
    drop(signal(SignalKind::user_defined1()).expect("listen"));
    send(Number::USR1);
    while hits.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let mut listener = signal(SignalKind::user_defined1()).expect("listen");
    send(Number::USR1);
    assert_eq!(listener.recv().await, Some(()));
    assert_eq!(hits.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn dropping_signal_does_not_deregister_any_other_instances() {
    let _turn = turn::take();
    let kind = SignalKind::user_defined1();
    let first = signal(kind).expect("listen");
    let mut second = signal(kind).expect("listen");
    let third = signal(kind).expect("listen");
    drop((first, third));
    send(Number::USR1);
    assert_eq!(second.recv().await, Some(()));
}

#[test]
fn dropping_loops_does_not_cause_starvation() {
    let _turn = turn::take();
    let kind = SignalKind::user_defined1();
    let (first, second) = (runtime(), runtime());
    let mut of_first = first.block_on(async { signal(kind).expect("listen") });
    let mut of_second = second.block_on(async { signal(kind).expect("listen") });
    send(Number::USR1);
    assert_eq!(first.block_on(of_first.recv()), Some(()));
    // There, the second may find both told at once. Here, what is unread in the end would act.
    assert_eq!(second.block_on(of_second.recv()), Some(()));
    drop((first, of_first));
    send(Number::USR1);
    assert_eq!(second.block_on(of_second.recv()), Some(()));
}

#[test]
fn multi_loop() {
    let _turn = turn::take();
    let (told, ready) = channel();
    for _ in 0..10 {
        let loops = [(); 4].map(|()| {
            let told = told.clone();
            thread::spawn(move || {
                runtime().block_on(async {
                    let mut listener = signal(SignalKind::hangup()).expect("listen");
                    told.send(()).expect("the test waits");
                    listener.recv().await
                })
            })
        });
        for _ in &loops {
            ready.recv().expect("it listens");
        }
        send(Number::HUP);
        for one in loops {
            assert_eq!(one.join().expect("no panic"), Some(()));
        }
    }
}

/// Outside of a runtime it works, and waits in any executor.
#[test]
fn no_runtime_creating_signals() {
    let _turn = turn::take();
    let mut listener = signal(SignalKind::hangup()).expect("listen");
    send(Number::HUP);
    assert_eq!(futures_lite::future::block_on(listener.recv()), Some(()));
}

#[test]
fn numbers_that_are_no_signals() {
    for number in [-1, 0, 9, 19, 11, 12345] {
        let error = signal(SignalKind::from_raw(number)).expect_err("refused");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{number}: {error}");
    }
    assert_eq!(SignalKind::from(2), SignalKind::interrupt());
    assert_eq!(std::ffi::c_int::from(SignalKind::interrupt()), Number::INT.as_raw());
}

/// `SignalKind::info()` is `SignalKind::from(Signal::INFO)` here.
#[cfg(not(target_os = "linux"))]
#[tokio::test]
async fn siginfo() {
    let _turn = turn::take();
    let mut listener = signal(SignalKind::from(Number::INFO)).expect("listen");
    send(Number::INFO);
    assert_eq!(listener.recv().await, Some(()));
}
