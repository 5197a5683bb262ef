//! The handshakes of hubs and shutdowns, interleaved: threads that wait, ask, come and go, a sender
//! and the reader thread, over a model of the kernel.
//!
//! ```text
//! $ RUSTFLAGS='--cfg shuttle' cargo test --all-features --lib --target-dir target/shuttle model
//! ```
//!
//! Each case runs the crate's own code with shuttle's locks, in schedules that shuttle draws at
//! random, by priorities (PCT) and, where there are few enough, one after the other (DFS). A
//! schedule in which no thread can run is a lost wake-up or a deadlock, and fails; so does one in
//! which a signal is lost, received and acted, or read before the receiver was closed.
//! `SIGNAL_SOURCE_SCHEDULES` multiplies how many are tried.

mod goings;
mod hubs;
mod machine;
mod receiving;
mod shutdowns;
mod waits;

use std::sync::Arc;
use std::task::{Context, Poll};

use self::machine::Machine;

/// Schedules of each kind for one case.
const SCHEDULES: usize = 1_000;

/// Runs `case` in many schedules, each on a machine of its own that must be at rest in the end; on
/// machines of both kinds.
fn check(case: fn(&Arc<Machine>)) {
    let factor = std::env::var("SIGNAL_SOURCE_SCHEDULES").ok();
    let factor: usize = factor.and_then(|factor| factor.parse().ok()).unwrap_or(1);
    for tells_changes in [true, false] {
        let run = move || {
            let machine = Machine::start(tells_changes);
            case(&machine);
            machine.stop();
        };
        shuttle::check_random(run, SCHEDULES * factor);
        shuttle::check_pct(run, SCHEDULES * factor, 3);
        // The first of them that a search in depth finds: all, where a case has fewer.
        shuttle::check_dfs(run, Some(SCHEDULES * factor));
    }
}

/// Blocks the thread until `poll` is ready.
fn block_on<T>(poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
    super::blocking::block_on(None, poll).expect("without a deadline it is ready in the end")
}
