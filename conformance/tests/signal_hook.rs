//! signal-hook's `tests/iterator.rs`, and the tests of its adapters for mio and tokio.
//!
//! Not met, by design:
//!
//! - `delayed_signal_consumed`, its end: there, a byte is left in a pipe, and one more `wait` returns
//!   at once with nothing. Here nothing is left, and `wait` would wait.
//! - `raise` in another thread than the one that receives: it is directed at that thread. Those cases
//!   send to the process.
//! - What is left unread: there it is gone, here it acts when the receiver is dropped, and kills. So
//!   the cases read what they send.
#![allow(clippy::await_holding_lock)] // the turn: each test has a runtime of its own

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use futures_lite::StreamExt;
use mio::{Events, Interest, Poll, Token};
use nix::sys::signal::{Signal as Raised, raise};
use signal_source::{Signal, SignalSet};
use signal_source_conformance::signal_hook::{MioSignals, Signals, TokioSignals, all};
use signal_source_conformance::turn::{self, send};

signal_source::reserve_at_start!(USR1, USR2);

const USR1: Signal = Signal::USR1;
const USR2: Signal = Signal::USR2;

fn open(set: impl Into<SignalSet>) -> Signals {
    Signals::new(set).expect("open")
}

#[test]
fn forever_terminates_when_closed() {
    let _turn = turn::take();
    let mut signals = open(USR2);
    let handle = signals.handle();
    let (told, stopped) = mpsc::channel();
    let thread = thread::spawn(move || {
        assert_eq!(signals.forever().count(), 0);
        told.send(()).expect("the test waits");
    });
    assert!(stopped.recv_timeout(Duration::from_millis(100)).is_err(), "it ended by itself");
    handle.close();
    stopped.recv().expect("stopped");
    thread.join().expect("no panic");
}

#[test]
fn signals_block_wait() {
    let _turn = turn::take();
    let mut signals = open(USR2);
    let (told, waited) = mpsc::channel();
    let thread = thread::spawn(move || told.send(all(signals.wait())).expect("the test waits"));
    assert!(waited.recv_timeout(Duration::from_millis(100)).is_err(), "it did not wait");
    send(USR2);
    assert_eq!(waited.recv().expect("a signal"), BTreeSet::from([USR2]));
    thread.join().expect("no panic");
}

#[test]
fn pending_doesnt_block() {
    let _turn = turn::take();
    assert_eq!(open(USR2).pending().next(), None);
}

#[test]
fn wait_returns_received_signals() {
    let _turn = turn::take();
    let mut signals = open(USR2);
    raise(Raised::SIGUSR2).expect("raise");
    assert_eq!(all(signals.wait()), BTreeSet::from([USR2]));
}

#[test]
fn forever_returns_received_signals() {
    let _turn = turn::take();
    let mut signals = open(USR2);
    raise(Raised::SIGUSR2).expect("raise");
    assert_eq!(all(signals.forever().take(1)), BTreeSet::from([USR2]));
}

#[test]
fn wait_doesnt_block_when_closed() {
    let _turn = turn::take();
    let mut signals = open(USR2);
    signals.handle().close();
    assert_eq!(signals.wait().next(), None);
}

#[test]
fn wait_unblocks_when_closed() {
    let _turn = turn::take();
    let mut signals = open(SignalSet::EMPTY);
    let handle = signals.handle();
    let thread = thread::spawn(move || signals.wait().count());
    handle.close();
    assert_eq!(thread.join().expect("no panic"), 0);
}

#[test]
fn forever_doesnt_block_when_closed() {
    let _turn = turn::take();
    let mut signals = open(USR2);
    signals.handle().close();
    assert_eq!(signals.forever().next(), None);
}

#[test]
fn add_signal_after_creation() {
    let _turn = turn::take();
    let mut signals = open(SignalSet::EMPTY);
    signals.add_signal(USR1).expect("added");
    raise(Raised::SIGUSR1).expect("raise");
    assert_eq!(all(signals.pending()), BTreeSet::from([USR1]));
}

