//! Runtimes that end first, are several, or are none.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex};
use std::thread;

use signal_source::tokio::SignalStream;
use signal_source::{OpenError, Signal, SignalSet, Signals, mask};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::calls::next;
use crate::harness::kernel::KERNEL;
use crate::harness::{eventually, hits, send, set_counting, workers};
use crate::{current_thread, multi_thread, stream};

/// A signal has one receiver, so each runtime has signals of its own.
// origin: tokio signal_multiple_loops (R5)
pub fn several_runtimes() {
    let sets = [Signal::HUP, Signal::USR1, Signal::USR2, Signal::TERM];
    // All before the first thread.
    let receivers = sets.map(|signal| (signal, Signals::new(signal).expect("open")));
    thread::scope(|scope| {
        for (signal, signals) in receivers {
            scope.spawn(move || {
                let runtime = if signal < Signal::USR2 { current_thread() } else { multi_thread() };
                runtime.block_on(async {
                    let mut stream = stream(signals);
                    for _ in 0..10 {
                        send(signal);
                        assert_eq!(next(&mut stream).await, signal);
                    }
                });
            });
        }
    });
}

pub fn from_one_runtime_to_another() {
    let mut signals = Signals::new(Signal::USR1).expect("open");
    for build in [current_thread, multi_thread, current_thread] {
        send(Signal::USR1);
        signals = build().block_on(async {
            let mut stream = stream(signals);
            assert_eq!(next(&mut stream).await, Signal::USR1);
            send(Signal::USR1);
            assert_eq!(next(&mut stream).await, Signal::USR1);
            stream.into_inner()
        });
    }
    // Polled in one runtime, registered with another, which runs beside.
    let (first, second) = (current_thread(), multi_thread());
    let mut stream = first.block_on(async { stream(signals) });
    let (end, ended) = oneshot::channel::<()>();
    let beside = thread::spawn(move || first.block_on(ended));
    for _ in 0..3 {
        send(Signal::USR1);
        assert_eq!(second.block_on(next(&mut stream)), Signal::USR1);
    }
    drop(end);
    assert!(beside.join().expect("no panic").is_err());
}

// origin: tokio dropping_loops_does_not_cause_starvation (R6)
pub fn one_runtime_ends_another_receives() {
    let [one, other] = [Signal::USR1, Signal::USR2].map(|set| Signals::new(set).expect("open"));
    let (first, second) = (multi_thread(), multi_thread());
    let mut one = first.block_on(async { stream(one) });
    let mut other = second.block_on(async { stream(other) });
    send(Signal::USR1);
    assert_eq!(first.block_on(next(&mut one)), Signal::USR1);
    drop(first);
    send(Signal::USR2);
    assert_eq!(second.block_on(next(&mut other)), Signal::USR2);
    drop(one);
    send(Signal::USR2);
    assert_eq!(second.block_on(next(&mut other)), Signal::USR2);
}

/// A task that has the stream, and never reads it, on a worker; aborted with TERM unread.
fn abort_with_an_unread_signal() {
    let signals = Signals::new(Signal::TERM).expect("open");
    multi_thread().block_on(async {
        let stream = stream(signals);
        let task = tokio::spawn(async move {
            std::future::pending::<()>().await;
            drop(stream);
        });
        tokio::task::yield_now().await;
        send(Signal::TERM);
        assert_eq!(hits(Signal::TERM), 0);
        task.abort();
        assert!(task.await.expect_err("aborted").is_cancelled());
    });
}

pub fn aborted_task_kills() {
    abort_with_an_unread_signal();
    eventually("the end", || false);
}

pub fn aborted_task_runs_the_earlier_handler() {
    set_counting(Signal::TERM);
    abort_with_an_unread_signal();
    eventually("the handler has run", || hits(Signal::TERM) == 1);
    send(Signal::TERM);
    eventually("it runs again", || hits(Signal::TERM) == 2);
}

