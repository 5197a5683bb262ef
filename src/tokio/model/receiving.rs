//! Hubs: receiving.

use super::check;
use super::hubs::{Subscriber, hub, rt, spawn};
use super::machine::value;
use crate::tokio::hub::receiver::remove_hub;
use crate::tokio::source::BATCH;
use crate::{Signal, SignalSet};

#[test]
fn two_subscribers_receive_each_in_order() {
    check(|machine| {
        let hub = hub(machine, rt());
        let subscribers = [Subscriber::thread(&hub, rt()), Subscriber::task(&hub, rt())];
        let threads =
            subscribers.map(|mut one| spawn(move || assert_eq!(one.recv_many(2), [1, 2])));
        machine.send(rt(), 1);
        machine.send(rt(), 2);
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        remove_hub(&hub);
        assert!(machine.acted().is_empty());
    });
}

/// The reader thread comes back for what one read did not give.
#[test]
fn more_than_a_batch_is_received() {
    check(|machine| {
        let signals = [Signal::HUP, Signal::USR1, Signal::USR2];
        assert!(signals.len() > BATCH);
        let hub = hub(machine, signals);
        let subscribers = [Subscriber::thread(&hub, signals), Subscriber::task(&hub, signals)];
        let threads =
            subscribers.map(|mut one| spawn(move || assert_eq!(one.recv_many(3), [1, 2, 3])));
        signals.into_iter().zip(1..).for_each(|(signal, value)| machine.send(signal, value));
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        remove_hub(&hub);
        assert!(machine.acted().is_empty());
    });
}

#[test]
fn tasks_wait_again_and_again() {
    check(|machine| {
        let hub = hub(machine, [rt(), Signal::USR1]);
        let both = SignalSet::from([rt(), Signal::USR1]);
        let subscribers = [
            Subscriber::task(&hub, rt()),
            Subscriber::task(&hub, rt()),
            Subscriber::task(&hub, both),
        ];
        let threads =
            subscribers.map(|mut one| spawn(move || assert_eq!(one.recv_many(2), [1, 2])));
        (1..=2).for_each(|value| machine.send(rt(), value));
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        remove_hub(&hub);
        assert!(machine.acted().is_empty());
    });
}

/// Each subscriber is told of every record that was read, as one that it receives or one that merged.
#[test]
fn what_merges_is_counted() {
    check(|machine| {
        let hub = hub(machine, [Signal::USR1, Signal::USR2]);
        let all = SignalSet::from([Signal::USR1, Signal::USR2]);
        let subscribers = [
            Subscriber::task(&hub, all),
            Subscriber::task(&hub, all),
            Subscriber::thread(&hub, Signal::USR1),
        ];
        let threads = subscribers.map(|mut one| {
            spawn(move || {
                let received = one.recv_until(|received| !received.is_empty());
                (one, received)
            })
        });
        machine.send(Signal::USR1, 1);
        machine.send(Signal::USR1, 2);
        machine.send(Signal::USR1, 3);
        let mut done = threads.map(|thread| thread.join().expect("no panic"));
        // One of them reads what is left for all.
        for (one, received) in &mut done {
            received.extend(std::iter::from_fn(|| one.try_recv()));
        }
        let read = machine.read(Signal::USR1);
        for (_, received) in &done {
            let told: u32 = received.iter().map(|event| 1 + event.merged()).sum();
            assert_eq!(told as usize, read);
            let values: Vec<_> = received.iter().map(|event| value(&event.info())).collect();
            assert!(values.is_sorted_by(|one, other| one < other), "{values:?}");
        }
        drop(done);
        remove_hub(&hub);
        assert!(machine.acted().is_empty());
    });
}

#[test]
fn one_that_joins_sees_nothing_older() {
    check(|machine| {
        for signal in [Signal::USR1, rt()] {
            let hub = hub(machine, signal);
            let mut early = Subscriber::task(&hub, signal);
            let thread = spawn(move || {
                let received = early.recv_until(|received| {
                    received.last().is_some_and(|event| value(&event.info()) == 2)
                });
                let told: u32 = received.iter().map(|event| 1 + event.merged()).sum();
                assert_eq!(told, 2);
            });
            machine.send(signal, 1);
            let mut late = Subscriber::task(&hub, signal);
            machine.send(signal, 2);
            let received = late.recv_until(|received| !received.is_empty());
            assert_eq!((value(&received[0].info()), received[0].merged()), (2, 0));
            thread.join().expect("no panic");
            assert!(late.try_recv().is_none());
            drop(late);
            remove_hub(&hub);
        }
        assert!(machine.acted().is_empty());
    });
}

#[test]
fn a_full_queue_leaves_the_rest_in_the_kernel() {
    check(|machine| {
        let hub = hub(machine, [rt(), Signal::USR1]);
        let mut slow = Subscriber::task(&hub, rt());
        let mut quick = Subscriber::thread(&hub, Signal::USR1);
        // More than two: see QUEUE.
        let thread = spawn(move || assert_eq!(slow.recv_many(5), [0, 1, 2, 3, 4]));
        let waits = spawn(move || assert_eq!(quick.recv(), 9));
        (0..5).for_each(|value| machine.send(rt(), value));
        machine.send(Signal::USR1, 9);
        waits.join().expect("no panic");
        thread.join().expect("no panic");
        remove_hub(&hub);
        assert!(machine.acted().is_empty());
    });
}
