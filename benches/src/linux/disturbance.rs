//! Threads that have nothing to do with signals, and what they notice of them.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nix::time::{ClockId, clock_gettime};
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// What the bystanders noticed.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Disturbance {
    /// How often a `poll(2)` that waits for something else was interrupted.
    pub poll_eintr: u64,
    /// The same for a blocking `read(2)`, which the kernel restarts for most handlers.
    pub read_eintr: u64,
    /// CPU time that a computing thread needs for a piece of work, by what it needs in peace.
    pub slow_down: f64,
}

/// Does arithmetic on the calling thread, the process' first, while `receive` receives on a thread of
/// its own until it says that it stops, and two more threads wait in `poll` and in `read`.
///
/// That is how a program looks whose main thread does the work. The kernel prefers the first thread
/// for a signal that it may have; a handler then runs there.
pub fn disturbed(receive: impl FnOnce(Arc<AtomicBool>) + Send + 'static) -> Disturbance {
    let (poll_end, poll_pipe) = nix::unistd::pipe().expect("a pipe");
    let (read_end, read_pipe) = nix::unistd::pipe().expect("a pipe");
    let polling = thread::spawn(move || {
        let mut ends = [PollFd::new(&poll_end, PollFlags::IN)];
        count_interrupts(|| rustix::event::poll(&mut ends, None))
    });
    let reading = thread::spawn(move || count_interrupts(|| rustix::io::read(&read_end, &mut [0])));
    let calm_ns = pieces_until(|pieces| pieces == CALM_PIECES);
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let receiving = thread::spawn(move || receive(stop));
    let flooded_ns = pieces_until(|_| stopped.load(Ordering::Relaxed));
    receiving.join().expect("the receiving thread");
    // Ends the waiting.
    drop([poll_pipe, read_pipe]);
    Disturbance {
        poll_eintr: polling.join().expect("the polling thread"),
        read_eintr: reading.join().expect("the reading thread"),
        slow_down: flooded_ns / calm_ns,
    }
}

/// Waits until the wait is over, and counts how often it was interrupted.
fn count_interrupts<T>(mut wait: impl FnMut() -> Result<T, Errno>) -> u64 {
    let mut interrupts = 0;
    while wait().err() == Some(Errno::INTR) {
        interrupts += 1;
    }
    interrupts
}

const CALM_PIECES: u64 = 10_000;

/// Computes until told to stop; CPU nanoseconds of this thread for each piece.
fn pieces_until(mut done: impl FnMut(u64) -> bool) -> f64 {
    let start = thread_cpu_ns();
    let mut pieces = 0;
    while !done(pieces) {
        piece();
        pieces += 1;
    }
    (thread_cpu_ns() - start) as f64 / pieces.max(1) as f64
}

/// Some ten microseconds of arithmetic.
fn piece() {
    let mut state = black_box(1u64);
    for _ in 0..10_000 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    }
    black_box(state);
}

fn thread_cpu_ns() -> i64 {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("the clock");
    time.tv_sec() * 1_000_000_000 + time.tv_nsec()
}