pub fn panicked_task_runs_the_earlier_handler() {
    set_counting(Signal::TERM);
    let signals = Signals::new(Signal::TERM).expect("open");
    multi_thread().block_on(async {
        let stream = stream(signals);
        let task = tokio::spawn(async move {
            send(Signal::TERM);
            let _unread = stream;
            panic!("on purpose");
        });
        assert!(task.await.expect_err("panicked").is_panic());
    });
    eventually("the handler has run", || hits(Signal::TERM) == 1);
}

/// The runtime drops the task, and so the stream, with TERM unread.
fn end_runtime_with_its_task() {
    let signals = Signals::new(Signal::TERM).expect("open");
    let runtime = multi_thread();
    runtime.block_on(async {
        let mut stream = stream(signals);
        tokio::spawn(async move {
            let _ = stream.get_ref();
            std::future::pending::<()>().await;
            let _ = stream.recv().await;
        });
    });
    send(Signal::TERM);
    assert_eq!(hits(Signal::TERM), 0);
    drop(runtime);
}

pub fn runtime_ends_with_its_task() {
    end_runtime_with_its_task();
    eventually("the end", || false);
}

pub fn runtime_ends_with_its_task_and_the_earlier_handler_runs() {
    set_counting(Signal::TERM);
    end_runtime_with_its_task();
    eventually("the handler has run", || hits(Signal::TERM) == 1);
}

/// The stream outlives its runtime, with TERM unread.
fn end_runtime_first() {
    let signals = Signals::new(Signal::TERM).expect("open");
    let runtime = multi_thread();
    let stream = runtime.block_on(async { stream(signals) });
    send(Signal::TERM);
    drop(runtime);
    assert_eq!(hits(Signal::TERM), 0);
    drop(stream);
}

pub fn runtime_ends_first() {
    end_runtime_first();
    eventually("the end", || false);
}

pub fn runtime_ends_first_and_the_earlier_handler_runs() {
    set_counting(Signal::TERM);
    end_runtime_first();
    assert_eq!(hits(Signal::TERM), 1);
    assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
}

pub fn recv_after_the_runtime_is_an_error() {
    for build in [current_thread, multi_thread] {
        let signals = Signals::new(Signal::USR1).expect("open");
        let runtime = build();
        let mut stream = runtime.block_on(async { stream(signals) });
        drop(runtime);
        send(Signal::USR1);
        let mut infos = Vec::new();
        current_thread().block_on(async {
            stream.recv().await.expect_err("its runtime has gone");
            stream.recv_many(&mut infos, 64).await.expect_err("its runtime has gone");
            assert!(infos.is_empty());
            stream.recv().await.expect_err("still");
        });
        let signals = stream.into_inner();
        assert_eq!(signals.recv().expect("recv").signal(), Signal::USR1);
        send(Signal::USR1);
        let info = current_thread().block_on(async { crate::stream(signals).recv().await });
        assert_eq!(info.expect("recv").signal(), Signal::USR1);
    }
}

/// Registers where it must panic; what the panic said, and where.
fn panics(register: impl FnOnce()) -> (String, String) {
    let seen = Arc::new(Mutex::new((String::new(), String::new())));
    let hook = panic::take_hook();
    let writer = Arc::clone(&seen);
    panic::set_hook(Box::new(move |info| {
        let file = info.location().map(|location| location.file().to_owned());
        *writer.lock().expect("no panic") = (info.to_string(), file.unwrap_or_default());
    }));
    panic::catch_unwind(AssertUnwindSafe(register)).expect_err("a panic");
    panic::set_hook(hook);
    let seen = seen.lock().expect("no panic");
    seen.clone()
}

