//! Who is told, and what.

use std::sync::{Arc, Barrier, mpsc};
use std::thread;

use crate::harness::kernel::KERNEL;
use crate::harness::{self, send};
use crate::{is_ours, runtime, shutdown, start_waiting};
use signal_source::tokio::{Shutdown, ShutdownCause};
use signal_source::{Signal, SignalSet};

// origin: Go os/signal, the cause of NotifyContext (G16)
pub fn says_which_signal_and_who_sent_it() {
    let shutdown = shutdown();
    send(Signal::TERM);
    let cause = runtime().block_on(shutdown.wait()).expect("wait");
    assert!(is_ours(&cause, Signal::TERM));
    let told = format!("SIGTERM from process {}", harness::pid());
    assert!(!KERNEL.sender || cause.to_string().starts_with(&told), "{cause}");
    assert!(cause.to_string().starts_with("SIGTERM"));
}

pub fn opens_without_a_runtime_for_int_and_term() {
    let shutdown = shutdown();
    assert_eq!(shutdown.set(), SignalSet::from([Signal::INT, Signal::TERM]));
    assert!(!shutdown.is_triggered());
    send(Signal::INT);
    assert!(is_ours(&shutdown.wait_blocking().expect("wait"), Signal::INT));
}

pub fn fires_on_a_given_set() {
    let shutdown = Shutdown::on([Signal::USR1, Signal::QUIT]).expect("open");
    send(Signal::QUIT);
    assert_eq!(shutdown.wait_blocking().expect("wait").signal(), Some(Signal::QUIT));
}

pub fn clones_are_told_now_and_later_anywhere() {
    let shutdown = shutdown();
    let (told, tell) = mpsc::channel();
    let all_wait = Arc::new(Barrier::new(7));
    let mut threads = Vec::new();
    for index in 0..6 {
        let (shutdown, told, all_wait) = (shutdown.clone(), told.clone(), all_wait.clone());
        threads.push(thread::spawn(move || {
            let cause = if index % 2 == 0 {
                all_wait.wait();
                shutdown.wait_blocking()
            } else {
                runtime().block_on(async {
                    start_waiting(&shutdown).await;
                    all_wait.wait();
                    shutdown.wait().await
                })
            };
            told.send(cause.expect("wait")).expect("the case");
        }));
    }
    all_wait.wait();
    send(Signal::TERM);
    assert!((0..6).all(|_| is_ours(&tell.recv().expect("a thread"), Signal::TERM)));
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    // Latched, also for a clone that is made now, in a runtime that is made now.
    let late = shutdown.clone();
    drop(shutdown);
    assert!(late.is_triggered());
    assert!(is_ours(&runtime().block_on(late.wait()).expect("wait"), Signal::TERM));
    assert!(is_ours(&late.wait_blocking().expect("wait"), Signal::TERM));
    assert!(is_ours(&late.cause().expect("fired"), Signal::TERM));
}

pub fn waits_in_a_multi_thread_runtime() {
    let shutdown = shutdown();
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(4).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let shutdown = shutdown.clone();
                tokio::spawn(async move { shutdown.wait().await.expect("wait") })
            })
            .collect();
        tokio::task::yield_now().await;
        send(Signal::INT);
        for task in tasks {
            assert!(is_ours(&task.await.expect("no panic"), Signal::INT));
        }
    });
}

pub fn many_threads_wait_at_once() {
    let shutdown = shutdown();
    let threads: Vec<_> = (0..16)
        .map(|_| {
            let shutdown = shutdown.clone();
            thread::spawn(move || shutdown.wait_blocking().expect("wait"))
        })
        .collect();
    send(Signal::TERM);
    for thread in threads {
        assert!(is_ours(&thread.join().expect("no panic"), Signal::TERM));
    }
}

// origin: curio test_task_signal_event (P24)
pub fn seen_before_the_wait() {
    let shutdown = Shutdown::on(Signal::USR1).expect("open");
    send(Signal::USR1);
    runtime().block_on(async {
        assert_eq!(shutdown.wait().await.expect("wait").signal(), Some(Signal::USR1));
        assert_eq!(shutdown.wait().await.expect("wait").signal(), Some(Signal::USR1));
    });
    let shutdown = Shutdown::on(Signal::USR1).expect("open");
    shutdown.trigger();
    runtime().block_on(async { assert!(shutdown.wait().await.expect("wait").signal().is_none()) });
}

