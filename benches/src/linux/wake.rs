//! `wake`: how long a signal takes, from `kill(2)` to the program that receives it.
//!
//! - Round trip: another process sends a signal, the receiver answers with a byte through a pipe,
//!   the sender waits for it. Both on one CPU.
//! - To itself: the process sends the signal to itself and receives it, again and again.
//!
//! All receivers are open at the same time, each in a process of its own, and are measured in turn,
//! a short slice each: what else the machine does hits all alike. Where the system happens to put a
//! process in memory makes it some percent slower or faster for its whole life, so each receiver is
//! measured in several processes, one after the other.

use std::time::Instant;

use nix::libc::SIGUSR1;
use serde::{Deserialize, Serialize};
use signal_source::{Signal, send};

use crate::linux::alloc;
use crate::linux::child::{self, Role};
use crate::linux::receivers::{self, Job, Receiver};
use crate::linux::stats::{Spread, in_turns};
use crate::linux::syscalls;

/// One receiver's figures.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub id: &'static str,
    pub name: &'static str,
    pub round_trip_ns: Spread,
    pub to_itself_ns: Spread,
    /// In the receiving process, for all signals of the round trips but the first slice's.
    pub allocations: u64,
    /// Of the receiving process for each signal of a round trip, without the answer's.
    pub system_calls: Option<f64>,
}

/// How much to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    /// Of each receiver, one after the other.
    pub processes: usize,
    /// Of each process.
    pub slices: usize,
    /// Signals of a slice.
    pub signals: usize,
    pub count_system_calls: bool,
}

#[derive(Default, Serialize, Deserialize)]
struct Outcome {
    times_ns: Vec<f64>,
    allocations: u64,
}

pub fn run(effort: Effort) -> Vec<Row> {
    let trips = round_trips(effort);
    let selves = to_itself(effort);
    let rows = receivers::ALL.iter().zip(trips).zip(selves);
    let row = |((receiver, (round_trip_ns, allocations)), to_itself_ns): ((&Receiver, _), _)| Row {
        id: receiver.id,
        name: receiver.name,
        round_trip_ns,
        to_itself_ns,
        allocations,
        system_calls: effort.count_system_calls.then(|| syscalls::count(receiver)).flatten(),
    };
    rows.map(row).collect()
}

/// Starts every receiver in the role.
fn start(role: &str, effort: Effort) -> Vec<Role> {
    let [slices, signals] = [effort.slices, effort.signals].map(|number| number.to_string());
    let start = |receiver: &Receiver| Role::start(&[], role, &[receiver.id, &slices, &signals]);
    receivers::ALL.iter().map(start).collect()
}

fn round_trips(effort: Effort) -> Vec<(Spread, u64)> {
    let outcomes = in_processes(effort, || {
        let mut roles = start("answer", effort);
        let times = in_turns(effort.slices, &mut roles, |_, role| {
            (0..effort.signals).map(|_| round_trip(role)).collect::<Vec<_>>()
        });
        // The first slice warms up.
        let outcome = |(role, slices): (Role, Vec<_>)| Outcome {
            times_ns: slices[1..].concat(),
            allocations: role.finish::<Outcome>().allocations,
        };
        roles.into_iter().zip(times).map(outcome).collect()
    });
    let figures = |mut outcome: Outcome| (Spread::of(&mut outcome.times_ns), outcome.allocations);
    outcomes.into_iter().map(figures).collect()
}

/// Runs all receivers in new processes as often as is wanted, and puts together what each one's say.
fn in_processes(effort: Effort, mut run: impl FnMut() -> Vec<Outcome>) -> Vec<Outcome> {
    let mut all: Vec<_> = receivers::ALL.iter().map(|_| Outcome::default()).collect();
    for _ in 0..effort.processes {
        for (all, outcome) in all.iter_mut().zip(run()) {
            all.times_ns.extend(outcome.times_ns);
            all.allocations += outcome.allocations;
        }
    }
    all
}

