//! `fanout`: a flood of real-time signals that many parts of a program want.
//!
//! Through a hub; and through `tokio::sync::broadcast`, which a hand-written loop over a signalfd feeds
//! with the same records. Each subscriber is a task of one current-thread runtime. What lags misses
//! some, and is told how many: both keep 256.
//!
//! And how long it takes to subscribe and to drop a subscriber while such a flood goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use signal_source::tokio::SignalHub;
use signal_source::{Signal, SignalSet};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::linux::child::{self, Role};
use crate::linux::receivers::{executors, raw};
use crate::linux::stats::{Spread, in_turns, median};

/// One number of subscribers.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub subscribers: usize,
    pub sent: u64,
    /// CPU time of the process for each delivery to a subscriber, and how many there were.
    pub hub_ns: f64,
    pub hub_delivered: u64,
    pub broadcast_ns: f64,
    pub broadcast_delivered: u64,
    /// To subscribe and drop again under the flood; where it was measured.
    pub join_ns: Option<Spread>,
}

/// How much to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    pub rounds: usize,
    pub signals: usize,
    /// Subscribers that come and go under the flood.
    pub joins: usize,
}

#[derive(Serialize, Deserialize)]
struct Outcome {
    delivered: u64,
    cpu_ns: f64,
    joins_ns: Vec<f64>,
}

/// Subscribers that others join.
const CROWD: usize = 1000;

pub fn run(effort: Effort) -> Vec<Row> {
    let mut rows: Vec<Row> = [1, 8, 64].map(|size| row(effort, size)).into();
    rows.push(joins(effort));
    rows
}

fn row(effort: Effort, subscribers: usize) -> Row {
    let mut kinds = ["hub", "broadcast"];
    let results = in_turns(effort.rounds, &mut kinds, |_, kind| {
        let mut role = Role::start(&[], "fan-out", &[kind, &subscribers.to_string(), "0"]);
        flood(&mut role, effort.signals);
        role.finish::<Outcome>()
    });
    let cpu = |kind: usize| {
        let each = results[kind].iter().map(|outcome| outcome.cpu_ns / outcome.delivered as f64);
        median(&each.collect::<Vec<_>>())
    };
    let delivered = |kind: usize| {
        let each = results[kind].iter().map(|outcome| outcome.delivered as f64);
        median(&each.collect::<Vec<_>>()) as u64
    };
    Row {
        subscribers,
        sent: effort.signals as u64,
        hub_ns: cpu(0),
        hub_delivered: delivered(0),
        broadcast_ns: cpu(1),
        broadcast_delivered: delivered(1),
        join_ns: None,
    }
}

fn joins(effort: Effort) -> Row {
    let arguments = ["hub", &CROWD.to_string(), &effort.joins.to_string()];
    let mut role = Role::start(&[], "fan-out", &arguments);
    let [counted, end] = signals();
    let mut sent = 0;
    // As long as others come and go.
    while !role.has_answered() {
        for _ in 0..100 {
            sent += u64::from(raw::sigqueue(role.pid, counted.as_raw(), 0));
        }
    }
    send(role.pid, end, 0);
    let mut outcome: Outcome = role.finish();
    Row {
        subscribers: CROWD,
        sent,
        hub_ns: outcome.cpu_ns / outcome.delivered as f64,
        hub_delivered: outcome.delivered,
        broadcast_ns: 0.0,
        broadcast_delivered: 0,
        join_ns: Some(Spread::of(&mut outcome.joins_ns)),
    }
}

/// The signal that is counted, and the one that ends the flood: the kernel hands it out last.
fn signals() -> [Signal; 2] {
    [1, 2].map(|n| Signal::rt(n).expect("a real-time signal"))
}

fn flood(role: &mut Role, count: usize) {
    let [counted, end] = signals();
    for value in 0..count {
        send(role.pid, counted, value as i32);
    }
    send(role.pid, end, 0);
}

fn send(pid: i32, signal: Signal, value: i32) {
    while !raw::sigqueue(pid, signal.as_raw(), value) {
        nix::sched::sched_yield().expect("yielded");
    }
}

/// The role of the process with the subscribers.
pub fn fan_out(arguments: &[String]) {
    let [kind, subscribers, joins] = arguments else {
        panic!("{arguments:?}: a kind, subscribers, joins")
    };
    let subscribers = subscribers.parse().expect("a number");
    let joins = joins.parse().expect("a number");
    if joins > 0 {
        // More threads want to run than one CPU has time for.
        child::unpin();
    }
    let delivered = Arc::new(AtomicU64::new(0));
    match kind.as_str() {
        "hub" => hub(subscribers, joins, &delivered),
        "broadcast" => broadcast(subscribers, &delivered),
        _ => panic!("no kind {kind}"),
    }
}

