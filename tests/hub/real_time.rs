//! Real-time signals: each for itself, up to the bound.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use crate::harness::{self, hits, send, set_counting};
use crate::{blocking, hub, is_unread, multi_thread, next, runtime, subscribe};
use signal_source::tokio::SignalHub;
use signal_source::{Signal, Signals};

pub fn rt(n: u8) -> Signal {
    Signal::rt(n).expect("a real-time signal")
}

pub fn queue(signal: Signal, value: i32) {
    signal_source::send::sigqueue(harness::pid(), signal, value).expect("sigqueue");
}

pub fn real_time_signals_queue_to_the_bound() {
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
        assert_eq!(event.to_string().ends_with(", 44 after it dropped"), dropped == 44, "{event}");
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

/// What the parent's subscriber has taken to return it next is not the child's.
pub fn an_inherited_subscriber_returns_nothing() {
    let hub = hub(rt(0));
    let mut subscriber = subscribe(&hub, rt(0));
    (0..3).for_each(|value| queue(rt(0), value));
    let mut receive = || subscriber.recv_blocking().map(|event| event.info().value());
    assert_eq!(receive().expect("recv"), Some(0));
    harness::in_fork(|| assert!(receive().is_err()));
    assert_eq!(receive().expect("recv"), Some(1));
    assert_eq!(receive().expect("recv"), Some(2));
}

pub fn real_time_signals_that_were_not_read_act_each() {
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

pub fn real_time_signals_act_with_their_integer() {
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

pub fn a_flood_reaches_many_subscribers() {
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
            drop(task.await.expect("no panic"));
        }
    });
}

pub fn a_flood_leaves_other_tasks_their_turn() {
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

pub fn every_subscriber_sees_each_in_order() {
    const ROUNDS: i32 = 20;
    const EACH: i32 = 200; // below the bound
    let hub = hub(rt(0));
    let round = Arc::new(Barrier::new(9));
    let threads: Vec<_> = (0..8)
        .map(|index| {
            let (mut subscriber, round) = (subscribe(&hub, rt(0)), round.clone());
            thread::spawn(move || {
                let kept = if index % 4 == 0 { multi_thread() } else { runtime() };
                for start in (0..ROUNDS).map(|round| round * EACH) {
                    for value in start..start + EACH {
                        let event = match index % 4 {
                            3 => subscriber.recv_blocking(),
                            _ => kept.block_on(subscriber.recv()),
                        };
                        let event = event.expect("recv");
                        assert_eq!((event.info().value(), event.dropped()), (Some(value), 0));
                    }
                    round.wait();
                }
            })
        })
        .collect();
    for start in (0..ROUNDS).map(|round| round * EACH) {
        (start..start + EACH).for_each(|value| queue(rt(0), value));
        round.wait();
    }
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}
