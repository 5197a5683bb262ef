//! After it has fired: a second signal kills, or is reported.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::mpsc;
use std::task::Poll;
use std::thread;

use crate::harness::{self, send};
use crate::{is_ours, keeper, runtime, shutdown, start_waiting};
use signal_source::Signal;

// origin: the program of AnyIO's documentation, input A and what follows (S2); tokio#7905
pub fn a_second_signal_kills() {
    let shutdown = shutdown();
    runtime().block_on(async {
        start_waiting(&shutdown).await;
        send(Signal::INT);
        assert!(is_ours(&shutdown.wait().await.expect("wait"), Signal::INT));
        send(Signal::INT);
        std::future::pending::<()>().await;
    });
}

pub fn another_pending_signal_kills() {
    let shutdown = shutdown();
    // On every kernel the first of them to be received is INT.
    send(Signal::INT);
    send(Signal::TERM);
    let _ = shutdown.wait_blocking();
    harness::eventually("the end", || false);
}

pub fn closed_before_any_waiter_is_told() {
    let shutdown = shutdown();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let shutdown = shutdown.clone();
            thread::spawn(move || {
                shutdown.wait_blocking().expect("wait");
                send(Signal::INT);
                harness::eventually("the end", || false);
            })
        })
        .collect();
    send(Signal::TERM);
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

pub fn keeps_receiving_if_told_to() {
    let shutdown = keeper();
    runtime().block_on(async {
        send(Signal::INT);
        assert!(is_ours(&shutdown.wait().await.expect("wait"), Signal::INT));
        for signal in [Signal::INT, Signal::TERM, Signal::INT] {
            send(signal);
            let further = shutdown.further().await.expect("further").expect("keeps");
            assert_eq!(further.signal(), signal);
        }
        assert!(is_ours(&shutdown.wait().await.expect("wait"), Signal::INT));
    });
    send(Signal::TERM);
    let further = shutdown.further_blocking().expect("further").expect("keeps");
    assert_eq!(further.signal(), Signal::TERM);
}

// origin: Go os/signal NotifyContextNotifications (G11)
pub fn ten_at_once_do_not_kill_a_keeper() {
    let shutdown = keeper();
    let senders: Vec<_> = (0..10).map(|_| thread::spawn(|| send(Signal::INT))).collect();
    assert!(is_ours(&shutdown.wait_blocking().expect("wait"), Signal::INT));
    senders.into_iter().for_each(|sender| sender.join().expect("no panic"));
    // Read what is left: unread it would act.
    send(Signal::TERM);
    while shutdown.further_blocking().expect("further").expect("keeps").signal() != Signal::TERM {}
    send(Signal::TERM);
    shutdown.further_blocking().expect("further").expect("keeps");
}

pub fn further_signals_go_to_one_each() {
    let shutdown = keeper();
    shutdown.trigger();
    let (told, tell) = mpsc::channel();
    let mut threads = Vec::new();
    for is_task in [true, false, true, false] {
        let (shutdown, told) = (shutdown.clone(), told.clone());
        threads.push(thread::spawn(move || {
            let further = match is_task {
                true => runtime().block_on(shutdown.further()),
                false => shutdown.further_blocking(),
            };
            told.send(further.expect("further").expect("keeps").signal()).expect("the case");
        }));
    }
    for _ in 0..4 {
        send(Signal::INT);
        assert_eq!(tell.recv(), Ok(Signal::INT));
    }
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

pub fn a_further_signal_that_was_not_read_acts() {
    let shutdown = keeper();
    send(Signal::TERM);
    shutdown.wait_blocking().expect("wait");
    send(Signal::INT);
    assert!(shutdown.is_triggered());
    drop(shutdown);
}

pub fn a_further_signal_read_for_a_dropped_future_is_not_lost() {
    let shutdown = keeper();
    shutdown.trigger();
    runtime().block_on(async {
        for _ in 0..100 {
            {
                let mut further = pin!(shutdown.further());
                poll_fn(|cx| {
                    assert!(further.as_mut().poll(cx).is_pending());
                    Poll::Ready(())
                })
                .await;
                send(Signal::INT);
                // The reader thread reads it for a future that is not polled again.
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
            }
            let further = shutdown.further().await.expect("further").expect("keeps");
            assert_eq!(further.signal(), Signal::INT);
        }
    });
}

pub fn nothing_further_without_keeping() {
    let shutdown = shutdown();
    send(Signal::TERM);
    assert!(runtime().block_on(shutdown.further()).expect("further").is_none());
    assert!(shutdown.further_blocking().expect("further").is_none());
}

pub fn triggers_and_keeps_receiving() {
    let shutdown = keeper();
    shutdown.trigger();
    assert!(shutdown.wait_blocking().expect("wait").signal().is_none());
    send(Signal::INT);
    let further = shutdown.further_blocking().expect("further").expect("keeps");
    assert_eq!(further.signal(), Signal::INT);
}

pub fn closes_when_triggered() {
    let shutdown = shutdown();
    shutdown.trigger();
    send(Signal::TERM);
}

pub fn opens_again_after_it_fired() {
    for signal in [Signal::INT, Signal::TERM, Signal::INT] {
        let shutdown = shutdown();
        send(signal);
        assert!(is_ours(&runtime().block_on(shutdown.wait()).expect("wait"), signal));
    }
}
