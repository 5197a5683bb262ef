//! Many signals, lost races, and none at all.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use signal_source::tokio::SignalStream;
use signal_source::{Signal, Signals, send as sends};
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use crate::harness::kernel::KERNEL;
use crate::harness::{cpu_time, pid, send};
use crate::{current_thread, everywhere, multi_thread, stream};

const SENT: i32 = 20_000;

/// What can be counted one by one on this kernel.
fn job() -> Signal {
    if KERNEL.value { Signal::rt(0).expect("real time") } else { Signal::USR1 }
}

/// Sends this process the job many times, each with its number, with pauses in which the queue is
/// read empty.
fn send_jobs() -> JoinHandle<()> {
    thread::spawn(|| {
        for number in 0..SENT {
            if number % 100 == 0 {
                thread::sleep(Duration::from_micros(50));
            }
            if !KERNEL.value {
                send(job());
                continue;
            }
            while let Err(error) = sends::sigqueue(pid(), job(), number) {
                assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "{error}");
                thread::yield_now();
            }
        }
    })
}

/// What has been received: each number in order, or the counts.
#[derive(Default)]
struct Received(i32);

impl Received {
    fn add(&mut self, info: signal_source::SignalInfo) {
        if KERNEL.value {
            assert_eq!(info.value(), Some(self.0), "each once, in order");
        }
        self.0 += i32::try_from(info.count()).expect("a small count");
        assert!(self.0 <= SENT);
    }

    fn is_all(&self) -> bool {
        self.0 == SENT
    }
}

/// Is over at once, after a turn of the runtime, or after a while.
async fn competitor(turn: u32) {
    match turn % 4 {
        0 => {}
        1 | 2 => yield_now().await,
        _ => sleep(Duration::from_micros(1)).await,
    }
}

pub fn dropped_futures_lose_nothing() {
    for build in [current_thread, multi_thread] {
        let signals = Signals::new(job()).expect("open");
        build().block_on(async {
            let mut stream = stream(signals);
            let sender = send_jobs();
            let (mut received, mut turn, mut lost_races) = (Received::default(), 0, 0);
            while !received.is_all() {
                turn += 1;
                tokio::select! {
                    info = stream.recv() => received.add(info.expect("recv")),
                    () = competitor(turn) => lost_races += 1,
                }
            }
            assert!(lost_races > 100, "{lost_races}");
            assert!(stream.get_ref().try_recv().expect("try_recv").is_none());
            sender.join().expect("no panic");
        });
    }
}

pub fn dropped_batches_lose_nothing() {
    for build in [current_thread, multi_thread] {
        let signals = Signals::new(job()).expect("open");
        build().block_on(async {
            let mut stream = stream(signals);
            let sender = send_jobs();
            let (mut received, mut turn) = (Received::default(), 0);
            let mut infos = Vec::new();
            while !received.is_all() {
                turn += 1;
                let limit = 1 + turn as usize % 100;
                tokio::select! {
                    biased;
                    count = stream.recv_many(&mut infos, limit) => {
                        assert_eq!(count.expect("recv_many"), infos.len());
                    }
                    () = competitor(turn) => assert!(infos.is_empty(), "nothing, or all"),
                }
                infos.drain(..).for_each(|info| received.add(info));
            }
            sender.join().expect("no panic");
        });
    }
}

/// A task that receives signals without end, for each sends itself the next: it never has to wait.
/// It ends when a timer of another task has run out and a third task has made its turns.
async fn flood(mut stream: SignalStream, in_batches: bool) {
    let over = Arc::new(AtomicBool::new(false));
    let turns = Arc::new(AtomicU64::new(0));
    let timer = tokio::spawn({
        let over = Arc::clone(&over);
        let turns = Arc::clone(&turns);
        async move {
            sleep(Duration::from_millis(20)).await;
            while turns.load(Ordering::SeqCst) < 10 {
                yield_now().await;
            }
            over.store(true, Ordering::SeqCst);
        }
    });
    let other = tokio::spawn(async move {
        loop {
            turns.fetch_add(1, Ordering::SeqCst);
            yield_now().await;
        }
    });
    let mut infos = Vec::new();
    while !over.load(Ordering::SeqCst) {
        send(Signal::USR1);
        if in_batches {
            stream.recv_many(&mut infos, 64).await.expect("recv_many");
            infos.clear();
        } else {
            stream.recv().await.expect("recv");
        }
    }
    timer.await.expect("no panic");
    other.abort();
}

pub fn a_flood_starves_no_timer() {
    everywhere(Signal::USR1, |stream| flood(stream, false));
}

pub fn a_flood_of_batches_starves_no_timer() {
    everywhere(Signal::USR1, |stream| flood(stream, true));
}

/// Nothing runs while no signal comes, also after some have been received.
pub fn an_idle_stream_costs_no_cpu() {
    const IDLE: Duration = Duration::from_secs(1);
    everywhere([Signal::USR1, Signal::USR2], async |mut stream: SignalStream| {
        send(Signal::USR1);
        stream.recv().await.expect("recv");
        send(Signal::USR2);
        stream.get_ref().try_recv().expect("try_recv").expect("read by another thread");

        let (before, mut polls) = (cpu_time(), 0);
        let counted = poll_fn(|cx| {
            polls += 1;
            stream.poll_recv(cx)
        });
        timeout(IDLE, counted).await.expect_err("no signal");
        let used = cpu_time() - before;
        assert!(polls < 5, "polled {polls} times");
        assert!(used < IDLE / 10, "{used:?} of CPU time while idle for a second");
    });
}