/// The last words: what lags still has something unread, which would act.
fn end(delivered: &AtomicU64, cpu_ns: i64, joins_ns: Vec<f64>) -> ! {
    let delivered = delivered.load(Ordering::Relaxed);
    child::say_outcome(&Outcome { delivered, cpu_ns: cpu_ns as f64, joins_ns });
    std::process::exit(0);
}

fn hub(subscribers: usize, joins: usize, delivered: &Arc<AtomicU64>) {
    let [counted, last] = signals();
    let hub = SignalHub::new([counted, last]).expect("a hub");
    let mut ended = hub.subscribe(last).expect("a subscriber");
    let joining = (joins > 0).then(|| Joining::start(&hub, counted, joins));
    executors::current().block_on(async {
        for _ in 0..subscribers {
            let mut subscriber = hub.subscribe(counted).expect("a subscriber");
            let delivered = delivered.clone();
            tokio::spawn(async move {
                while subscriber.recv().await.is_ok() {
                    delivered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let all = delivered.clone();
        tokio::spawn(async move {
            let before = process_cpu_ns();
            if let Some(joining) = &joining {
                joining.go();
            }
            child::say_ready();
            ended.recv().await.expect("the end");
            settle(&all).await;
            let cpu_ns = process_cpu_ns() - before;
            end(&all, cpu_ns, joining.map(Joining::end).unwrap_or_default())
        })
        .await
        .expect("the task")
    })
}

fn broadcast(subscribers: usize, delivered: &Arc<AtomicU64>) {
    let [counted, last] = signals().map(Signal::as_raw);
    let set = raw::sigset(&[counted, last]);
    set.thread_block().expect("blocked");
    let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
    let fd = SignalFd::with_flags(&set, flags).expect("a signalfd");
    executors::current().block_on(async {
        let (sender, _) = broadcast::channel(SignalHub::QUEUE);
        for _ in 0..subscribers {
            let (mut receiver, delivered) = (sender.subscribe(), delivered.clone());
            tokio::spawn(async move {
                loop {
                    match receiver.recv().await {
                        Ok::<[u8; raw::RECORD], _>(_) => {
                            delivered.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(RecvError::Lagged(_)) => {}
                        Err(RecvError::Closed) => break,
                    }
                }
            });
        }
        let all = delivered.clone();
        let feed = async move {
            let before = process_cpu_ns();
            child::say_ready();
            // SAFETY: a signalfd is no file that another process could change, and it is closed with
            // the AsyncFd.
            let fd = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }
                .expect("registered");
            'feeding: loop {
                let mut ready = fd.readable().await.expect("a reactor");
                let mut buffer = [0; 64 * raw::RECORD];
                while let Ok(bytes) = rustix::io::read(fd.get_ref(), &mut buffer) {
                    for record in buffer[..bytes].as_chunks::<{ raw::RECORD }>().0 {
                        if raw::number(record) == last {
                            break 'feeding;
                        }
                        let _ = sender.send(*record);
                    }
                    // As the hub's thread does for its subscribers: they have their turn.
                    tokio::task::yield_now().await;
                }
                ready.clear_ready();
            }
            settle(&all).await;
            end(&all, process_cpu_ns() - before, Vec::new())
        };
        tokio::spawn(feed).await.expect("the task")
    })
}

/// Lets all subscribers read what there is: the end can come before the last of the flood, where that
/// waited in the kernel's queue for room.
async fn settle(delivered: &AtomicU64) {
    let mut before = None;
    while before != Some(delivered.load(Ordering::Relaxed)) {
        before = Some(delivered.load(Ordering::Relaxed));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A thread that subscribes and drops, again and again.
struct Joining {
    goes: Arc<AtomicBool>,
    thread: thread::JoinHandle<Vec<f64>>,
}

impl Joining {
    fn start(hub: &SignalHub, signal: Signal, joins: usize) -> Joining {
        let (hub, goes) = (hub.clone(), Arc::new(AtomicBool::new(false)));
        let told = goes.clone();
        let set = SignalSet::from(signal);
        let thread = thread::spawn(move || {
            while !told.load(Ordering::Acquire) {
                thread::yield_now();
            }
            let mut times = Vec::with_capacity(joins);
            for _ in 0..joins {
                let start = Instant::now();
                drop(hub.subscribe(set).expect("a subscriber"));
                times.push(start.elapsed().as_nanos() as f64);
                // Threads that come and go do something else in between.
                thread::sleep(Duration::from_micros(100));
            }
            child::answer(b".");
            times
        });
        Joining { goes, thread }
    }

    fn go(&self) {
        self.goes.store(true, Ordering::Release);
    }

    fn end(self) -> Vec<f64> {
        self.thread.join().expect("the thread")
    }
}

fn process_cpu_ns() -> i64 {
    let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("the clock");
    time.tv_sec() * 1_000_000_000 + time.tv_nsec()
}
