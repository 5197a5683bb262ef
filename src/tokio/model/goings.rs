//! Hubs: coming and going.

use std::sync::Arc;

use shuttle::sync::Mutex;

use super::check;
use super::hubs::{Subscriber, hub, rt, spawn};
use super::machine::value;
use crate::Signal;
use crate::tokio::hub::receiver::remove_hub;

#[test]
fn what_the_last_leaves_unread_acts() {
    check(|machine| {
        let hub = hub(machine, rt());
        // The handler uses the hub: no lock may be held when it runs.
        let used = Arc::downgrade(&hub);
        machine.set_handler(move || {
            if let Some(hub) = used.upgrade() {
                drop(hub.lock());
            }
        });
        let received = Arc::new(Mutex::new(Vec::new()));
        let threads =
            [Subscriber::task(&hub, rt()), Subscriber::thread(&hub, rt())].map(|mut subscriber| {
                let received = received.clone();
                spawn(move || {
                    let found = subscriber.poll_once();
                    received.lock().expect("no panic").extend(found);
                })
            });
        machine.send(rt(), 1);
        machine.send(rt(), 2);
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        remove_hub(&hub);
        let mut received = received.lock().expect("no panic").clone();
        received.sort_unstable();
        received.dedup();
        let mut all = machine.acted();
        all.extend(received);
        all.sort_unstable();
        assert_eq!(all, [1, 2]);
    });
}

/// A subscriber goes when it has returned the first of what it has taken: of the rest each is read by the
/// other one, or acts.
#[test]
fn what_was_taken_but_not_returned_is_unread() {
    check(|machine| {
        let hub = hub(machine, rt());
        let threads = [(Subscriber::task(&hub, rt()), 1), (Subscriber::thread(&hub, rt()), 2)]
            .map(|(mut subscriber, count)| spawn(move || subscriber.recv_many(count)));
        (1..=4).for_each(|value| machine.send(rt(), value));
        let received = threads.map(|thread| thread.join().expect("no panic"));
        remove_hub(&hub);
        assert_eq!((&received[0][..], &received[1][..]), (&[1][..], &[1, 2][..]));
        assert_eq!(machine.acted(), [3, 4]);
    });
}

/// The kernel has no room for what is to act, at first.
#[test]
fn what_is_left_unread_acts_although_the_queue_is_full() {
    check(|machine| {
        let hub = hub(machine, rt());
        let mut subscriber = Subscriber::task(&hub, rt());
        (1..=4).for_each(|value| machine.send(rt(), value));
        assert_eq!(subscriber.recv(), 1);
        machine.refuse(2);
        drop(subscriber);
        remove_hub(&hub);
        machine.wait_until_acted(3);
        assert_eq!(machine.acted(), [2, 3, 4]);
    });
}

#[test]
fn a_set_changes_while_some_are_taken() {
    check(|machine| {
        let hub = hub(machine, [rt(), Signal::USR1]);
        let mut subscriber = Subscriber::task(&hub, rt());
        let thread = spawn(move || {
            assert_eq!(subscriber.recv(), 1);
            subscriber.update([rt(), Signal::USR1]);
            assert_eq!(subscriber.recv_many(2), [2, 3]);
        });
        (1..=3).for_each(|value| machine.send(rt(), value));
        thread.join().expect("no panic");
        remove_hub(&hub);
        assert!(machine.acted().is_empty());
    });
}

/// What comes in the midst of the change is told, on a machine too that tells of no change.
#[test]
fn one_exchanges_its_set_while_another_waits() {
    check(|machine| {
        let hub = hub(machine, [Signal::HUP, Signal::USR1]);
        let mut other = Subscriber::thread(&hub, Signal::HUP);
        let mut one = Subscriber::task(&hub, Signal::USR1);
        let waits = spawn(move || assert_eq!(other.recv(), 3));
        machine.wait_until_armed();
        let sender = machine.clone();
        let sends = spawn(move || {
            sender.wait_until_claimed(Signal::USR2);
            sender.send(Signal::USR2, 1);
        });
        one.update([Signal::USR2]);
        machine.send(Signal::USR2, 2);
        // They may have merged; or the first one acted, or was there before.
        let received = one.recv();
        assert!((1..=2).contains(&received));
        machine.send(Signal::HUP, 3);
        [waits, sends].into_iter().for_each(|thread| thread.join().expect("no panic"));
        drop(one);
        remove_hub(&hub);
        assert!(machine.acted().iter().all(|&value| value != received));
    });
}

/// A standard signal that merged acts once for all that merged into it, and a read one not at all.
#[test]
fn what_all_leave_unread_acts_once() {
    check(|machine| {
        let hub = hub(machine, Signal::USR1);
        let threads = [Subscriber::task(&hub, Signal::USR1), Subscriber::task(&hub, Signal::USR1)]
            .map(|mut subscriber| spawn(move || subscriber.poll_once()));
        machine.send(Signal::USR1, 1);
        let received = threads.map(|thread| thread.join().expect("no panic"));
        remove_hub(&hub);
        let is_read = received.iter().any(Option::is_some);
        assert_eq!(machine.acted(), if is_read { vec![] } else { vec![1] });
    });
}

#[test]
fn one_subscribes_while_the_last_goes() {
    check(|machine| {
        let hub = hub(machine, Signal::USR1);
        let one = Subscriber::task(&hub, Signal::USR1);
        let goes = spawn(move || drop(one));
        let joins = {
            let hub = hub.clone();
            spawn(move || drop(Subscriber::thread(&hub, Signal::USR1)))
        };
        machine.send(Signal::USR1, 1);
        goes.join().expect("no panic");
        joins.join().expect("no panic");
        remove_hub(&hub);
        assert_eq!(machine.acted(), [1]);
    });
}

/// One acquires for both, or each tries; a third receives and goes meanwhile.
#[test]
fn two_widen_by_the_same_at_once() {
    check(|machine| {
        let hub = hub(machine, rt());
        let mut one = Subscriber::task(&hub, rt());
        let joins = [(); 2].map(|()| {
            let hub = hub.clone();
            spawn(move || Subscriber::thread(&hub, [rt(), Signal::USR1]))
        });
        let receives = spawn(move || assert_eq!(one.recv(), 1));
        machine.send(rt(), 1);
        receives.join().expect("no panic");
        let mut joined = joins.map(|thread| thread.join().expect("no panic"));
        machine.send(Signal::USR1, 2);
        for one in &mut joined {
            let received = one.recv_until(|received| {
                received.last().is_some_and(|event| event.signal() == Signal::USR1)
            });
            assert_eq!(received.last().map(|event| value(&event.info())), Some(2));
        }
        drop(joined);
        assert!(machine.is_claimed(rt()) == machine.is_claimed(Signal::USR1));
        remove_hub(&hub);
        assert!(!machine.is_claimed(rt()));
        assert!(machine.acted().is_empty());
    });
}

#[test]
fn a_set_changes_while_signals_come() {
    check(|machine| {
        let hub = hub(machine, rt());
        let mut subscriber = Subscriber::task(&hub, rt());
        let thread = spawn(move || {
            let mut received: Vec<_> = subscriber.poll_once().into_iter().collect();
            subscriber.update([rt(), Signal::USR1]);
            received.extend(subscriber.poll_once());
            subscriber.update(Signal::USR1);
            received
        });
        machine.send(rt(), 1);
        let received = thread.join().expect("no panic");
        remove_hub(&hub);
        let mut all = machine.acted();
        all.extend(received);
        assert_eq!(all, [1]);
    });
}
