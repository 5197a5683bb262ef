//! `SignalHub`: one receiver, many subscribers.

mod harness;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use harness::{End, descriptors, hits, send, set_counting};
use signal_source::tokio::{HubEvent, SignalHub, Subscriber};
use signal_source::{OpenError, Signal, SignalSet, Signals};
use tokio::runtime::Runtime;

fn main() {
    harness::main(
        cases![
            two_subscribers_of_one_signal_both_get_it,
            of_three_the_second_gets_it_after_the_others_have_gone,
            an_unread_subscriber_holds_up_nobody,
            each_of_ten_signals_reaches_all,
            one_shot_among_steady_ones,
            many_threads_with_runtimes_while_others_come_and_go,
            four_runtimes_ten_rounds,
            a_dropped_runtime_starves_nobody,
            a_blocked_runtime_starves_nobody,
            a_runtime_that_is_not_driven_starves_nobody,
            an_inner_and_an_outer_runtime,
            a_task_and_threads_at_once,
            a_multi_thread_runtime,
            moves_between_runtimes_and_threads,
            the_next_thread_takes_over,
            a_thread_is_told_what_a_runtime_read,
            a_late_joiner_sees_no_history,
            what_came_before_the_first_subscriber_acts => End::DiesOf(Signal::TERM),
            standard_signals_merge_for_a_stuck_subscriber,
            different_signals_take_turns,
            a_subscriber_for_another_signal_widens,
            the_last_subscriber_of_a_signal_narrows,
            the_last_subscriber_closes => End::DiesOf(Signal::INT),
            closes_and_opens_again,
            without_a_hub_nothing_is_reserved,
            dropping_an_unused_hub_closes,
            unread_by_all_acts => End::DiesOf(Signal::TERM),
            unread_in_the_kernel_acts => End::DiesOf(Signal::TERM),
            read_by_one_is_received,
            read_by_one_after_another_left_is_received,
            unread_acts_when_a_task_is_aborted => End::DiesOf(Signal::TERM),
            unread_acts_when_a_runtime_is_shut_down => End::DiesOf(Signal::TERM),
            unread_acts_when_dropped_on_another_thread => End::DiesOf(Signal::TERM),
            a_set_changes,
            a_removed_signal_acts_unread,
            a_dropped_future_loses_nothing,
            waits_no_longer_than_told,
            refuses_what_a_receiver_refuses,
            has_no_reactor_outside_a_runtime,
            needs_the_io_driver,
            errors_without_descriptors_and_loses_nothing,
            leaves_no_descriptor_behind,
            a_forked_child_does_not_act_for_its_parent,
            debug_and_display,
            #[cfg(feature = "stream")]
            is_a_stream,
            #[cfg(target_os = "linux")]
            is_refused_in_tokio_main,
            #[cfg(target_os = "linux")]
            widening_is_refused_while_a_thread_does_not_block,
            #[cfg(target_os = "linux")]
            real_time_signals_queue_to_the_bound,
            #[cfg(target_os = "linux")]
            real_time_signals_that_nobody_read_act_each,
            #[cfg(target_os = "linux")]
            real_time_signals_act_with_their_integer,
            #[cfg(target_os = "linux")]
            a_flood_reaches_many_subscribers,
            #[cfg(target_os = "linux")]
            a_flood_leaves_other_tasks_their_turn,
        ],
        roles![],
    );
}

/// A runtime on the calling thread.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn multi_thread() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(4).enable_all().build().expect("a runtime")
}

fn hub(set: impl Into<SignalSet>) -> SignalHub {
    SignalHub::new(set).expect("a hub")
}

fn subscribe(hub: &SignalHub, set: impl Into<SignalSet>) -> Subscriber {
    hub.subscribe(set).expect("subscribe")
}

/// Has everything that is pending handed to the subscribers: a late joiner must not see it.
fn read_queue(hub: &SignalHub, signal: Signal) {
    drop(subscribe(hub, signal));
}

fn is_unread(subscriber: &mut Subscriber) -> Option<Signal> {
    subscriber.try_recv().expect("try_recv").map(|event| event.signal())
}

fn blocking(subscriber: &mut Subscriber) -> Signal {
    subscriber.recv_blocking().expect("recv_blocking").signal()
}

async fn next(subscriber: &mut Subscriber) -> Signal {
    subscriber.recv().await.expect("recv").signal()
}

// origin: libevent multiplesignal (E2), tokio notify_both (R2), libkqueue multi_kqueue (K24)
fn two_subscribers_of_one_signal_both_get_it() {
    let hub = hub(Signal::ALRM);
    let (mut one, mut other) = (subscribe(&hub, Signal::ALRM), subscribe(&hub, Signal::ALRM));
    runtime().block_on(async {
        send(Signal::ALRM);
        assert_eq!(next(&mut one).await, Signal::ALRM);
        assert_eq!(next(&mut other).await, Signal::ALRM);
    });
    assert!(is_unread(&mut one).is_none() && is_unread(&mut other).is_none());
}