// origin: tokio signal_no_rt (R9)
pub fn outside_a_runtime_it_panics() {
    set_counting(Signal::USR1);
    let signals = Signals::new(Signal::USR1).expect("open");
    send(Signal::USR1);
    assert_eq!(hits(Signal::USR1), 0);
    let (message, _) = panics(|| drop(SignalStream::try_from(signals)));
    assert!(message.contains("no reactor running"), "{message}");
    assert_eq!(hits(Signal::USR1), 1, "acts");
    let (message, _) = panics(|| drop(SignalStream::new(Signal::USR1)));
    assert!(message.contains("no reactor running"), "{message}");
    assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
    drop(Signals::new(Signal::USR1).expect("no receiver has it"));
}

pub fn outside_a_runtime_the_signal_acts() {
    let signals = Signals::new(Signal::TERM).expect("open");
    send(Signal::TERM);
    panics(|| drop(SignalStream::try_from(signals)));
}

pub fn without_an_io_driver_it_panics() {
    set_counting(Signal::USR1);
    let signals = Signals::new(Signal::USR1).expect("open");
    send(Signal::USR1);
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let register = || runtime.block_on(async { drop(SignalStream::try_from(signals)) });
    let (message, _) = panics(register);
    assert!(message.contains("enable_io"), "{message}");
    assert_eq!(hits(Signal::USR1), 1, "acts");
}

// origin: tokio signal_panic_caller (R8)
pub fn panics_name_the_caller() {
    let signals = Signals::new(Signal::USR1).expect("open");
    let (_, file) = panics(|| drop(SignalStream::try_from(signals)));
    assert_eq!(file, file!());
    let (_, file) = panics(|| drop(SignalStream::new(Signal::USR1)));
    assert_eq!(file, file!());
    // Bad input is an error, no panic.
    current_thread().block_on(async {
        let empty = SignalStream::new(SignalSet::EMPTY);
        assert!(matches!(empty, Err(OpenError::Empty)));
        let kill = SignalStream::new([Signal::TERM, Signal::KILL]);
        assert!(matches!(kill, Err(OpenError::NotReceivable(Signal::KILL))));
    });
}

pub fn opened_in_a_current_thread_runtime() {
    current_thread().block_on(async {
        let mut stream = SignalStream::new([Signal::USR1, Signal::USR2]).expect("open");
        send(Signal::USR2);
        assert_eq!(next(&mut stream).await, Signal::USR2);
        let twice = SignalStream::new([Signal::USR2, Signal::HUP]);
        assert!(
            matches!(twice, Err(OpenError::AlreadyReceived(set)) if set == Signal::USR2.into())
        );
    });
    assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
}

/// The threads of a runtime that were there before do not block the signals: on the kernels where
/// they have to, that is an error which names them, and nothing has been changed.
fn open_beside(threads: usize) {
    set_counting(Signal::USR1);
    let opened = SignalStream::new([Signal::USR1, Signal::USR2]);
    if !KERNEL.masked {
        assert!(opened.is_ok(), "{opened:?}");
        return;
    }
    let error = opened.expect_err("unblocked threads");
    let text = error.to_string();
    assert!(text.contains("before building the runtime"), "{text}");
    assert!(text.contains("tokio-rt-worker"), "{text}");
    let OpenError::UnblockedThreads { signals, threads: named } = error else { panic!("{text}") };
    assert_eq!(signals, [Signal::USR1, Signal::USR2].into());
    assert_eq!(named.len(), threads, "{named:?}");
    for thread in named {
        assert_eq!((thread.name.as_str(), thread.unblocked), ("tokio-rt-worker", signals));
    }
    assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
    send(Signal::USR1);
    eventually("acts as before", || hits(Signal::USR1) == 1);
}

pub fn opened_in_a_multi_thread_runtime() {
    workers(2, "tokio-rt-worker").block_on(async { open_beside(2) });
}

pub fn opened_after_spawn_blocking() {
    current_thread().block_on(async {
        tokio::task::spawn_blocking(|| ()).await.expect("no panic");
        open_beside(1);
    });
}
