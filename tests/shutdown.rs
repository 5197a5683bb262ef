//! `Shutdown`: the signal to stop, told to everybody who asks.

mod harness;

use std::future::{Future, poll_fn};
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::pin::pin;
use std::process::{Command, Stdio};
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use harness::kernel::KERNEL;
use harness::{End, descriptors, hits, send, set_counting, set_ignored};
use signal_source::tokio::{Shutdown, ShutdownCause};
use signal_source::{OpenError, Signal, SignalSet, Signals};
use tokio::runtime::Runtime;

fn main() {
    harness::main(
        cases![
            says_which_signal_and_who_sent_it,
            opens_without_a_runtime_for_int_and_term,
            fires_on_a_given_set,
            clones_are_told_now_and_later_anywhere,
            waits_in_a_multi_thread_runtime,
            many_threads_wait_at_once,
            seen_before_the_wait,
            is_triggered_reads_what_is_pending,
            a_second_signal_kills => End::DiesOf(Signal::INT),
            another_pending_signal_kills => End::DiesOf(Signal::TERM),
            closed_before_anybody_is_told => End::DiesOf(Signal::INT),
            keeps_receiving_if_told_to,
            ten_at_once_do_not_kill_a_keeper,
            further_signals_go_to_one_each,
            a_further_signal_that_nobody_read_acts => End::DiesOf(Signal::INT),
            a_further_signal_read_for_a_dropped_future_is_not_lost,
            nothing_further_without_keeping,
            triggers,
            triggers_and_keeps_receiving,
            a_pending_signal_comes_before_the_trigger,
            triggers_from_many_threads_at_once,
            closes_when_triggered => End::DiesOf(Signal::TERM),
            dropped_unfired_restores,
            dropped_unfired_lets_the_unread_act => End::DiesOf(Signal::TERM),
            fired_untold_acts => End::DiesOf(Signal::TERM),
            fired_and_told_does_not_act,
            read_for_nobody_never => End::DiesOf(Signal::TERM),
            a_runtime_shut_down_while_waiting => End::DiesOf(Signal::TERM),
            a_dropped_runtime_starves_nobody,
            a_blocked_runtime_starves_nobody,
            ignored_int_and_hup_stay_ignored,
            other_ignored_signals_are_received,
            with_nothing_left_only_the_trigger_fires,
            under_nohup_a_hangup_is_ignored,
            a_receiver_of_the_same_signal_is_an_error,
            refuses_an_empty_set,
            times_out,
            opens_again_after_it_fired,
            needs_a_reactor_to_wait,
            leaves_no_descriptor_behind,
            a_forked_child_does_not_act_for_its_parent,
            debug_shows_the_set_and_the_cause,
            latched_for_several_signals,
            the_examples_run,
            #[cfg(target_os = "linux")]
            is_refused_in_tokio_main,
        ],
        roles![hung_up],
    );
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn shutdown() -> Shutdown {
    Shutdown::new().expect("open")
}

fn keeper() -> Shutdown {
    Shutdown::builder().keep_receiving(true).open().expect("open")
}

fn is_ours(cause: &ShutdownCause, signal: Signal) -> bool {
    let sender = cause.info().and_then(|info| info.sender());
    cause.signal() == Some(signal) && sender.is_some() == KERNEL.sender
}

/// Polls once, so that the runtime is registered.
async fn start_waiting(shutdown: &Shutdown) {
    let mut waiting = pin!(shutdown.wait());
    poll_fn(|cx| {
        assert!(waiting.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

// origin: Go os/signal, the cause of NotifyContext (G16)
fn says_which_signal_and_who_sent_it() {
    let shutdown = shutdown();
    send(Signal::TERM);
    let cause = runtime().block_on(shutdown.wait()).expect("wait");
    assert!(is_ours(&cause, Signal::TERM));
    let told = format!("SIGTERM from process {}", harness::pid());
    assert!(!KERNEL.sender || cause.to_string().starts_with(&told), "{cause}");
    assert!(cause.to_string().starts_with("SIGTERM"));
}

fn opens_without_a_runtime_for_int_and_term() {
    let shutdown = shutdown();
    assert_eq!(shutdown.set(), SignalSet::from([Signal::INT, Signal::TERM]));
    assert!(!shutdown.is_triggered());
    send(Signal::INT);
    assert!(is_ours(&shutdown.wait_blocking().expect("wait"), Signal::INT));
}

fn fires_on_a_given_set() {
    let shutdown = Shutdown::on([Signal::USR1, Signal::QUIT]).expect("open");
    send(Signal::QUIT);
    assert_eq!(shutdown.wait_blocking().expect("wait").signal(), Some(Signal::QUIT));
}

fn clones_are_told_now_and_later_anywhere() {
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

fn waits_in_a_multi_thread_runtime() {
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

fn many_threads_wait_at_once() {
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
fn seen_before_the_wait() {
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

fn is_triggered_reads_what_is_pending() {
    let shutdown = shutdown();
    let other = shutdown.clone();
    assert!(!shutdown.is_triggered() && shutdown.cause().is_none());
    send(Signal::TERM);
    assert!(other.is_triggered());
    assert!(is_ours(&shutdown.cause().expect("fired"), Signal::TERM));
}

// origin: the program of AnyIO's documentation, input A and what follows (S2); tokio#7905
fn a_second_signal_kills() {
    let shutdown = shutdown();
    runtime().block_on(async {
        start_waiting(&shutdown).await;
        send(Signal::INT);
        assert!(is_ours(&shutdown.wait().await.expect("wait"), Signal::INT));
        send(Signal::INT);
        std::future::pending::<()>().await;
    });
}

fn another_pending_signal_kills() {
    let shutdown = shutdown();
    // On every kernel the first of them to be received is INT.
    send(Signal::INT);
    send(Signal::TERM);
    let _ = shutdown.wait_blocking();
    harness::eventually("the end", || false);
}

fn closed_before_anybody_is_told() {
    let shutdown = shutdown();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let shutdown = shutdown.clone();
            thread::spawn(move || {
                shutdown.wait_blocking().expect("wait");
                send(Signal::INT);
                harness::eventually("the end", || false);
            })
        })
        .collect();
    send(Signal::TERM);
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

fn keeps_receiving_if_told_to() {
    let shutdown = keeper();
    runtime().block_on(async {
        send(Signal::INT);
        assert!(is_ours(&shutdown.wait().await.expect("wait"), Signal::INT));
        for signal in [Signal::INT, Signal::TERM, Signal::INT] {
            send(signal);
            let further = shutdown.further().await.expect("further").expect("keeps");
            assert_eq!(further.signal(), signal);
        }
        assert!(is_ours(&shutdown.wait().await.expect("wait"), Signal::INT));
    });
    send(Signal::TERM);
    let further = shutdown.further_blocking().expect("further").expect("keeps");
    assert_eq!(further.signal(), Signal::TERM);
}

// origin: Go os/signal NotifyContextNotifications (G11)
fn ten_at_once_do_not_kill_a_keeper() {
    let shutdown = keeper();
    let senders: Vec<_> = (0..10).map(|_| thread::spawn(|| send(Signal::INT))).collect();
    assert!(is_ours(&shutdown.wait_blocking().expect("wait"), Signal::INT));
    senders.into_iter().for_each(|sender| sender.join().expect("no panic"));
    // Read what is left: unread it would act.
    send(Signal::TERM);
    while shutdown.further_blocking().expect("further").expect("keeps").signal() != Signal::TERM {}
    send(Signal::TERM);
    shutdown.further_blocking().expect("further").expect("keeps");
}

fn further_signals_go_to_one_each() {
    let shutdown = keeper();
    shutdown.trigger();
    let (told, tell) = mpsc::channel();
    let mut threads = Vec::new();
    for is_task in [true, false, true, false] {
        let (shutdown, told) = (shutdown.clone(), told.clone());
        threads.push(thread::spawn(move || {
            let further = match is_task {
                true => runtime().block_on(shutdown.further()),
                false => shutdown.further_blocking(),
            };
            told.send(further.expect("further").expect("keeps").signal()).expect("the case");
        }));
    }
    for _ in 0..4 {
        send(Signal::INT);
        assert_eq!(tell.recv(), Ok(Signal::INT));
    }
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

fn a_further_signal_that_nobody_read_acts() {
    let shutdown = keeper();
    send(Signal::TERM);
    shutdown.wait_blocking().expect("wait");
    send(Signal::INT);
    assert!(shutdown.is_triggered());
    drop(shutdown);
}

fn a_further_signal_read_for_a_dropped_future_is_not_lost() {
    let shutdown = keeper();
    shutdown.trigger();
    runtime().block_on(async {
        for _ in 0..100 {
            {
                let mut further = pin!(shutdown.further());
                poll_fn(|cx| {
                    assert!(further.as_mut().poll(cx).is_pending());
                    Poll::Ready(())
                })
                .await;
                send(Signal::INT);
                // The driver reads it for a future that is not polled again.
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
            }
            let further = shutdown.further().await.expect("further").expect("keeps");
            assert_eq!(further.signal(), Signal::INT);
        }
    });
}

fn nothing_further_without_keeping() {
    let shutdown = shutdown();
    send(Signal::TERM);
    assert!(runtime().block_on(shutdown.further()).expect("further").is_none());
    assert!(shutdown.further_blocking().expect("further").is_none());
}

// origin: Go os/signal NotifyContextCancelParent, PrematureCancelParent (G13)
fn triggers() {
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

fn triggers_and_keeps_receiving() {
    let shutdown = keeper();
    shutdown.trigger();
    assert!(shutdown.wait_blocking().expect("wait").signal().is_none());
    send(Signal::INT);
    let further = shutdown.further_blocking().expect("further").expect("keeps");
    assert_eq!(further.signal(), Signal::INT);
}

fn a_pending_signal_comes_before_the_trigger() {
    let shutdown = shutdown();
    send(Signal::TERM);
    shutdown.trigger();
    assert!(is_ours(&shutdown.wait_blocking().expect("wait"), Signal::TERM));
}

// origin: Go os/signal NotifyContextSimultaneousStop (G14)
fn triggers_from_many_threads_at_once() {
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

fn closes_when_triggered() {
    let shutdown = shutdown();
    shutdown.trigger();
    send(Signal::TERM);
}

fn dropped_unfired_restores() {
    set_counting(Signal::INT);
    let shutdown = shutdown();
    let other = shutdown.clone();
    send(Signal::INT);
    drop(shutdown);
    assert_eq!(hits(Signal::INT), 0);
    drop(other);
    assert_eq!(hits(Signal::INT), 1);
    send(Signal::INT);
    assert_eq!(hits(Signal::INT), 2);
}

fn dropped_unfired_lets_the_unread_act() {
    let shutdown = shutdown();
    send(Signal::TERM);
    drop(shutdown);
}

/// A shutdown that a waiting future made fire, but that has told nobody.
fn fired_untold() -> Shutdown {
    let shutdown = shutdown();
    let runtime = runtime();
    runtime.block_on(async {
        let mut waiting = pin!(shutdown.wait());
        poll_fn(|cx| {
            assert!(waiting.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        send(Signal::TERM);
        while format!("{shutdown:?}").contains("cause: None") {
            tokio::task::yield_now().await;
        }
    });
    shutdown
}

fn fired_untold_acts() {
    drop(fired_untold());
}

fn fired_and_told_does_not_act() {
    let shutdown = fired_untold();
    assert!(shutdown.is_triggered());
    drop(shutdown);
}

fn read_for_nobody_never() {
    let shutdown = shutdown();
    runtime().block_on(async {
        start_waiting(&shutdown).await; // and does not wait any more
        send(Signal::TERM);
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    });
    assert!(format!("{shutdown:?}").contains("cause: None"));
}

fn a_runtime_shut_down_while_waiting() {
    let shutdown = shutdown();
    let runtime = runtime();
    runtime.block_on(async {
        tokio::spawn(async move { shutdown.wait().await });
        tokio::task::yield_now().await;
    });
    send(Signal::TERM);
    drop(runtime);
}

// origin: tokio dropping_loops_does_not_cause_starvation (R6)
fn a_dropped_runtime_starves_nobody() {
    let shutdown = shutdown();
    let first = runtime();
    first.block_on(start_waiting(&shutdown));
    drop(first);
    send(Signal::TERM);
    runtime().block_on(shutdown.wait()).expect("wait");
}

fn a_blocked_runtime_starves_nobody() {
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

// origin: Go os/signal NotifyContextStop (G12); what is ignored at the start stays so here
fn ignored_int_and_hup_stay_ignored() {
    set_ignored(Signal::INT);
    set_ignored(Signal::HUP);
    let shutdown = Shutdown::on([Signal::INT, Signal::HUP, Signal::TERM]).expect("open");
    assert_eq!(shutdown.set(), Signal::TERM.into());
    send(Signal::INT);
    send(Signal::HUP);
    assert!(!shutdown.is_triggered());
    send(Signal::TERM);
    assert!(is_ours(&shutdown.wait_blocking().expect("wait"), Signal::TERM));
    drop(shutdown);
    send(Signal::INT);
    send(Signal::HUP);
}

fn other_ignored_signals_are_received() {
    set_ignored(Signal::TERM);
    let shutdown = shutdown();
    assert_eq!(shutdown.set().len(), 2);
    send(Signal::TERM);
    assert!(is_ours(&shutdown.wait_blocking().expect("wait"), Signal::TERM));
    send(Signal::TERM);
}

fn with_nothing_left_only_the_trigger_fires() {
    set_ignored(Signal::HUP);
    let shutdown = Shutdown::on(Signal::HUP).expect("open");
    assert!(shutdown.set().is_empty());
    send(Signal::HUP);
    assert!(!shutdown.is_triggered());
    let waiter = shutdown.clone();
    let thread = thread::spawn(move || waiter.wait_blocking().expect("wait"));
    let other = shutdown.clone();
    let task = thread::spawn(move || runtime().block_on(other.wait()).expect("wait"));
    shutdown.trigger();
    assert!(thread.join().expect("no panic").signal().is_none());
    assert!(task.join().expect("no panic").signal().is_none());
    assert!(shutdown.further_blocking().expect("further").is_none());
}

/// What the role is told: whether the parent ignores HUP.
fn hung_up(arguments: &[String]) {
    let shutdown = Shutdown::on([Signal::HUP, Signal::TERM]).expect("open");
    let is_ignored = arguments == ["ignored"];
    assert_eq!(shutdown.set().contains(Signal::HUP), !is_ignored);
    send(Signal::HUP);
    if is_ignored {
        assert!(!shutdown.is_triggered());
        send(Signal::TERM);
    }
    println!("{:?}", shutdown.wait_blocking().expect("wait").signal());
}

// origin: Go os/signal TestDetectNohup, TestNohup (G5, G7)
fn under_nohup_a_hangup_is_ignored() {
    assert_eq!(harness::play("hung_up", &["default"]), "Some(SIGHUP)\n");
    set_ignored(Signal::HUP); // as nohup does, before it runs the program
    assert_eq!(harness::play("hung_up", &["ignored"]), "Some(SIGTERM)\n");
}

fn a_receiver_of_the_same_signal_is_an_error() {
    let signals = Signals::new([Signal::INT, Signal::HUP]).expect("open");
    let refused = Shutdown::on([Signal::INT, Signal::HUP, Signal::TERM]);
    assert!(matches!(refused, Err(OpenError::AlreadyReceived(_))), "{refused:?}");
    drop(signals);
    let shutdown = shutdown();
    assert!(matches!(Signals::new(Signal::TERM), Err(OpenError::AlreadyReceived(_))));
    drop(shutdown);
    Signals::new(Signal::TERM).expect("open");
}

fn refuses_an_empty_set() {
    assert!(matches!(Shutdown::on([]), Err(OpenError::Empty)));
    assert!(matches!(Shutdown::on(Signal::KILL), Err(OpenError::NotReceivable(Signal::KILL))));
}

fn times_out() {
    let shutdown = shutdown();
    for timeout in [Duration::ZERO, Duration::from_millis(20)] {
        assert!(shutdown.wait_timeout(timeout).expect("wait").is_none());
    }
    send(Signal::TERM);
    for timeout in [Duration::ZERO, Duration::MAX] {
        assert!(shutdown.wait_timeout(timeout).expect("wait").is_some());
    }
}

fn opens_again_after_it_fired() {
    for signal in [Signal::INT, Signal::TERM, Signal::INT] {
        let shutdown = shutdown();
        send(signal);
        assert!(is_ours(&runtime().block_on(shutdown.wait()).expect("wait"), signal));
    }
}

fn needs_a_reactor_to_wait() {
    let shutdown = shutdown();
    let mut cx = Context::from_waker(Waker::noop());
    let poll = std::panic::AssertUnwindSafe(|| pin!(shutdown.wait()).poll(&mut cx).is_ready());
    assert!(std::panic::catch_unwind(poll).is_err());
    shutdown.trigger();
    assert!(pin!(shutdown.wait()).poll(&mut cx).is_ready());
}

fn leaves_no_descriptor_behind() {
    let mut open = 0;
    for round in 0..20 {
        let shutdown = shutdown();
        let kept = runtime();
        kept.block_on(start_waiting(&shutdown));
        assert!(shutdown.wait_timeout(Duration::ZERO).expect("wait").is_none());
        if round % 2 == 1 {
            send(Signal::TERM);
            kept.block_on(shutdown.wait()).expect("wait");
        }
        drop(shutdown);
        drop(kept);
        if round == 1 {
            open = descriptors();
        }
    }
    assert_eq!(descriptors(), open);
}

fn a_forked_child_does_not_act_for_its_parent() {
    let shutdown = fired_untold();
    let mut inherited = Some(shutdown);
    harness::in_fork(|| drop(inherited.take()));
    assert!(inherited.expect("the parent's").is_triggered());
}

// origin: Go os/signal NotifyContextStringer (G15)
fn debug_shows_the_set_and_the_cause() {
    fn is_shareable<T: Send + Sync + Clone + 'static>(_: &T) {}
    let shutdown = Shutdown::on([Signal::HUP, Signal::INT, Signal::TERM]).expect("open");
    is_shareable(&shutdown);
    let unfired = "Shutdown { signals: {SIGHUP, SIGINT, SIGTERM}, cause: None }";
    assert_eq!(format!("{shutdown:?}"), unfired);
    shutdown.trigger();
    assert!(format!("{shutdown:?}").contains("cause: Some(Triggered)"));
}

// origin: curio SignalEvent: a flag for each signal
fn latched_for_several_signals() {
    let usr1 = Shutdown::on(Signal::USR1).expect("open");
    let usr2 = Shutdown::on(Signal::USR2).expect("open");
    send(Signal::USR2);
    assert!(!usr1.is_triggered() && usr2.is_triggered());
    send(Signal::USR1);
    assert!(usr1.is_triggered());
}

/// Each example, as a program that is told to stop.
fn the_examples_run() {
    let told_once = |name, signal| example(name, &[signal]);
    let killed = |signal: Signal| (None, Some(signal.as_raw()));
    assert_eq!(told_once("shutdown", Signal::TERM), killed(Signal::TERM));
    assert_eq!(example("shutdown", &[Signal::TERM, Signal::INT]), killed(Signal::INT));
    assert_eq!(told_once("shutdown_token", Signal::INT), (Some(0), None));
    assert_eq!(example("hub", &[Signal::HUP, Signal::USR1, Signal::TERM]), (Some(0), None));
}

/// Sends each signal once the one before it has been told of, and says how the example ended.
fn example(name: &str, signals: &[Signal]) -> (Option<i32>, Option<i32>) {
    // Cargo puts the examples beside the folder of this binary.
    let here = std::env::current_exe().expect("this binary");
    let path = here.ancestors().nth(2).expect("target/debug").join("examples").join(name);
    assert!(path.exists(), "no {}: cargo build --all-features --examples", path.display());
    let mut child = Command::new(path).stdout(Stdio::piped()).spawn().expect("starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut tells = |text: &str| lines.any(|line| line.expect("text").contains(text));
    assert!(tells("ready"));
    for (index, &signal) in signals.iter().enumerate() {
        signal_source::send::kill(child.id(), signal).expect("kill");
        let is_last = index + 1 == signals.len();
        assert!(is_last || tells(&signal.to_string()), "{name}: {signal}");
    }
    tells("to the end");
    let status = child.wait().expect("wait");
    (status.code(), status.signal())
}

#[cfg(target_os = "linux")]
#[tokio::main(worker_threads = 2)]
async fn is_refused_in_tokio_main() {
    use signal_source::tokio::SignalStream;

    match Shutdown::new() {
        Err(error @ OpenError::UnblockedThreads { .. }) => {
            assert!(error.to_string().contains("#[tokio::main]"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(SignalStream::new(Signal::TERM), Err(OpenError::UnblockedThreads { .. })));
}
