//! `scale`: what a signal costs as more and more parts of a program want it.
//!
//! Each subscriber is a task of one current-thread runtime. The process sends a signal to itself
//! and waits until every task has it. The hub beside as many streams of tokio::signal; and the hub
//! with as many subscribers of *another* signal, which should cost nothing.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use signal_source::tokio::{SignalHub, Subscriber};
use signal_source::{Signal, send};
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio::sync::Notify;

use crate::linux::alloc;
use crate::linux::child::{self, Role};
use crate::linux::receivers::executors;
use crate::linux::stats::{in_turns, median};

/// One number of subscribers.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub subscribers: usize,
    /// For a signal that all of them receive.
    pub hub_ns: f64,
    pub tokio_signal_ns: f64,
    /// For a signal that one subscriber receives, while so many wait for another one.
    pub hub_others_ns: f64,
    /// Allocated for each subscriber, without its task.
    pub hub_bytes: f64,
    pub tokio_signal_bytes: f64,
}

/// How much to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    pub rounds: usize,
    /// Signals that one subscriber receives in a round; fewer with more of them.
    pub signals: usize,
    pub most_subscribers: usize,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Outcome {
    ns: f64,
    bytes: f64,
}

pub fn run(effort: Effort) -> Vec<Row> {
    let sizes = [1, 10, 100, 1000, 10_000].into_iter();
    sizes.filter(|&size| size <= effort.most_subscribers).map(|size| row(effort, size)).collect()
}

fn row(effort: Effort, subscribers: usize) -> Row {
    let mut kinds = ["hub", "tokio-signal", "hub-others"];
    let results = in_turns(effort.rounds, &mut kinds, |_, kind| {
        let received = if *kind == "hub-others" { 1 } else { subscribers };
        let signals = (effort.signals / received).max(10);
        let arguments = [subscribers.to_string(), signals.to_string()];
        Role::start(&[], "crowd", &[kind, &arguments[0], &arguments[1]]).finish::<Outcome>()
    });
    let middle = |kind: usize, figure: fn(&Outcome) -> f64| {
        median(&results[kind].iter().map(figure).collect::<Vec<_>>())
    };
    Row {
        subscribers,
        hub_ns: middle(0, |outcome| outcome.ns),
        tokio_signal_ns: middle(1, |outcome| outcome.ns),
        hub_others_ns: middle(2, |outcome| outcome.ns),
        hub_bytes: middle(0, |outcome| outcome.bytes),
        tokio_signal_bytes: middle(1, |outcome| outcome.bytes),
    }
}

/// The role of the process with the subscribers.
pub fn crowd(arguments: &[String]) {
    let [kind, subscribers, signals] = arguments else {
        panic!("{arguments:?}: a kind, subscribers, signals")
    };
    let subscribers = subscribers.parse().expect("a number");
    let signals = signals.parse().expect("a number");
    let outcome = match kind.as_str() {
        "hub" => hub(subscribers, 0, signals),
        "hub-others" => hub(1, subscribers, signals),
        "tokio-signal" => tokio_signal(subscribers, signals),
        _ => panic!("no kind {kind}"),
    };
    child::say_outcome(&outcome);
}

fn hub(subscribers: usize, others: usize, signals: usize) -> Outcome {
    let hub = SignalHub::new([Signal::USR1, Signal::USR2]).expect("a hub");
    executors::current().block_on(async {
        for mut other in subscribe(&hub, Signal::USR2, others).0 {
            tokio::spawn(async move { other.recv().await.expect("none is sent") });
        }
        let (crowd, bytes) = subscribe(&hub, Signal::USR1, subscribers);
        let ns = measure(crowd, signals, |mut subscriber: Subscriber, count| async move {
            loop {
                subscriber.recv().await.expect("a signal");
                count.one();
            }
        });
        Outcome { ns: ns.await, bytes }
    })
}

/// So many subscribers, and the bytes for each.
fn subscribe(hub: &SignalHub, signal: Signal, count: usize) -> (Vec<Subscriber>, f64) {
    open(count, || hub.subscribe(signal).expect("a subscriber"))
}

fn tokio_signal(subscribers: usize, signals: usize) -> Outcome {
    executors::current().block_on(async {
        // What is allocated once is not a subscriber's.
        let _first = signal(SignalKind::user_defined1()).expect("a stream");
        let (crowd, bytes) =
            open(subscribers, || signal(SignalKind::user_defined1()).expect("a stream"));
        let ns = measure(crowd, signals, |mut stream: Stream, count| async move {
            loop {
                stream.recv().await.expect("a signal");
                count.one();
            }
        });
        Outcome { ns: ns.await, bytes }
    })
}

fn open<S>(count: usize, one: impl Fn() -> S) -> (Vec<S>, f64) {
    let mut crowd = Vec::with_capacity(count);
    let before = alloc::live_bytes();
    crowd.extend((0..count).map(|_| one()));
    (crowd, (alloc::live_bytes() - before) as f64 / count.max(1) as f64)
}

/// Counts what was received, and tells when it was all.
#[derive(Clone)]
struct Count(Arc<(AtomicUsize, Notify)>);

impl Count {
    fn one(&self) {
        if self.0.0.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.1.notify_one();
        }
    }
}

/// Has each subscriber wait in a task of its own; nanoseconds from a signal's sending until the
/// last one has it.
async fn measure<S, F>(crowd: Vec<S>, signals: usize, wait: impl Fn(S, Count) -> F) -> f64
where
    F: Future<Output = ()> + Send + 'static,
{
    let (size, pid) = (crowd.len(), std::process::id());
    let count = Count(Arc::new((AtomicUsize::new(0), Notify::new())));
    for subscriber in crowd {
        tokio::spawn(wait(subscriber, count.clone()));
    }
    tokio::task::yield_now().await;
    child::say_ready();
    let mut times = Vec::with_capacity(signals);
    for _ in 0..signals {
        count.0.0.store(size, Ordering::Relaxed);
        let start = Instant::now();
        send::kill(pid, Signal::USR1).expect("sent");
        count.0.1.notified().await;
        times.push(start.elapsed().as_nanos() as f64);
    }
    median(&times[signals / 10..])
}
