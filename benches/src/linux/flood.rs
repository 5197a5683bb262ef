//! `flood`: real-time signals with integers, as fast as another process can send them.
//!
//! How many arrive, in order and with the right integer; what each costs; and what the flood does
//! to the other threads of the process. The sender is on the same CPU and waits only while the
//! kernel's queue is full.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde::{Deserialize, Serialize};
use signal_source::Signal;

use crate::linux::child::{self, Role};
use crate::linux::disturbance::{self, Disturbance};
use crate::linux::receivers::{self, Job, Kind, Receiver, raw};
use crate::linux::stats::{in_turns, median};

/// One receiver's figures.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub id: &'static str,
    pub name: &'static str,
    pub sent: u64,
    pub delivered: u64,
    /// Each one after those that were sent before it; unknown where no integer is told.
    pub in_order: Option<bool>,
    /// Wall time for each signal sent, both processes on one CPU.
    pub wall_ns: f64,
    /// CPU time of the receiving process for each signal sent.
    pub cpu_ns: f64,
    /// How often the receiving process went to sleep, for each signal sent.
    #[serde(default)] // no older report has it
    pub sleeps: f64,
    /// What other threads of the receiving process noticed, in a run of its own.
    pub disturbance: Disturbance,
}

/// How much to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    /// Signals of the run that counts what arrives, and costs CPU time.
    pub signals: usize,
    /// For wall time: short ones, so that few are hit by what else the machine does.
    pub slices: usize,
    /// Signals of a slice.
    pub slice: usize,
}

#[derive(Serialize, Deserialize)]
struct Outcome {
    delivered: u64,
    in_order: Option<bool>,
    /// The highest integer that came, and one more.
    next: i32,
    cpu_ns: f64,
    sleeps: i64,
}

pub fn run(effort: Effort) -> Vec<Row> {
    let mut roles: Vec<Role> =
        receivers::FLOODED.iter().map(|receiver| start(receiver, effort.slices)).collect();
    let times = in_turns(effort.slices, &mut roles, |slice, role| flood(role, slice, effort.slice));
    roles.iter_mut().for_each(|role| _ = role.end());
    let row = |(receiver, times): (&Receiver, Vec<f64>)| {
        let mut role = start(receiver, 1);
        flood(&mut role, 0, effort.signals);
        let outcome: Outcome = role.finish();
        if outcome.delivered == effort.signals as u64 && outcome.in_order == Some(true) {
            // So many in ascending order, from 0 to this one: each was the right one.
            assert_eq!(outcome.next as usize, effort.signals, "{}", receiver.id);
        }
        Row {
            id: receiver.id,
            name: receiver.name,
            sent: effort.signals as u64,
            delivered: outcome.delivered,
            in_order: outcome.in_order,
            wall_ns: median(&times) / effort.slice as f64,
            cpu_ns: outcome.cpu_ns / effort.signals as f64,
            sleeps: outcome.sleeps as f64 / effort.signals as f64,
            disturbance: disturb(receiver, effort.signals / 10),
        }
    };
    receivers::FLOODED.iter().zip(times).map(row).collect()
}

fn start(receiver: &Receiver, slices: usize) -> Role {
    Role::start(&[], "flooded", &[receiver.id, &slices.to_string()])
}

/// A shorter flood, with threads in the receiving process that have nothing to do with signals.
fn disturb(receiver: &Receiver, signals: usize) -> Disturbance {
    let mut role = Role::start(&[], "disturbed", &[receiver.id]);
    flood(&mut role, 0, signals);
    role.finish()
}

/// The signal that is counted, and the one that ends a slice. The kernel hands out lower numbers
/// first, so the end comes last.
fn signals() -> [i32; 2] {
    [1, 2].map(|n| Signal::rt(n).expect("a real-time signal").as_raw())
}

/// Sends a slice and its end, and waits until the receiver has seen that: nanoseconds.
fn flood(role: &mut Role, slice: usize, count: usize) -> f64 {
    let [counted, end] = signals();
    let first = slice * count;
    let start = Instant::now();
    for value in first..first + count {
        send(role.pid, counted, value as i32);
    }
    send(role.pid, end, 0);
    role.answered();
    start.elapsed().as_nanos() as f64
}

fn send(pid: i32, signal: i32, value: i32) {
    while !raw::sigqueue(pid, signal, value) {
        nix::sched::sched_yield().expect("yielded");
    }
}

/// The role of the receiver.
pub fn flooded(arguments: &[String]) {
    let [receiver, slices] = arguments else { panic!("{arguments:?}: a receiver, slices") };
    let job = Flooded {
        slices: slices.parse().expect("a number"),
        cpu_before: 0,
        sleeps_before: 0,
        delivered: 0,
        next: 0,
        in_order: None,
    };
    (find(receiver).run)(&signals(), Box::new(job));
}

fn find(id: &str) -> &'static Receiver {
    receivers::find(id).unwrap_or_else(|| panic!("no receiver {id}"))
}

struct Flooded {
    slices: usize,
    cpu_before: i64,
    sleeps_before: i64,
    delivered: u64,
    /// The lowest integer that may come next.
    next: i32,
    in_order: Option<bool>,
}

impl Job for Flooded {
    fn opened(&mut self) {
        (self.cpu_before, self.sleeps_before) = (cpu_ns(), sleeps());
        child::say_ready();
    }

    fn received(&mut self, signal: i32, value: Option<i32>) {
        if signal == signals()[1] {
            self.slices -= 1;
            child::answer(b".");
            return;
        }
        self.delivered += 1;
        if let Some(value) = value {
            let in_order = self.in_order.unwrap_or(true) && value >= self.next;
            self.in_order = Some(in_order);
            self.next = value + 1;
        }
    }

    fn goes_on(&mut self) -> bool {
        if self.slices > 0 {
            return true;
        }
        child::say_outcome(&Outcome {
            delivered: self.delivered,
            in_order: self.in_order,
            next: self.next,
            cpu_ns: (cpu_ns() - self.cpu_before) as f64,
            sleeps: sleeps() - self.sleeps_before,
        });
        false
    }
}

/// The role of a receiver among other threads.
pub fn disturbed(arguments: &[String]) {
    let [receiver] = arguments else { panic!("{arguments:?}: a receiver") };
    let receiver = find(receiver);
    // Only a thread that runs at the moment of the signal is interrupted.
    child::unpin();
    if matches!(receiver.kind, Kind::Ours | Kind::Raw) {
        // Before any thread exists, as a receiver on the kernel's queue has to.
        raw::sigset(&signals()).thread_block().expect("blocked");
    }
    let outcome = disturbance::disturbed(|stop| {
        (receiver.run)(&signals(), Box::new(Disturbed { ended: false, stop }));
    });
    child::say_outcome(&outcome);
}

/// Waits for the end of the one slice.
struct Disturbed {
    ended: bool,
    stop: Arc<AtomicBool>,
}

impl Job for Disturbed {
    fn opened(&mut self) {
        child::say_ready();
    }

    fn received(&mut self, signal: i32, _: Option<i32>) {
        self.ended |= signal == signals()[1];
    }

    fn goes_on(&mut self) -> bool {
        if self.ended {
            self.stop.store(true, Ordering::Relaxed);
            child::answer(b".");
        }
        !self.ended
    }
}

/// How often a thread of this process gave its CPU away to wait.
fn sleeps() -> i64 {
    getrusage(UsageWho::RUSAGE_SELF).expect("usage").voluntary_context_switches()
}

/// CPU time of this process.
fn cpu_ns() -> i64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("usage");
    (usage.user_time() + usage.system_time()).num_nanoseconds()
}
