//! Hubs: waiting.

use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

use super::check;
use super::hubs::{ModelHub, Subscriber, hub, rt, spawn};
use super::machine::{Machine, value};
use crate::Signal;
use crate::tokio::hub::receiver::{add_hub, remove_hub};

fn a_wait_given_up(machine: &Arc<Machine>, subscriber: fn(&ModelHub, Signal) -> Subscriber) {
    let hub = hub(machine, rt());
    let mut subscriber = subscriber(&hub, rt());
    let thread = spawn(move || {
        let mut received: Vec<_> = (0..2).filter_map(|_| subscriber.poll_once()).collect();
        while received.len() < 2 {
            received.push(subscriber.recv());
        }
        assert_eq!(received, [1, 2]);
    });
    machine.send(rt(), 1);
    machine.send(rt(), 2);
    thread.join().expect("no panic");
    remove_hub(&hub);
    assert!(machine.acted().is_empty());
}

#[test]
fn a_wait_given_up_loses_no_wake_up() {
    check(|machine| a_wait_given_up(machine, |hub, signal| Subscriber::thread(hub, signal)));
    check(|machine| a_wait_given_up(machine, |hub, signal| Subscriber::task(hub, signal)));
}

/// What gives up waiting counts as no waiter: then the record stays in the kernel's queue.
#[test]
fn a_waiter_that_moves_between_task_and_thread() {
    check(|machine| {
        let hub = hub(machine, rt());
        let mut subscriber = Subscriber::task(&hub, rt());
        let thread = spawn(move || {
            let mut received = Vec::new();
            while received.len() < 3 {
                received.extend(subscriber.poll_once());
                subscriber.is_task = !subscriber.is_task;
                if received.len() < 3 {
                    received.push(subscriber.recv());
                }
            }
            assert_eq!(received, [1, 2, 3]);
        });
        (1..=3).for_each(|value| machine.send(rt(), value));
        thread.join().expect("no panic");
        remove_hub(&hub);
        assert!(machine.acted().is_empty());
    });
}

#[test]
fn one_waits_while_another_asks() {
    check(|machine| {
        let hub = hub(machine, [rt(), Signal::USR1]);
        let mut one = Subscriber::task(&hub, rt());
        let mut other = Subscriber::thread(&hub, [rt(), Signal::USR1]);
        let waits = spawn(move || assert_eq!(one.recv(), 1));
        let asks = spawn(move || {
            let first = other.try_recv().map(|event| value(&event.info()));
            first.unwrap_or_else(|| other.recv())
        });
        machine.send(rt(), 1);
        waits.join().expect("no panic");
        assert_eq!(asks.join().expect("no panic"), 1);
        remove_hub(&hub);
    });
}

/// What the reader thread does not read, since no subscriber waited for it, is there for one that does.
#[test]
fn each_waits_for_its_own_while_the_other_is_busy() {
    check(|machine| {
        let hub = hub(machine, [rt(), Signal::USR1]);
        let mut one = Subscriber::task(&hub, rt());
        let mut other = Subscriber::thread(&hub, Signal::USR1);
        let ones = spawn(move || assert_eq!(one.recv_many(3), [1, 2, 3]));
        let others = spawn(move || {
            assert_eq!(other.recv(), 8);
            assert!(other.poll_once().is_none());
        });
        machine.send(rt(), 1);
        machine.send(Signal::USR1, 8);
        machine.send(rt(), 2);
        machine.send(rt(), 3);
        ones.join().expect("no panic");
        others.join().expect("no panic");
        remove_hub(&hub);
        assert!(machine.acted().is_empty());
    });
}

/// What a busy subscriber reads itself while the reader thread serves another one, and what it then waits
/// for.
#[test]
fn one_reads_its_own_while_another_waits() {
    check(|machine| {
        let hub = hub(machine, [rt(), Signal::USR1]);
        let mut other = Subscriber::thread(&hub, Signal::USR1);
        let waits = spawn(move || assert_eq!(other.recv(), 9));
        let mut busy = Subscriber::task(&hub, rt());
        let reads = spawn(move || {
            let mut received: Vec<_> = (0..3).filter_map(|_| busy.poll_once()).collect();
            received.extend(busy.recv_many(4 - received.len()));
            assert_eq!(received, [1, 2, 3, 4]);
        });
        (1..=4).for_each(|value| machine.send(rt(), value));
        reads.join().expect("no panic");
        machine.send(Signal::USR1, 9);
        waits.join().expect("no panic");
        remove_hub(&hub);
        assert!(machine.acted().is_empty());
    });
}

/// A waker whose waking and whose dropping use the hub.
struct Meddler(ModelHub);

impl Wake for Meddler {
    fn wake(self: Arc<Self>) {
        drop(self.0.lock());
    }
}

impl Drop for Meddler {
    fn drop(&mut self) {
        drop(self.0.lock());
    }
}

#[test]
fn wakers_use_the_hub() {
    check(|machine| {
        let hub = hub(machine, rt());
        add_hub(&hub);
        let mut subscriber = Subscriber::thread(&hub, rt());
        let meddled = hub.clone();
        let thread = spawn(move || {
            let mut found = None;
            for _ in 0..2 {
                let waker = Waker::from(Arc::new(Meddler(meddled.clone())));
                let (polled, mut waiting) = subscriber.poll(&waker);
                waiting.keep_waiting();
                if let Poll::Ready(event) = polled {
                    found = Some(value(&event.info()));
                    break;
                }
            }
            assert_eq!(found.unwrap_or_else(|| subscriber.recv()), 1);
        });
        machine.send(rt(), 1);
        thread.join().expect("no panic");
        remove_hub(&hub);
        remove_hub(&hub);
    });
}
