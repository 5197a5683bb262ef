//! Simulated threads, interleaved by a seed: what the simulated kernels of the backends stand on.
//!
//! A *schedule* is one run of a random program, on a random kernel, in a random order of steps; all
//! of that follows from one number, its seed. `SIMULATION_SEEDS` is how many are run,
//! `SIMULATION_FIRST` the first of them. A seed that breaks the law is run again, and tells each
//! step; `SIMULATION_SEED` runs that one alone.

pub(super) mod actions;
pub(super) mod atomic;
pub(super) mod lock;
pub(super) mod program;
pub(super) mod random;
pub(super) mod scheduler;

use std::env;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// How many schedules one test runs, if it is not told.
const SEEDS: u64 = 100_000;

/// Runs all schedules, on all processors.
pub(super) fn run(schedule: fn()) {
    if let Some(seed) = number("SIMULATION_SEED") {
        if let Err(failure) = scheduler::run(seed, true, schedule) {
            panic!("seed {seed}: {failure}");
        }
        return;
    }
    let first = number("SIMULATION_FIRST").unwrap_or(0);
    let end = first + number("SIMULATION_SEEDS").unwrap_or(SEEDS);
    let (next, failed) = (AtomicU64::new(first), AtomicU64::new(u64::MAX));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while failed.load(Ordering::Relaxed) == u64::MAX {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        break;
                    }
                    if scheduler::run(seed, false, schedule).is_err() {
                        failed.fetch_min(seed, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let seed = failed.into_inner();
    if seed != u64::MAX {
        let failure = scheduler::run(seed, true, schedule).err();
        let tried = seed - first + 1;
        panic!("seed {seed}, after about {tried}: {}", failure.unwrap_or_default());
    }
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().expect("a number"))
}