// origin: tokio dropping_signal_does_not_deregister_any_other_instances (R4)
fn of_three_the_second_gets_it_after_the_others_have_gone() {
    let hub = hub(Signal::USR1);
    let first = subscribe(&hub, Signal::USR1);
    let mut second = subscribe(&hub, Signal::USR1);
    let third = subscribe(&hub, Signal::USR1);
    drop((first, third));
    runtime().block_on(async {
        send(Signal::USR1);
        assert_eq!(next(&mut second).await, Signal::USR1);
    });
}

// origin: Go os/signal TestSignal (G1)
fn an_unread_subscriber_holds_up_nobody() {
    let set = SignalSet::from([Signal::HUP, Signal::WINCH, Signal::USR1]);
    let hub = hub(set);
    let mut lazy = subscribe(&hub, Signal::HUP);
    send(Signal::HUP);
    assert_eq!(blocking(&mut lazy), Signal::HUP);
    let mut all = subscribe(&hub, set);
    send(Signal::WINCH);
    assert_eq!(blocking(&mut all), Signal::WINCH);
    for _ in 0..2 {
        send(Signal::HUP);
        assert_eq!(blocking(&mut all), Signal::HUP);
    }
    assert_eq!(is_unread(&mut lazy), Some(Signal::HUP));
}

// origin: libuv we_get_signals (E19)
fn each_of_ten_signals_reaches_all() {
    let hub = hub([Signal::USR1, Signal::USR2]);
    let mut subscribers: Vec<_> = [Signal::USR1, Signal::USR1, Signal::USR2, Signal::USR2]
        .map(|signal| subscribe(&hub, signal))
        .into();
    runtime().block_on(async {
        for _ in 0..10 {
            send(Signal::USR1);
            send(Signal::USR2);
            for subscriber in &mut subscribers {
                let signal = next(subscriber).await;
                assert!(subscriber.set().contains(signal));
            }
        }
    });
}

// origin: libuv one_shot and mixed (E20)
fn one_shot_among_steady_ones() {
    let hub = hub(Signal::USR1);
    let mut one_shot = Some(subscribe(&hub, Signal::USR1));
    let mut steady = subscribe(&hub, Signal::USR1);
    let (mut once, mut each) = (0, 0);
    for _ in 0..10 {
        send(Signal::USR1);
        if let Some(mut subscriber) = one_shot.take() {
            blocking(&mut subscriber);
            once += 1;
        }
        blocking(&mut steady);
        each += 1;
    }
    assert_eq!((once, each), (1, 10));
}

// origin: libuv signal_multiple_loops (E21)
fn many_threads_with_runtimes_while_others_come_and_go() {
    let hub = hub([Signal::USR1, Signal::USR2, Signal::TERM]);
    let ready = Arc::new(Barrier::new(25));
    let received = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let stop = Arc::new(AtomicBool::new(false));
    // TERM keeps one subscriber, so that this thread goes on blocking it.
    let _term = subscribe(&hub, Signal::TERM);
    let mut threads = Vec::new();
    for index in 0..24 {
        let (hub, ready, received) = (hub.clone(), ready.clone(), received.clone());
        threads.push(thread::spawn(move || {
            let mut subscribers = Vec::new();
            if index < 16 {
                subscribers.push(subscribe(&hub, Signal::USR1));
                subscribers.push(subscribe(&hub, Signal::USR1));
            }
            if index >= 8 {
                subscribers.push(subscribe(&hub, Signal::USR2));
            }
            let runtime = runtime();
            for _round in 0..2 {
                ready.wait();
                runtime.block_on(async {
                    for subscriber in &mut subscribers {
                        let which = usize::from(next(subscriber).await == Signal::USR2);
                        received[which].fetch_add(1, Ordering::SeqCst);
                    }
                });
                ready.wait();
            }
            assert!(subscribers.iter_mut().all(|subscriber| is_unread(subscriber).is_none()));
        }));
    }
    for index in 0..10 {
        let (hub, stop) = (hub.clone(), stop.clone());
        threads.push(thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                let mut subscriber = subscribe(&hub, Signal::TERM);
                if index % 2 == 0 {
                    runtime().block_on(async {
                        let received = pin!(subscriber.recv());
                        tokio::select! {
                            biased;
                            _ = received => panic!("nobody sends TERM"),
                            () = tokio::task::yield_now() => {}
                        }
                    });
                }
            }
        }));
    }
    for _round in 0..2 {
        ready.wait();
        send(Signal::USR1);
        send(Signal::USR2);
        ready.wait();
    }
    stop.store(true, Ordering::SeqCst);
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    let [usr1, usr2] = [0, 1].map(|which| received[which].load(Ordering::SeqCst));
    assert_eq!((usr1, usr2), (64, 32));
}