fn round_trip(role: &mut Role) -> f64 {
    let pid = role.pid as u32;
    let start = Instant::now();
    send::kill(pid, Signal::USR1).expect("sent");
    role.answered();
    start.elapsed().as_nanos() as f64
}

fn to_itself(effort: Effort) -> Vec<Spread> {
    let outcomes = in_processes(effort, || {
        let mut roles = start("itself", effort);
        in_turns(effort.slices, &mut roles, |_, role| round_trip(role));
        let finish = |role: Role| {
            let mut outcome = role.finish::<Outcome>();
            outcome.times_ns.drain(..effort.signals);
            outcome
        };
        roles.into_iter().map(finish).collect()
    });
    outcomes.into_iter().map(|mut outcome| Spread::of(&mut outcome.times_ns)).collect()
}

fn parse(arguments: &[String]) -> (&'static Receiver, Effort) {
    let [receiver, slices, signals] = arguments else {
        panic!("{arguments:?}: a receiver, slices, signals")
    };
    let receiver = receivers::find(receiver).unwrap_or_else(|| panic!("no receiver {receiver}"));
    let [slices, signals] = [slices, signals].map(|number| number.parse().expect("a number"));
    (receiver, Effort { processes: 1, slices, signals, count_system_calls: false })
}

/// The role of the receiver in a round trip.
pub fn answer(arguments: &[String]) {
    let (receiver, effort) = parse(arguments);
    (receiver.run)(&[SIGUSR1], Box::new(Answer { effort, seen: 0, allocations_before: 0 }));
}

struct Answer {
    effort: Effort,
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
        if self.seen == self.effort.signals {
            self.allocations_before = alloc::count();
        }
        child::answer(b".");
    }

    fn goes_on(&mut self) -> bool {
        if self.seen < self.effort.slices * self.effort.signals {
            return true;
        }
        let allocations = alloc::count() - self.allocations_before;
        child::say_outcome(&Outcome { allocations, ..Outcome::default() });
        false
    }
}

/// The role of a process that sends to itself: a slice for each signal from outside.
pub fn itself(arguments: &[String]) {
    let (receiver, effort) = parse(arguments);
    let times_ns = Vec::with_capacity(effort.slices * effort.signals);
    let pid = std::process::id();
    let job = Itself { pid, effort, times_ns, received: false, start: None };
    (receiver.run)(&[SIGUSR1], Box::new(job));
}

/// Each signal is timed from its sending to the next one's, so that whatever a receiver does before
/// it would wait again is part of it.
struct Itself {
    pid: u32,
    effort: Effort,
    times_ns: Vec<f64>,
    /// Since it last would have waited.
    received: bool,
    /// When it last sent to itself; the slice is over if it did not.
    start: Option<Instant>,
}

impl Job for Itself {
    fn opened(&mut self) {
        child::say_ready();
    }

    fn received(&mut self, signal: i32, _: Option<i32>) {
        assert_eq!(signal, SIGUSR1);
        assert!(!self.received, "one signal at a time");
        self.received = true;
    }

    fn goes_on(&mut self) -> bool {
        if !std::mem::take(&mut self.received) {
            return true; // not yet, or a wake for nothing
        }
        let now = Instant::now();
        if let Some(start) = self.start.take() {
            self.times_ns.push((now - start).as_nanos() as f64);
            if self.times_ns.len().is_multiple_of(self.effort.signals) {
                return self.end_slice();
            }
        }
        self.start = Some(now);
        send::kill(self.pid, Signal::USR1).expect("sent");
        true
    }
}

impl Itself {
    fn end_slice(&mut self) -> bool {
        child::answer(b".");
        if self.times_ns.len() < self.effort.slices * self.effort.signals {
            return true;
        }
        let times_ns = std::mem::take(&mut self.times_ns);
        child::say_outcome(&Outcome { times_ns, ..Outcome::default() });
        false
    }
}
