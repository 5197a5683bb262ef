//! Several runtimes and plain threads at once.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;

use crate::harness::{send, set_counting};
use crate::{blocking, hub, is_unread, multi_thread, next, runtime, start_waiting, subscribe};
use signal_source::{Signal, SignalSet};

// origin: libuv signal_multiple_loops (E21)
pub fn many_threads_with_runtimes_while_others_come_and_go() {
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
                            _ = received => panic!("no TERM is sent"),
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
pub fn four_runtimes_ten_rounds() {
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

// origin: tokio dropping_loops_does_not_cause_starvation (R6)
pub fn a_dropped_runtime_starves_no_waiter() {
    let hub = hub(Signal::USR1);
    let (mut one, mut other) = (subscribe(&hub, Signal::USR1), subscribe(&hub, Signal::USR1));
    let first = runtime();
    first.block_on(start_waiting(&mut one));
    drop(first);
    let second = runtime();
    for _ in 0..3 {
        send(Signal::USR1);
        second.block_on(next(&mut other));
    }
    assert_eq!(blocking(&mut one), Signal::USR1);
    send(Signal::USR1);
    runtime().block_on(next(&mut one));
}

pub fn a_blocked_runtime_starves_no_waiter() {
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

pub fn a_runtime_that_is_not_driven_starves_no_waiter() {
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
pub fn an_inner_and_an_outer_runtime() {
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
pub fn a_task_and_threads_at_once() {
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

pub fn a_multi_thread_runtime() {
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

pub fn moves_between_runtimes_and_threads() {
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

pub fn a_signal_wakes_its_own_waiter() {
    let hub = hub([Signal::USR1, Signal::USR2]);
    let (told, tell) = mpsc::channel();
    let wait = |signal| {
        let (mut subscriber, told) = (subscribe(&hub, signal), told.clone());
        thread::spawn(move || told.send(blocking(&mut subscriber)).expect("the case"))
    };
    let _kept = subscribe(&hub, [Signal::USR1, Signal::USR2]);
    for _ in 0..50 {
        let threads = [Signal::USR1, Signal::USR2, Signal::USR2].map(wait);
        // One signal wakes its own waiter and leaves the others waiting.
        send(Signal::USR1);
        assert_eq!(tell.recv(), Ok(Signal::USR1));
        send(Signal::USR2);
        assert_eq!((tell.recv(), tell.recv()), (Ok(Signal::USR2), Ok(Signal::USR2)));
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    }
}

pub fn a_thread_is_told_what_a_runtime_read() {
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