// origin: tokio multi_loop (R5)
fn four_runtimes_ten_rounds() {
    let hub = hub(Signal::HUP);
    let round = Arc::new(Barrier::new(5));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (mut subscriber, round) = (subscribe(&hub, Signal::HUP), round.clone());
            thread::spawn(move || {
                let runtime = runtime();
                for _ in 0..10 {
                    assert_eq!(runtime.block_on(next(&mut subscriber)), Signal::HUP);
                    round.wait();
                }
            })
        })
        .collect();
    for _ in 0..10 {
        send(Signal::HUP);
        round.wait();
    }
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

/// Polls once, so that the runtime is registered.
async fn start_waiting(subscriber: &mut Subscriber) {
    let mut waiting = pin!(subscriber.recv());
    poll_fn(|cx| {
        assert!(waiting.as_mut().poll(cx).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
}

// origin: tokio dropping_loops_does_not_cause_starvation (R6)
fn a_dropped_runtime_starves_nobody() {
    let hub = hub(Signal::USR1);
    let (mut one, mut other) = (subscribe(&hub, Signal::USR1), subscribe(&hub, Signal::USR1));
    let first = runtime();
    first.block_on(start_waiting(&mut one));
    let open = descriptors();
    drop(first);
    assert!(descriptors() < open);
    let second = runtime();
    for _ in 0..3 {
        send(Signal::USR1);
        second.block_on(next(&mut other));
    }
    assert_eq!(blocking(&mut one), Signal::USR1);
    send(Signal::USR1);
    runtime().block_on(next(&mut one));
}

fn a_blocked_runtime_starves_nobody() {
    let hub = hub(Signal::USR1);
    let (mut stuck, mut other) = (subscribe(&hub, Signal::USR1), subscribe(&hub, Signal::USR1));
    let (started, wait_started) = mpsc::channel();
    let (end, wait_end) = mpsc::channel::<()>();
    let blocked = thread::spawn(move || {
        runtime().block_on(async {
            start_waiting(&mut stuck).await;
            started.send(()).expect("the case");
            let _ = wait_end.recv(); // blocks the runtime
            next(&mut stuck).await
        })
    });
    wait_started.recv().expect("the thread");
    let runtime = runtime();
    for _ in 0..10 {
        send(Signal::USR1);
        runtime.block_on(next(&mut other));
    }
    drop(end);
    assert_eq!(blocked.join().expect("no panic"), Signal::USR1);
}

fn a_runtime_that_is_not_driven_starves_nobody() {
    let hub = hub(Signal::USR1);
    let (mut idle, mut other) = (subscribe(&hub, Signal::USR1), subscribe(&hub, Signal::USR1));
    let asleep = runtime();
    asleep.block_on(start_waiting(&mut idle));
    for _ in 0..3 {
        send(Signal::USR1);
        runtime().block_on(next(&mut other));
        send(Signal::USR1);
        assert_eq!(blocking(&mut other), Signal::USR1);
    }
    assert_eq!(asleep.block_on(next(&mut idle)), Signal::USR1);
}

// origin: GLib sighup_nested (E26), libevent signal_switchbase (E6)
fn an_inner_and_an_outer_runtime() {
    let hub = hub(Signal::HUP);
    let mut outer = subscribe(&hub, Signal::HUP);
    let total = runtime().block_on(async {
        start_waiting(&mut outer).await;
        let mut inner = subscribe(&hub, Signal::HUP);
        let inner = thread::spawn(move || {
            runtime().block_on(async {
                send(Signal::HUP);
                next(&mut inner).await;
                1
            })
        });
        let total = inner.join().expect("no panic");
        next(&mut outer).await;
        total + 1
    });
    assert_eq!(total, 2);
}

// origin: curio example multisignal (P26)
fn a_task_and_threads_at_once() {
    let set = SignalSet::from([Signal::USR1, Signal::USR2, Signal::INT]);
    let hub = hub(set);
    let (told, tell) = mpsc::channel();
    let mut threads = Vec::new();
    for is_task in [true, false, false, true] {
        let (mut subscriber, told) = (subscribe(&hub, set), told.clone());
        threads.push(thread::spawn(move || {
            let runtime = runtime();
            for _ in 0..3 {
                let signal = match is_task {
                    true => runtime.block_on(next(&mut subscriber)),
                    false => blocking(&mut subscriber),
                };
                told.send(signal).expect("the case");
            }
        }));
    }
    for signal in [Signal::USR1, Signal::USR2, Signal::INT] {
        send(signal);
        assert!((0..4).all(|_| tell.recv().expect("a thread") == signal));
    }
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

fn a_multi_thread_runtime() {
    let hub = hub([Signal::USR1, Signal::USR2]);
    let mut main = subscribe(&hub, Signal::USR2);
    multi_thread().block_on(async {
        let (told, mut tell) = tokio::sync::mpsc::unbounded_channel();
        for _ in 0..50 {
            let (hub, told) = (hub.clone(), told.clone());
            tokio::spawn(async move {
                let mut subscriber = hub.subscribe(Signal::USR1).expect("subscribe");
                told.send(()).expect("the case");
                for _ in 0..10 {
                    next(&mut subscriber).await;
                    told.send(()).expect("the case");
                }
            });
        }
        for _ in 0..50 {
            tell.recv().await;
        }
        for _ in 0..10 {
            send(Signal::USR1);
            for _ in 0..50 {
                tell.recv().await;
            }
        }
        send(Signal::USR2);
        next(&mut main).await;
    });
}

fn moves_between_runtimes_and_threads() {
    let mut subscriber = subscribe(&hub(Signal::USR1), Signal::USR1);
    let (one, other) = (runtime(), runtime());
    for round in 0..12 {
        send(Signal::USR1);
        let signal = match round % 4 {
            0 => one.block_on(next(&mut subscriber)),
            1 => other.block_on(next(&mut subscriber)),
            2 => blocking(&mut subscriber),
            _ => thread::scope(|scope| {
                scope.spawn(|| blocking(&mut subscriber)).join().expect("no panic")
            }),
        };
        assert_eq!(signal, Signal::USR1);
    }
}

fn the_next_thread_takes_over() {
    let hub = hub([Signal::USR1, Signal::USR2]);
    let (told, tell) = mpsc::channel();
    let wait = |signal| {
        let (mut subscriber, told) = (subscribe(&hub, signal), told.clone());
        thread::spawn(move || told.send(blocking(&mut subscriber)).expect("the case"))
    };
    let _kept = subscribe(&hub, [Signal::USR1, Signal::USR2]);
    for _ in 0..50 {
        let threads = [Signal::USR1, Signal::USR2, Signal::USR2].map(wait);
        // Whoever of them polls the descriptor, the others are told.
        send(Signal::USR1);
        assert_eq!(tell.recv(), Ok(Signal::USR1));
        send(Signal::USR2);
        assert_eq!((tell.recv(), tell.recv()), (Ok(Signal::USR2), Ok(Signal::USR2)));
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    }
}

fn a_thread_is_told_what_a_runtime_read() {
    set_counting(Signal::USR1); // it acts once the thread has had enough
    let hub = hub([Signal::USR1, Signal::USR2]);
    let mut usr1 = subscribe(&hub, Signal::USR1);
    let mut usr2 = subscribe(&hub, Signal::USR2);
    let thread =
        thread::spawn(move || (0..100).for_each(|_| assert_eq!(blocking(&mut usr1), Signal::USR1)));
    let runtime = runtime();
    while !thread.is_finished() {
        send(Signal::USR1);
        send(Signal::USR2);
        runtime.block_on(next(&mut usr2));
    }
    thread.join().expect("no panic");
}

// origin: libkqueue rt_late_register (K25)
fn a_late_joiner_sees_no_history() {
    let hub = hub(Signal::USR1);
    let mut early = subscribe(&hub, Signal::USR1);
    send(Signal::USR1);
    let mut late = subscribe(&hub, Signal::USR1);
    assert!(is_unread(&mut late).is_none());
    send(Signal::USR1);
    assert_eq!(blocking(&mut late), Signal::USR1);
    assert!(is_unread(&mut late).is_none());
    assert_eq!(early.recv_blocking().expect("recv").merged(), 1); // both
    // By an update, too.
    let mut late = subscribe(&hub, Signal::USR2);
    send(Signal::USR1);
    late.update([Signal::USR1, Signal::USR2]).expect("update");
    assert!(is_unread(&mut late).is_none());
    assert_eq!(is_unread(&mut early), Some(Signal::USR1));
}

fn what_came_before_the_first_subscriber_acts() {
    let hub = hub([Signal::TERM, Signal::HUP]);
    send(Signal::TERM);
    let mut hup = subscribe(&hub, Signal::HUP);
    let mut term = subscribe(&hub, Signal::TERM);
    assert!(is_unread(&mut term).is_none());
    drop((hup.try_recv(), hup, term));
}

fn standard_signals_merge_for_a_stuck_subscriber() {
    let hub = hub([Signal::USR1, Signal::USR2]);
    let set = [Signal::USR1, Signal::USR2];
    let (mut stuck, mut quick) = (subscribe(&hub, set), subscribe(&hub, set));
    for _ in 0..1000 {
        send(Signal::USR1);
        assert_eq!(blocking(&mut quick), Signal::USR1);
    }
    send(Signal::USR2);
    assert_eq!(blocking(&mut quick), Signal::USR2);
    let event = stuck.recv_blocking().expect("recv");
    assert_eq!((event.signal(), event.merged(), event.dropped()), (Signal::USR1, 999, 0));
    assert_eq!(is_unread(&mut stuck), Some(Signal::USR2));
    assert_eq!(is_unread(&mut stuck), None);
}

// origin: Trio, test of fairness between pending signals (T-c)
fn different_signals_take_turns() {
    let set = [Signal::USR1, Signal::USR2];
    let mut subscriber = subscribe(&hub(set), set);
    set_counting(Signal::USR1); // what is left in the end acts
    set_counting(Signal::USR2);
    let mut turns = [0, 0];
    for _ in 0..20 {
        send(Signal::USR1);
        send(Signal::USR2);
        turns[usize::from(blocking(&mut subscriber) == Signal::USR2)] += 1;
    }
    assert_eq!(turns, [10, 10]);
}

// origin: signal-hook add_signal_after_creation (R11)
fn a_subscriber_for_another_signal_widens() {
    let hub = hub(Signal::USR1);
    let mut usr1 = subscribe(&hub, Signal::USR1);
    let runtime = runtime();
    runtime.block_on(start_waiting(&mut usr1));
    let mut usr2 = subscribe(&hub, Signal::USR2);
    assert_eq!(hub.set(), SignalSet::from([Signal::USR1, Signal::USR2]));
    send(Signal::USR2);
    send(Signal::USR1);
    assert_eq!(runtime.block_on(next(&mut usr2)), Signal::USR2);
    assert_eq!(runtime.block_on(next(&mut usr1)), Signal::USR1);
}

fn the_last_subscriber_of_a_signal_narrows() {
    set_counting(Signal::USR2);
    let hub = hub([Signal::USR1, Signal::USR2]);
    let mut usr1 = subscribe(&hub, Signal::USR1);
    // What nobody has subscribed to yet is kept for those who will.
    assert_eq!(hub.set().len(), 2);
    let (one, other) = (subscribe(&hub, Signal::USR2), subscribe(&hub, Signal::USR2));
    drop(one);
    assert_eq!(hub.set().len(), 2);
    drop(other);
    assert_eq!(hub.set(), Signal::USR1.into());
    send(Signal::USR2);
    assert_eq!(hits(Signal::USR2), 1);
    send(Signal::USR1);
    assert_eq!(blocking(&mut usr1), Signal::USR1);
}

fn the_last_subscriber_closes() {
    let hub = hub([Signal::INT, Signal::TERM]);
    drop(subscribe(&hub, Signal::TERM));
    assert!(hub.set().is_empty());
    send(Signal::INT);
}

fn closes_and_opens_again() {
    set_counting(Signal::USR1);
    let hub = hub(Signal::USR1);
    for round in 0..5 {
        let mut subscriber = subscribe(&hub, Signal::USR1);
        send(Signal::USR1);
        assert_eq!(runtime().block_on(next(&mut subscriber)), Signal::USR1);
        drop(subscriber);
        assert_eq!(hits(Signal::USR1), round);
        send(Signal::USR1);
        assert_eq!(hits(Signal::USR1), round + 1);
    }
}

fn without_a_hub_nothing_is_reserved() {
    set_counting(Signal::USR2);
    let hub = hub([Signal::USR1, Signal::USR2]);
    let mut usr1 = subscribe(&hub, Signal::USR1);
    send(Signal::USR2);
    let other = hub.clone();
    drop(hub);
    assert_eq!(hits(Signal::USR2), 0);
    drop(other);
    assert_eq!(hits(Signal::USR2), 1);
    send(Signal::USR1);
    assert_eq!(blocking(&mut usr1), Signal::USR1);
}

fn dropping_an_unused_hub_closes() {
    set_counting(Signal::USR1);
    let hub = hub(Signal::USR1);
    send(Signal::USR1);
    assert_eq!(hits(Signal::USR1), 0);
    drop(hub);
    assert_eq!(hits(Signal::USR1), 1);
}

fn unread_by_all_acts() {
    let hub = hub(Signal::TERM);
    let (one, other) = (subscribe(&hub, Signal::TERM), subscribe(&hub, Signal::TERM));
    send(Signal::TERM);
    read_queue(&hub, Signal::TERM);
    drop((one, other));
}

fn unread_in_the_kernel_acts() {
    let hub = hub(Signal::TERM);
    let subscriber = subscribe(&hub, Signal::TERM);
    send(Signal::TERM);
    drop(subscriber);
}

fn read_by_one_is_received() {
    let hub = hub(Signal::TERM);
    let (mut one, other) = (subscribe(&hub, Signal::TERM), subscribe(&hub, Signal::TERM));
    send(Signal::TERM);
    assert_eq!(blocking(&mut one), Signal::TERM);
    drop(one);
    drop(other);
}

fn read_by_one_after_another_left_is_received() {
    let hub = hub(Signal::TERM);
    let (one, mut other) = (subscribe(&hub, Signal::TERM), subscribe(&hub, Signal::TERM));
    send(Signal::TERM);
    read_queue(&hub, Signal::TERM);
    drop(one);
    assert_eq!(blocking(&mut other), Signal::TERM);
}

fn unread_acts_when_a_task_is_aborted() {
    let mut subscriber = subscribe(&hub(Signal::TERM), Signal::TERM);
    runtime().block_on(async {
        start_waiting(&mut subscriber).await;
        let task = tokio::spawn(async move { next(&mut subscriber).await });
        tokio::task::yield_now().await;
        send(Signal::TERM);
        task.abort();
        let _ = task.await;
    });
}

fn unread_acts_when_a_runtime_is_shut_down() {
    let mut subscriber = subscribe(&hub(Signal::TERM), Signal::TERM);
    let runtime = runtime();
    runtime.block_on(async {
        tokio::spawn(async move { next(&mut subscriber).await });
        tokio::task::yield_now().await;
    });
    send(Signal::TERM);
    drop(runtime);
}

fn unread_acts_when_dropped_on_another_thread() {
    let hub = hub(Signal::TERM);
    let (one, other) = (subscribe(&hub, Signal::TERM), subscribe(&hub, Signal::TERM));
    send(Signal::TERM);
    read_queue(&hub, Signal::TERM);
    drop(one);
    let _ = thread::spawn(move || drop(other)).join();
}

fn a_set_changes() {
    set_counting(Signal::USR1);
    let hub = hub(Signal::USR1);
    let mut subscriber = subscribe(&hub, Signal::USR1);
    subscriber.update([Signal::USR1, Signal::USR2]).expect("update");
    for signal in [Signal::USR1, Signal::USR2] {
        send(signal);
        assert_eq!(blocking(&mut subscriber), signal);
    }
    subscriber.update(Signal::USR2).expect("update");
    assert_eq!((subscriber.set(), hub.set()), (Signal::USR2.into(), Signal::USR2.into()));
    send(Signal::USR1);
    assert_eq!(hits(Signal::USR1), 1);
    send(Signal::USR2);
    assert_eq!(blocking(&mut subscriber), Signal::USR2);
    assert!(matches!(subscriber.update(SignalSet::EMPTY), Err(OpenError::Empty)));
    assert!(matches!(subscriber.update(Signal::KILL), Err(OpenError::NotReceivable(Signal::KILL))));
    assert_eq!(subscriber.set(), Signal::USR2.into());
}

fn a_removed_signal_acts_unread() {
    set_counting(Signal::USR1);
    let set = [Signal::USR1, Signal::USR2];
    let hub = hub(set);
    let mut subscriber = subscribe(&hub, set);
    send(Signal::USR1);
    read_queue(&hub, Signal::USR2);
    subscriber.update(Signal::USR2).expect("update");
    assert_eq!(hits(Signal::USR1), 1);
    assert!(is_unread(&mut subscriber).is_none());
}

fn a_dropped_future_loses_nothing() {
    let mut subscriber = subscribe(&hub(Signal::USR1), Signal::USR1);
    runtime().block_on(async {
        for _ in 0..100 {
            start_waiting(&mut subscriber).await;
            send(Signal::USR1);
            // The driver reads while nobody waits any more.
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            assert_eq!(next(&mut subscriber).await, Signal::USR1);
        }
    });
}

fn waits_no_longer_than_told() {
    let mut subscriber = subscribe(&hub(Signal::USR1), Signal::USR1);
    let recv = |subscriber: &mut Subscriber, timeout| {
        let event: Option<HubEvent> = subscriber.recv_timeout(timeout).expect("recv_timeout");
        event.map(|event| event.signal())
    };
    assert_eq!(recv(&mut subscriber, Duration::ZERO), None);
    assert_eq!(recv(&mut subscriber, Duration::from_millis(20)), None);
    send(Signal::USR1);
    assert_eq!(recv(&mut subscriber, Duration::ZERO), Some(Signal::USR1));
    send(Signal::USR1);
    assert_eq!(recv(&mut subscriber, Duration::MAX), Some(Signal::USR1));
}

fn refuses_what_a_receiver_refuses() {
    assert!(matches!(SignalHub::new([]), Err(OpenError::Empty)));
    assert!(matches!(SignalHub::new(Signal::STOP), Err(OpenError::NotReceivable(Signal::STOP))));
    let hub = hub(Signal::USR1);
    assert!(matches!(SignalHub::new(Signal::USR1), Err(OpenError::AlreadyReceived(_))));
    assert!(matches!(hub.subscribe([]), Err(OpenError::Empty)));
    let _other = Signals::new(Signal::USR2).expect("open");
    assert!(matches!(hub.subscribe(Signal::USR2), Err(OpenError::AlreadyReceived(_))));
    assert!(matches!(
        hub.subscribe([Signal::USR1, Signal::KILL]),
        Err(OpenError::NotReceivable(Signal::KILL))
    ));
    assert_eq!(hub.set(), Signal::USR1.into());
    let mut subscriber = subscribe(&hub, Signal::USR1);
    send(Signal::USR1);
    assert_eq!(blocking(&mut subscriber), Signal::USR1);
}

/// The message of the panic while polling `recv` once.
fn panic_of_recv(subscriber: &mut Subscriber) -> String {
    let mut cx = Context::from_waker(Waker::noop());
    let poll = std::panic::AssertUnwindSafe(|| pin!(subscriber.recv()).poll(&mut cx).is_ready());
    let panic = std::panic::catch_unwind(poll).expect_err("a panic");
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).into()))
        .expect("text")
}

fn has_no_reactor_outside_a_runtime() {
    let mut subscriber = subscribe(&hub(Signal::USR1), Signal::USR1);
    assert!(panic_of_recv(&mut subscriber).contains("no reactor running"));
    send(Signal::USR1);
    assert_eq!(blocking(&mut subscriber), Signal::USR1);
}

fn needs_the_io_driver() {
    let mut subscriber = subscribe(&hub(Signal::USR1), Signal::USR1);
    let without = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let _entered = without.enter();
    assert!(panic_of_recv(&mut subscriber).contains("IO is disabled"));
    send(Signal::USR1);
    assert_eq!(blocking(&mut subscriber), Signal::USR1);
}

fn errors_without_descriptors_and_loses_nothing() {
    let hub = hub(Signal::USR1);
    let (mut subscriber, mut waiting) =
        (subscribe(&hub, Signal::USR1), subscribe(&hub, Signal::USR1));
    let (one, other) = (runtime(), runtime());
    one.block_on(start_waiting(&mut waiting));
    harness::without_descriptors(0, || {
        assert!(other.block_on(subscriber.recv()).is_err());
        assert!(subscriber.recv_blocking().is_err());
        send(Signal::USR1);
        assert_eq!(one.block_on(next(&mut waiting)), Signal::USR1);
    });
    assert_eq!(other.block_on(next(&mut subscriber)), Signal::USR1);
    send(Signal::USR1);
    assert_eq!(other.block_on(next(&mut subscriber)), Signal::USR1);
}

fn leaves_no_descriptor_behind() {
    let mut open = 0;
    for round in 0..20 {
        let hub = hub([Signal::USR1, Signal::USR2]);
        let mut subscribers = [Signal::USR1, Signal::USR2].map(|signal| subscribe(&hub, signal));
        let kept = runtime();
        send(Signal::USR1);
        kept.block_on(next(&mut subscribers[0]));
        send(Signal::USR1);
        assert_eq!(blocking(&mut subscribers[0]), Signal::USR1);
        send(Signal::USR2);
        runtime().block_on(async { next(&mut subscribers[1]).await });
        drop((subscribers, hub));
        drop(kept);
        if round == 0 {
            open = descriptors();
        }
    }
    assert_eq!(descriptors(), open);
}

fn a_forked_child_does_not_act_for_its_parent() {
    let hub = hub(Signal::TERM);
    let subscriber = subscribe(&hub, Signal::TERM);
    send(Signal::TERM);
    read_queue(&hub, Signal::TERM);
    let mut inherited = Some((hub, subscriber));
    harness::in_fork(|| drop(inherited.take()));
    let (_hub, mut subscriber) = inherited.expect("the parent's");
    assert_eq!(blocking(&mut subscriber), Signal::TERM);
}

fn debug_and_display() {
    fn is_shareable<T: Send + Sync + 'static>(_: &T) {}
    let hub = hub([Signal::TERM, Signal::HUP]);
    let mut subscriber = subscribe(&hub, Signal::HUP);
    is_shareable(&hub);
    is_shareable(&subscriber);
    assert_eq!(format!("{hub:?}"), "SignalHub { set: {SIGHUP, SIGTERM}, .. }");
    assert_eq!(format!("{subscriber:?}"), "Subscriber { set: {SIGHUP}, .. }");
    for _ in 0..3 {
        send(Signal::HUP);
        read_queue(&hub, Signal::HUP);
    }
    let event = subscriber.recv_blocking().expect("recv");
    assert_eq!(event.to_string(), format!("{}, 2 merged", event.info()));
}

#[cfg(feature = "stream")]
fn is_a_stream() {
    use futures_core::Stream;
    let mut subscriber = subscribe(&hub(Signal::USR1), Signal::USR1);
    runtime().block_on(async {
        send(Signal::USR1);
        let event = poll_fn(|cx| std::pin::Pin::new(&mut subscriber).poll_next(cx)).await;
        assert_eq!(event.expect("never ends").expect("recv").signal(), Signal::USR1);
    });
}

#[cfg(target_os = "linux")]
#[tokio::main(worker_threads = 2)]
async fn is_refused_in_tokio_main() {
    match SignalHub::new(Signal::TERM) {
        Err(error @ OpenError::UnblockedThreads { .. }) => {
            assert!(error.to_string().contains("#[tokio::main]"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[cfg(target_os = "linux")]
fn widening_is_refused_while_a_thread_does_not_block() {
    let hub = hub(Signal::USR1);
    let mut usr1 = subscribe(&hub, Signal::USR1);
    let (end, wait_end) = mpsc::channel::<()>();
    let thread = thread::spawn(move || wait_end.recv().is_err());
    for _ in 0..2 {
        let refused = hub.subscribe([Signal::USR1, Signal::USR2]);
        assert!(matches!(refused, Err(OpenError::UnblockedThreads { .. })), "{refused:?}");
        let refused = usr1.update([Signal::USR1, Signal::USR2]);
        assert!(matches!(refused, Err(OpenError::UnblockedThreads { .. })), "{refused:?}");
    }
    assert_eq!((hub.set(), usr1.set()), (Signal::USR1.into(), Signal::USR1.into()));
    send(Signal::USR1);
    assert_eq!(blocking(&mut usr1), Signal::USR1);
    drop(end);
    thread.join().expect("no panic");
    usr1.update([Signal::USR1, Signal::USR2]).expect("update");
}

#[cfg(target_os = "linux")]
fn rt(n: u8) -> Signal {
    Signal::rt(n).expect("a real-time signal")
}

#[cfg(target_os = "linux")]
fn queue(signal: Signal, value: i32) {
    signal_source::send::sigqueue(harness::pid(), signal, value).expect("sigqueue");
}

#[cfg(target_os = "linux")]
fn real_time_signals_queue_to_the_bound() {
    let set = [rt(0), rt(1), Signal::USR1];
    let hub = hub(set);
    let (mut stuck, mut quick) = (subscribe(&hub, set), subscribe(&hub, set));
    let total = i32::try_from(SignalHub::QUEUE).expect("small") + 44;
    for value in 0..total {
        queue(rt(u8::from(value % 2 == 1)), value);
        let event = quick.recv_blocking().expect("recv");
        assert_eq!((event.info().value(), event.dropped()), (Some(value), 0));
        if value == 10 {
            send(Signal::USR1);
            assert_eq!(blocking(&mut quick), Signal::USR1);
        }
    }
    for value in 0..total - 44 {
        let event = stuck.try_recv().expect("recv").expect("unread");
        let dropped = if value == total - 45 { 44 } else { 0 };
        assert_eq!((event.info().value(), event.dropped()), (Some(value), dropped));
        if value == 10 {
            assert_eq!(is_unread(&mut stuck), Some(Signal::USR1));
        }
    }
    assert!(is_unread(&mut stuck).is_none());
    queue(rt(0), 7);
    let event = stuck.recv_blocking().expect("recv");
    assert_eq!((event.info().value(), event.dropped()), (Some(7), 0));
}

#[cfg(target_os = "linux")]
fn real_time_signals_that_nobody_read_act_each() {
    set_counting(rt(0));
    let hub = hub(rt(0));
    let (mut one, other) = (subscribe(&hub, rt(0)), subscribe(&hub, rt(0)));
    (0..5).for_each(|value| queue(rt(0), value));
    assert_eq!((blocking(&mut one), blocking(&mut one)), (rt(0), rt(0)));
    drop(other);
    assert_eq!(hits(rt(0)), 0);
    drop(one);
    assert_eq!(hits(rt(0)), 3);
}

#[cfg(target_os = "linux")]
fn real_time_signals_act_with_their_integer() {
    let _blocked = signal_source::mask::block(rt(0)).expect("block");
    let hub = hub(rt(0));
    let (mut one, other) = (subscribe(&hub, rt(0)), subscribe(&hub, rt(0)));
    (40..43).for_each(|value| queue(rt(0), value));
    assert_eq!(blocking(&mut one), rt(0));
    drop((one, other, hub));
    let signals = Signals::new(rt(0)).expect("open");
    let values = [(); 2].map(|()| signals.recv().expect("recv").value());
    assert_eq!(values, [Some(41), Some(42)]);
    assert!(signals.try_recv().expect("try_recv").is_none());
}

#[cfg(target_os = "linux")]
fn a_flood_reaches_many_subscribers() {
    let hub = hub([rt(0), rt(1)]);
    let mut last = subscribe(&hub, rt(1));
    let subscribers: Vec<_> = (0..3000).map(|_| subscribe(&hub, rt(0))).collect();
    multi_thread().block_on(async {
        let mut tasks = Vec::new();
        for mut subscriber in subscribers {
            tasks.push(tokio::spawn(async move {
                for value in 0..100 {
                    let event = subscriber.recv().await.expect("recv");
                    assert_eq!((event.info().value(), event.dropped()), (Some(value), 0));
                }
                subscriber
            }));
        }
        // More deliveries than a reader makes at a stretch, and one that waits behind them.
        (0..100).for_each(|value| queue(rt(0), value));
        queue(rt(1), 1);
        assert_eq!(next(&mut last).await, rt(1));
        for task in tasks {
            task.await.expect("no panic");
        }
    });
}

#[cfg(target_os = "linux")]
fn a_flood_leaves_other_tasks_their_turn() {
    let mut subscriber = subscribe(&hub(rt(0)), rt(0));
    (0..256).for_each(|value| queue(rt(0), value));
    runtime().block_on(async {
        let turn = Arc::new(AtomicBool::new(false));
        let taken = turn.clone();
        let other = tokio::spawn(async move { taken.store(true, Ordering::SeqCst) });
        for _ in 0..256 {
            next(&mut subscriber).await;
        }
        assert!(turn.load(Ordering::SeqCst), "256 in one turn");
        other.await.expect("no panic");
    });
}