pub fn is_triggered_reads_what_is_pending() {
    let shutdown = shutdown();
    let other = shutdown.clone();
    assert!(!shutdown.is_triggered() && shutdown.cause().is_none());
    send(Signal::TERM);
    assert!(other.is_triggered());
    assert!(is_ours(&shutdown.cause().expect("fired"), Signal::TERM));
}

// origin: Go os/signal NotifyContextCancelParent, PrematureCancelParent (G13)
pub fn triggers() {
    for is_early in [true, false] {
        let shutdown = shutdown();
        let waiter = shutdown.clone();
        if is_early {
            shutdown.trigger();
        }
        let thread = thread::spawn(move || {
            let one = runtime().block_on(waiter.wait()).expect("wait");
            (one, waiter.wait_blocking().expect("wait"))
        });
        shutdown.trigger();
        shutdown.trigger();
        let (one, other) = thread.join().expect("no panic");
        assert!(matches!(one, ShutdownCause::Triggered) && other.info().is_none());
        assert_eq!(one.to_string(), "triggered by the program");
        assert!(shutdown.is_triggered());
    }
}

pub fn a_pending_signal_comes_before_the_trigger() {
    let shutdown = shutdown();
    send(Signal::TERM);
    shutdown.trigger();
    assert!(is_ours(&shutdown.wait_blocking().expect("wait"), Signal::TERM));
}

// origin: Go os/signal NotifyContextSimultaneousStop (G14)
pub fn triggers_from_many_threads_at_once() {
    let shutdown = shutdown();
    let start = Arc::new(Barrier::new(10));
    let threads: Vec<_> = (0..10)
        .map(|_| {
            let (shutdown, start) = (shutdown.clone(), start.clone());
            thread::spawn(move || {
                start.wait();
                shutdown.trigger();
                shutdown.wait_blocking().expect("wait").signal()
            })
        })
        .collect();
    assert!(threads.into_iter().all(|thread| thread.join().expect("no panic").is_none()));
}

// origin: curio SignalEvent: a flag for each signal
pub fn latched_for_several_signals() {
    let usr1 = Shutdown::on(Signal::USR1).expect("open");
    let usr2 = Shutdown::on(Signal::USR2).expect("open");
    send(Signal::USR2);
    assert!(!usr1.is_triggered() && usr2.is_triggered());
    send(Signal::USR1);
    assert!(usr1.is_triggered());
}

// origin: tokio dropping_loops_does_not_cause_starvation (R6)
pub fn a_dropped_runtime_starves_no_waiter() {
    let shutdown = shutdown();
    let first = runtime();
    first.block_on(start_waiting(&shutdown));
    drop(first);
    send(Signal::TERM);
    runtime().block_on(shutdown.wait()).expect("wait");
}

pub fn a_blocked_runtime_starves_no_waiter() {
    let shutdown = shutdown();
    let other = shutdown.clone();
    let (started, wait_started) = mpsc::channel();
    let (end, wait_end) = mpsc::channel::<()>();
    let blocked = thread::spawn(move || {
        runtime().block_on(async {
            start_waiting(&other).await;
            started.send(()).expect("the case");
            let _ = wait_end.recv(); // blocks the runtime
            other.wait().await.expect("wait")
        })
    });
    wait_started.recv().expect("the thread");
    send(Signal::TERM);
    runtime().block_on(shutdown.wait()).expect("wait");
    drop(end);
    assert!(is_ours(&blocked.join().expect("no panic"), Signal::TERM));
}

/// What a server takes: a future without a lifetime, a name or an error.
async fn serve(stop: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(stop).await.expect("no panic");
}

pub fn waits_as_a_future_of_its_own() {
    let shutdown = shutdown();
    runtime().block_on(async {
        let served = tokio::spawn(serve(shutdown.wait_owned()));
        tokio::task::yield_now().await;
        send(Signal::TERM);
        served.await.expect("no panic");
    });
    assert!(is_ours(&shutdown.cause().expect("fired"), Signal::TERM));
}
