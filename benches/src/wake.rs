//! `wake`: how long a signal takes, from `kill(2)` to the program that receives it.
//!
//! - Round trip: another process sends a signal, the receiver answers with a byte through a pipe,
//!   the sender waits for it. Both on one CPU.
//! - To itself: the process sends the signal to itself and receives it.

use std::time::Instant;

use nix::libc::SIGUSR1;
use serde::{Deserialize, Serialize};
use signal_source::{Signal, send};

use crate::alloc;
use crate::child::{self, Role};
use crate::receivers::{self, Job, Receiver};
use crate::stats::{Spread, interleave};

/// Before this part of the signals has gone, nothing is counted.
const WARM_UP: usize = 10;

/// One receiver's figures.
#[derive(Serialize)]
pub struct Row {
    pub id: &'static str,
    pub name: &'static str,
    pub round_trip_ns: Spread,
    pub to_itself_ns: Spread,
    /// Of the receiving process, for each signal of a round trip.
    pub allocations: f64,
}

/// How much to measure.
pub struct Effort {
    pub rounds: usize,
    pub signals: usize,
}

#[derive(Serialize, Deserialize)]
struct Outcome {
    times_ns: Vec<f64>,
    allocations: f64,
}

pub fn run(effort: &Effort) -> Vec<Row> {
    let signals = effort.signals.to_string();
    let trips = interleave(effort.rounds, receivers::ALL, |receiver| round_trip(receiver, &signals));
    let selves = interleave(effort.rounds, receivers::ALL, |receiver| to_itself(receiver, &signals));
    let rows = receivers::ALL.iter().zip(trips).zip(selves).map(|((receiver, trips), selves)| {
        let allocations = trips.iter().map(|trip| trip.1).fold(0.0, f64::max);
        let trips: Vec<Spread> = trips.iter().map(|trip| trip.0).collect();
        Row {
            id: receiver.id,
            name: receiver.name,
            round_trip_ns: Spread::middle(&trips),
            to_itself_ns: Spread::middle(&selves),
            allocations,
        }
    });
    rows.collect()
}

/// Sends to a child that answers.
fn round_trip(receiver: &Receiver, signals: &str) -> (Spread, f64) {
    let mut role = Role::start(&[], "answer", &[receiver.id, signals]);
    let pid = role.pid as u32;
    let count: usize = signals.parse().expect("a number");
    let trip = |_| {
        let start = Instant::now();
        send::kill(pid, Signal::USR1).expect("sent");
        role.answered();
        start.elapsed().as_nanos() as f64
    };
    let mut times: Vec<f64> = (0..count).map(trip).collect();
    let outcome: Outcome = role.finish();
    (Spread::of(&mut times[count / WARM_UP..]), outcome.allocations)
}

fn to_itself(receiver: &Receiver, signals: &str) -> Spread {
    let outcome: Outcome = Role::start(&[], "itself", &[receiver.id, signals]).finish();
    let mut times = outcome.times_ns;
    let count = times.len();
    Spread::of(&mut times[count / WARM_UP..])
}

/// The role of the receiver in a round trip.
pub fn answer(arguments: &[String]) {
    let (receiver, total) = parse(arguments);
    (receiver.run)(&[SIGUSR1], Box::new(Answer { total, seen: 0, allocations_before: 0 }));
}

struct Answer {
    total: usize,
    seen: usize,
    allocations_before: u64,
}

impl Job for Answer {
    fn opened(&mut self) {
        child::say_ready();
    }

    fn received(&mut self, signal: i32, _: Option<i32>) {
        assert_eq!(signal, SIGUSR1);
        self.seen += 1;
        if self.seen == self.total / WARM_UP {
            self.allocations_before = alloc::count();
        }
        child::answer(b".");
    }

    fn goes_on(&mut self) -> bool {
        if self.seen < self.total {
            return true;
        }
        let counted = self.total - self.total / WARM_UP;
        let allocations = (alloc::count() - self.allocations_before) as f64 / counted as f64;
        child::say_outcome(&Outcome { times_ns: Vec::new(), allocations });
        false
    }
}

/// The role of a process that sends to itself.
pub fn itself(arguments: &[String]) {
    let (receiver, total) = parse(arguments);
    let (pid, times_ns) = (std::process::id(), Vec::with_capacity(total));
    (receiver.run)(&[SIGUSR1], Box::new(Itself { pid, total, times_ns, start: None, seen: 0 }));
}

/// One signal at a time, each timed from its sending to the next one's, so that whatever a receiver
/// does before it would wait again is part of it.
struct Itself {
    pid: u32,
    total: usize,
    times_ns: Vec<f64>,
    start: Option<Instant>,
    seen: usize,
}

impl Job for Itself {
    fn opened(&mut self) {
        child::say_ready();
    }

    fn received(&mut self, signal: i32, _: Option<i32>) {
        assert_eq!(signal, SIGUSR1);
        self.seen += 1;
    }

    fn goes_on(&mut self) -> bool {
        let now = Instant::now();
        if let Some(start) = self.start {
            if self.seen == self.times_ns.len() {
                return true; // a wake for nothing
            }
            self.times_ns.push((now - start).as_nanos() as f64);
        }
        assert_eq!(self.seen, self.times_ns.len(), "one signal at a time");
        if self.seen == self.total {
            let times_ns = std::mem::take(&mut self.times_ns);
            child::say_outcome(&Outcome { times_ns, allocations: 0.0 });
            return false;
        }
        self.start = Some(now);
        send::kill(self.pid, Signal::USR1).expect("sent");
        true
    }
}

fn parse(arguments: &[String]) -> (&'static Receiver, usize) {
    let [receiver, total] = arguments else { panic!("{arguments:?}: a receiver and a number") };
    let receiver = receivers::find(receiver).unwrap_or_else(|| panic!("no receiver {receiver}"));
    (receiver, total.parse().expect("a number"))
}
