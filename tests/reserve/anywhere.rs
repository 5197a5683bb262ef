//! Opening, changing and dropping on every thread.

use std::sync::{Arc, Barrier};
use std::thread;

use signal_source::tokio::{Shutdown, SignalHub, SignalStream};
use signal_source::{OpenError, Signal, SignalSet, Signals, mask, reserve};
use tokio::runtime::Builder;

use crate::harness::{Worker, hits, open, received, receives, send, set_counting, set_ignored};

const SET: [Signal; 3] = [Signal::HUP, Signal::TERM, Signal::USR1];

/// Runs on a thread of its own, to its end.
fn elsewhere<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    thread::spawn(run).join().expect("no panic")
}

pub(crate) fn opens_on_any_thread() {
    reserve(SET).expect("reserve");
    let workers = [(); 3].map(|()| Worker::start("worker"));
    for _ in 0..3 {
        receives(&open(SET));
        for worker in &workers {
            worker.run(|| receives(&open(SET)));
        }
        let signals = elsewhere(|| open(SET));
        receives(&signals);
        workers[0].run(move || drop(signals));
    }
}

pub(crate) fn widens_and_narrows_on_any_thread() {
    reserve(SET).expect("reserve");
    SET.into_iter().for_each(set_counting);
    let mut signals = elsewhere(|| open(Signal::HUP));
    for _ in 0..3 {
        signals = elsewhere(move || {
            signals.update(SET).expect("update");
            receives(&signals);
            signals
        });
        signals = elsewhere(move || {
            signals.update(Signal::USR1).expect("update");
            receives(&signals);
            signals
        });
        signals.update([Signal::USR1, Signal::HUP]).expect("update");
        receives(&signals);
    }
    assert_eq!(SET.map(hits), [0, 0, 0]);
}

pub(crate) fn moves_from_thread_to_thread() {
    reserve(SET).expect("reserve");
    SET.into_iter().for_each(set_counting);
    let mut signals = elsewhere(|| open(SET));
    for _ in 0..5 {
        SET.into_iter().for_each(send);
        signals = elsewhere(move || {
            assert_eq!(received(&signals).len(), 3);
            signals
        });
    }
    elsewhere(move || drop(signals));
    assert_eq!(SET.map(hits), [0, 0, 0]);
    receives(&open(SET));
}

pub(crate) fn opens_inside_a_runtime() {
    reserve(SET).expect("reserve");
    for _ in 0..3 {
        let runtime = Builder::new_multi_thread().worker_threads(3).enable_all().build();
        runtime.expect("a runtime").block_on(async {
            for _ in 0..5 {
                let task = tokio::spawn(async { receives(&open(SET)) });
                task.await.expect("no panic");
                tokio::task::spawn_blocking(|| receives(&open(SET))).await.expect("no panic");
            }
        });
    }
}

pub(crate) fn stream_shutdown_and_hub_inside_a_runtime() {
    reserve(SET).expect("reserve");
    let runtime = Builder::new_multi_thread().worker_threads(3).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let task = tokio::spawn(async {
            let mut stream = SignalStream::new(Signal::USR1).expect("open");
            send(Signal::USR1);
            assert_eq!(stream.recv().await.expect("recv").signal(), Signal::USR1);
            stream.update([Signal::USR1, Signal::HUP]).expect("widened");
            send(Signal::HUP);
            assert_eq!(stream.recv().await.expect("recv").signal(), Signal::HUP);
        });
        task.await.expect("no panic");
        let task = tokio::spawn(async {
            let hub = SignalHub::new(Signal::HUP).expect("open");
            let mut one = hub.subscribe(Signal::HUP).expect("subscribe");
            let mut other = hub.subscribe([Signal::HUP, Signal::USR1]).expect("widened");
            send(Signal::HUP);
            assert_eq!(one.recv().await.expect("recv").signal(), Signal::HUP);
            assert_eq!(other.recv().await.expect("recv").signal(), Signal::HUP);
            drop((one, other));
            let mut again = hub.subscribe(Signal::USR1).expect("opened again");
            send(Signal::USR1);
            assert_eq!(again.recv().await.expect("recv").signal(), Signal::USR1);
        });
        task.await.expect("no panic");
        let shutdown = Shutdown::on(Signal::TERM).expect("open");
        let told = shutdown.clone();
        let task = tokio::spawn(async move { told.wait().await.expect("wait") });
        send(Signal::TERM);
        assert_eq!(task.await.expect("no panic").signal(), Some(Signal::TERM));
    });
}

pub(crate) fn reserving_twice() {
    for _ in 0..3 {
        reserve(SET).expect("reserve");
        elsewhere(|| reserve(SET).expect("reserve"));
        elsewhere(|| receives(&open(SET)));
    }
}

pub(crate) fn reserving_more() {
    reserve(Signal::HUP).expect("reserve");
    reserve(SET).expect("reserve");
    elsewhere(|| receives(&open(SET)));
    // Threads that came since block the set alone.
    reserve(SET[0]).expect("reserve");
    elsewhere(|| receives(&open(SET)));
}

/// Each thread blocks the set already, and reserves at the same moment.
pub(crate) fn reserving_by_many_threads_at_once() {
    SET.into_iter().for_each(set_counting);
    let guard = mask::block(SET).expect("block");
    let start = Arc::new(Barrier::new(8));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let start = start.clone();
            thread::spawn(move || {
                start.wait();
                loop {
                    match reserve(SET) {
                        Ok(()) => return,
                        // What another one is reserving is claimed for that moment.
                        Err(OpenError::AlreadyReceived(_)) => thread::yield_now(),
                        Err(error) => panic!("{error}"),
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    drop(guard);
    elsewhere(|| receives(&open(SET)));
    assert_eq!(SET.map(hits), [0, 0, 0]);
}

pub(crate) fn reserving_while_a_receiver_is_open() {
    let signals = open(SET);
    reserve(SET).expect("reserve");
    receives(&signals);
    elsewhere(move || drop(signals));
    elsewhere(|| receives(&open(SET)));
    let worker = Worker::start("worker");
    receives(&open(SET));
    worker.run(|| receives(&open(SET)));
}

pub(crate) fn reserving_while_a_receiver_has_some_of_it() {
    SET.into_iter().for_each(set_counting);
    let signals = open(Signal::HUP);
    reserve(SET).expect("reserve");
    receives(&signals);
    let others = elsewhere(|| open([Signal::TERM, Signal::USR1]));
    receives(&others);
    drop(signals);
    let worker = Worker::start("worker");
    worker.run(|| receives(&open(Signal::HUP)));
    receives(&others);
    assert_eq!(SET.map(hits), [0, 0, 0]);
}

pub(crate) fn reserving_under_a_guard() {
    set_ignored(Signal::USR2);
    let guard = mask::block(SET).expect("block");
    let worker = Worker::start("worker");
    reserve(SET).expect("reserve");
    worker.run(|| receives(&open(SET)));
    drop(guard);
    worker.run(|| receives(&open(SET)));
    elsewhere(|| receives(&open(SET)));
}

pub(crate) fn reserving_in_a_thread_that_main_blocks_for() {
    let guard = mask::block(SET).expect("block");
    elsewhere(|| reserve(SET).expect("reserve"));
    elsewhere(|| receives(&open(SET)));
    // Main blocks by its guard alone: it belongs to the threads that must.
    guard.keep();
    elsewhere(|| receives(&open(SET)));
    assert!(Signals::new(SignalSet::from(SET)).is_ok());
}
