//! A signal that no caller was told of acts.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use crate::harness::{self, hits, send, set_counting};
use crate::{runtime, shutdown, start_waiting};
use signal_source::Signal;
use signal_source::tokio::Shutdown;

pub fn dropped_unfired_restores() {
    set_counting(Signal::INT);
    let shutdown = shutdown();
    let other = shutdown.clone();
    send(Signal::INT);
    drop(shutdown);
    assert_eq!(hits(Signal::INT), 0);
    drop(other);
    assert_eq!(hits(Signal::INT), 1);
    send(Signal::INT);
    assert_eq!(hits(Signal::INT), 2);
}

pub fn dropped_unfired_lets_the_unread_act() {
    let shutdown = shutdown();
    send(Signal::TERM);
    drop(shutdown);
}

/// A shutdown that a waiting future made fire, but that has told no caller.
pub fn fired_untold() -> Shutdown {
    let shutdown = shutdown();
    let runtime = runtime();
    runtime.block_on(async {
        let mut waiting = pin!(shutdown.wait());
        poll_fn(|cx| {
            assert!(waiting.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        send(Signal::TERM);
        while format!("{shutdown:?}").contains("cause: None") {
            tokio::task::yield_now().await;
        }
    });
    shutdown
}

pub fn fired_untold_acts() {
    drop(fired_untold());
}

pub fn fired_and_told_does_not_act() {
    let shutdown = fired_untold();
    assert!(shutdown.is_triggered());
    drop(shutdown);
}

pub fn not_read_without_a_waiter() {
    let shutdown = shutdown();
    runtime().block_on(async {
        start_waiting(&shutdown).await; // and does not wait any more
        send(Signal::TERM);
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    });
    assert!(format!("{shutdown:?}").contains("cause: None"));
}

pub fn a_runtime_shut_down_while_waiting() {
    let shutdown = shutdown();
    let runtime = runtime();
    runtime.block_on(async {
        tokio::spawn(async move { shutdown.wait().await });
        tokio::task::yield_now().await;
    });
    send(Signal::TERM);
    drop(runtime);
}

pub fn a_forked_child_does_not_act_for_its_parent() {
    let shutdown = fired_untold();
    let mut inherited = Some(shutdown);
    harness::in_fork(|| drop(inherited.take()));
    assert!(inherited.expect("the parent's").is_triggered());
}