/// Both are told by an iterator that was made before the second was sent.
#[test]
fn delayed_signal_consumed() {
    let _turn = turn::take();
    let mut signals = open(USR2);
    signals.add_signal(USR1).expect("added");
    raise(Raised::SIGUSR1).expect("raise");
    let received = signals.wait();
    raise(Raised::SIGUSR2).expect("raise");
    assert_eq!(all(received), BTreeSet::from([USR1, USR2]));
    assert_eq!(signals.pending().next(), None);
}

#[test]
fn is_closed_initially_returns_false() {
    let _turn = turn::take();
    assert!(!open(USR2).handle().is_closed());
}

#[test]
fn is_closed_returns_true_when_closed() {
    let _turn = turn::take();
    let signals = open(USR2);
    signals.handle().close();
    assert!(signals.handle().is_closed());
}

fn registered(set: impl Into<SignalSet>) -> (MioSignals, Poll, Events) {
    let mut signals = MioSignals::new(set).expect("open");
    let poll = Poll::new().expect("poll");
    poll.registry().register(&mut signals, Token(0), Interest::READABLE).expect("register");
    (signals, poll, Events::with_capacity(10))
}

/// Polls until the receiver is readable; whether it was, where nothing is waited for.
fn is_readable(poll: &mut Poll, events: &mut Events, patience: Duration) -> bool {
    poll.poll(events, Some(patience)).expect("poll");
    assert!(events.iter().all(|event| event.token() == Token(0) && event.is_readable()));
    !events.is_empty()
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn mio_wakeup() {
    let _turn = turn::take();
    let (mut signals, mut poll, mut events) = registered(USR1);
    assert!(!is_readable(&mut poll, &mut events, Duration::ZERO));
    raise(Raised::SIGUSR1).expect("raise");
    assert!(is_readable(&mut poll, &mut events, LONG));
    assert_eq!(all(signals.pending()), BTreeSet::from([USR1]));
    assert!(!is_readable(&mut poll, &mut events, Duration::ZERO));
}

#[test]
fn mio_multiple_signals() {
    let _turn = turn::take();
    let (mut signals, mut poll, mut events) = registered([USR1, USR2]);
    raise(Raised::SIGUSR1).expect("raise");
    raise(Raised::SIGUSR2).expect("raise");
    assert!(is_readable(&mut poll, &mut events, LONG));
    assert_eq!(signals.pending().collect::<Vec<_>>(), [USR1, USR2]);
    assert!(!is_readable(&mut poll, &mut events, Duration::ZERO));
}

#[test]
fn mio_parallel_multiple() {
    let _turn = turn::take();
    let (mut signals, mut poll, mut events) = registered(USR1);
    let done = Arc::new(AtomicBool::new(false));
    let sent = done.clone();
    let sender = thread::spawn(move || {
        for _ in 0..10 {
            thread::sleep(Duration::from_millis(25));
            send(USR1);
        }
        sent.store(true, Ordering::SeqCst);
        // One more, for a poll that has begun.
        send(USR1);
    });
    let mut received = 0;
    while !done.load(Ordering::SeqCst) {
        assert!(is_readable(&mut poll, &mut events, LONG));
        received += signals.pending().inspect(|&signal| assert_eq!(signal, USR1)).count();
    }
    sender.join().expect("no panic");
    received += signals.pending().count();
    assert!((1..=11).contains(&received), "{received}");
}

#[tokio::test]
async fn tokio_next_returns_received_signal() {
    let _turn = turn::take();
    let mut signals = TokioSignals::new(USR1).expect("open");
    raise(Raised::SIGUSR1).expect("raise");
    assert_eq!(signals.next().await, Some(USR1));
}

#[tokio::test]
async fn tokio_close_signal_stream() {
    let _turn = turn::take();
    let mut signals = TokioSignals::new(USR1).expect("open");
    signals.handle().close();
    assert_eq!(signals.next().await, None);
}

#[tokio::test]
async fn tokio_delayed() {
    let _turn = turn::take();
    let mut signals = TokioSignals::new(USR1).expect("open");
    let received = Arc::new(AtomicBool::new(false));
    let told = received.clone();
    let task = tokio::spawn(async move {
        signals.next().await;
        told.store(true, Ordering::SeqCst);
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!received.load(Ordering::SeqCst));
    send(USR1);
    task.await.expect("no panic");
    assert!(received.load(Ordering::SeqCst));
}
