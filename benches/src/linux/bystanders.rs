//! `bystanders`: what a signal costs that is directed at a thread which has nothing to do with any
//! receiver, while others of the process receive.
//!
//! The kernel wakes whatever polls a signalfd for any signal of the process. A profiler's signal, a
//! thousand times a second, costs that each time. CPU time of the whole process for each signal, less
//! what the same waiting costs without one.

use std::thread;
use std::time::Duration;

use nix::libc;
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, Signal as Number, raise, sigaction,
};
use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use signal_source::tokio::{Shutdown, SignalHub, SignalStream};
use signal_source::{Signal, Signals};
use tokio::signal::unix::{SignalKind, signal};

use crate::linux::child::{self, Role};
use crate::linux::receivers::executors;
use crate::linux::stats::{in_turns, median};

/// One kind and number of receivers.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub kind: String,
    pub receivers: usize,
    pub cpu_ns: f64,
}

/// How much to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    pub rounds: usize,
    pub signals: usize,
}

/// Signals in a row.
const CHUNK: usize = 20;

/// What there is beside the thread that gets the signals.
pub const NONE: &str = "none";
pub const HUB: &str = "runtimes with a subscriber of one hub";
pub const SHUTDOWN: &str = "runtimes that wait for one shutdown";
pub const STREAMS: &str = "streams, a receiver each";
pub const BLOCKED: &str = "threads blocked in one receiver";
pub const PEER: &str = "runtimes with a stream of tokio::signal";

pub fn run(effort: Effort) -> Vec<Row> {
    let numbers = [1, 4, 16, 64];
    let kinds = [HUB, SHUTDOWN, STREAMS, BLOCKED, PEER];
    let each = |kind| numbers.map(move |number| (kind, number));
    let mut subjects = vec![(NONE, 0)];
    subjects.extend(kinds.into_iter().flat_map(each));
    let signals = effort.signals.to_string();
    let results = in_turns(effort.rounds, &mut subjects, |_, (kind, number)| {
        Role::start(&[], "aside", &[kind, &number.to_string(), &signals]).finish::<Row>()
    });
    let row = |mut rows: Vec<Row>| {
        let cpu_ns = median(&rows.iter().map(|row| row.cpu_ns).collect::<Vec<_>>());
        Row { cpu_ns, ..rows.remove(0) }
    };
    results.into_iter().map(row).collect()
}

/// The role of the process with the receivers.
pub fn aside(arguments: &[String]) {
    let [kind, receivers, signals] = arguments else {
        panic!("{arguments:?}: a kind, receivers, signals")
    };
    let wanted = receivers.parse().expect("a number");
    let signals: usize = signals.parse().expect("a number");
    let receivers = receive(kind, wanted);
    // All of them wait by then.
    thread::sleep(Duration::from_millis(50));
    child::say_ready();
    handle_profiling();
    // Alternately, a few at a time, so that what else the machine does hits both alike.
    let chunk = |_| {
        let calm = cpu_ns(CHUNK, || ());
        (cpu_ns(CHUNK, send_to_this_thread) - calm) / CHUNK as f64
    };
    let cpu_ns = median(&(0..signals / CHUNK).map(chunk).collect::<Vec<_>>());
    child::say_outcome(&Row { kind: kind.clone(), receivers, cpu_ns });
    // The threads wait for ever.
    std::process::exit(0);
}

/// Has so many receive, on threads of their own; returns how many there are.
fn receive(kind: &str, wanted: usize) -> usize {
    match kind {
        NONE => 0,
        HUB => {
            let hub = SignalHub::new(Signal::USR1).expect("a hub");
            let subscriber = || hub.subscribe(Signal::USR1).expect("a subscriber");
            start(wanted, subscriber, |mut subscriber| {
                executors::current().block_on(async {
                    let wait = async move { drop(subscriber.recv().await) };
                    tokio::spawn(wait).await.expect("the task");
                });
            })
        }
        SHUTDOWN => {
            let shutdown = Shutdown::on(Signal::TERM).expect("a shutdown");
            start(
                wanted,
                || shutdown.clone(),
                |shutdown| {
                    executors::current().block_on(async { drop(shutdown.wait().await) });
                },
            )
        }
        STREAMS => {
            // There are not as many signals: each has one receiver.
            let free = (1..=64).filter_map(Signal::from_raw).filter(|signal| {
                signal.is_receivable() && *signal != Signal::PROF && *signal != Signal::TERM
            });
            let opened: Vec<_> =
                free.take(wanted).map(|signal| Signals::new(signal).expect("open")).collect();
            let (count, mut opened) = (opened.len(), opened.into_iter());
            start(
                count,
                || opened.next().expect("so many"),
                |signals| {
                    executors::current().block_on(async {
                        let mut stream = SignalStream::try_from(signals).expect("registered");
                        drop(stream.recv().await);
                    });
                },
            )
        }
        BLOCKED => {
            let signals: &Signals = Box::leak(Box::new(Signals::new(Signal::USR1).expect("open")));
            start(wanted, || signals, |signals| drop(signals.recv()))
        }
        PEER => start(
            wanted,
            || (),
            |()| {
                executors::current().block_on(async {
                    let mut stream = signal(SignalKind::user_defined1()).expect("a stream");
                    stream.recv().await;
                });
            },
        ),
        _ => panic!("no kind {kind}"),
    }
}

/// Starts a thread for each.
fn start<T: Send + 'static>(count: usize, mut one: impl FnMut() -> T, wait: fn(T)) -> usize {
    for _ in 0..count {
        let one = one();
        thread::spawn(move || wait(one));
    }
    count
}

/// As a profiler does.
fn handle_profiling() {
    extern "C" fn nothing(_: libc::c_int) {}
    let handler = SigHandler::Handler(nothing);
    let action = SigAction::new(handler, SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler does nothing.
    unsafe { sigaction(Number::SIGPROF, &action) }.expect("a handler");
}

fn send_to_this_thread() {
    raise(Number::SIGPROF).expect("sent");
}

/// CPU time of this process while this thread does something again and again, with so much time in
/// between that whatever it wakes has gone to sleep.
fn cpu_ns(times: usize, something: impl Fn()) -> f64 {
    let before = process_cpu_ns();
    for _ in 0..times {
        something();
        thread::sleep(Duration::from_micros(500));
    }
    (process_cpu_ns() - before) as f64
}

fn process_cpu_ns() -> i64 {
    let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("the clock");
    time.tv_sec() * 1_000_000_000 + time.tv_nsec()
}
