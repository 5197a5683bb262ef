//! Hubs: receiving and waiting.

use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

use shuttle::thread;

use super::machine::{Machine, Model, value};
use super::{block_on, check};
use crate::tokio::hub::HubEvent;
use crate::tokio::hub::receiver::{Hub, add_hub, remove_hub, subscribe, unsubscribe, update};
use crate::tokio::hub::registry::Registry;
use crate::tokio::hub::turn::Registration;
use crate::tokio::hub::waiting::Waiting;
use crate::tokio::roster::Task;
use crate::tokio::source::Shared;
use crate::{Signal, SignalSet};

pub(super) type ModelHub = Arc<Hub<Model>>;

pub(super) fn rt() -> Signal {
    Signal::rt(0).expect("a real-time signal")
}

pub(super) fn hub(machine: &Arc<Machine>, set: impl Into<SignalSet>) -> ModelHub {
    let (kernel, set) = (Model(machine.clone()), set.into());
    let receiver = machine.open(set);
    let hub = Arc::new(Shared::new(kernel.clone(), Some(receiver), Registry::new(set, true)));
    hub.lock().expect("not inherited").update_watch(&kernel);
    hub
}

pub(super) struct Subscriber {
    hub: ModelHub,
    number: usize,
    set: SignalSet,
    registration: Registration,
    /// Waits as a task of tokio's does, on its class' roster.
    is_task: bool,
}

impl Subscriber {
    pub(super) fn thread(hub: &ModelHub, set: impl Into<SignalSet>) -> Subscriber {
        let set = set.into();
        let number = subscribe(hub, set).expect("subscribe");
        Subscriber {
            hub: hub.clone(),
            number,
            set,
            registration: Registration::default(),
            is_task: false,
        }
    }

    pub(super) fn task(hub: &ModelHub, set: impl Into<SignalSet>) -> Subscriber {
        let mut subscriber = Subscriber::thread(hub, set);
        subscriber.is_task = true;
        subscriber
    }

    /// Polls for one signal; dropping what is returned beside it ends the waiting.
    fn poll<'a>(&'a mut self, waker: &Waker) -> (Poll<HubEvent>, Waiting<'a, Model>) {
        if !self.is_task {
            self.registration.set_task(None);
        } else if !self.registration.task().is_some_and(|task| task.will_wake(waker)) {
            self.registration.set_task(Some(Task::new(waker.clone(), Arc::default())));
        }
        let mut waiting = Waiting::new(&self.hub, self.number, &mut self.registration);
        let polled = waiting.poll(waker);
        (polled.map(|event| event.expect("recv")), waiting)
    }

    /// What one task or thread receives until `is_enough`.
    pub(super) fn recv_until(&mut self, is_enough: impl Fn(&[HubEvent]) -> bool) -> Vec<HubEvent> {
        let mut received = Vec::new();
        block_on(|cx| {
            while !is_enough(&received) {
                let (polled, mut waiting) = self.poll(cx.waker());
                waiting.keep_waiting();
                match polled {
                    Poll::Ready(event) => received.push(event),
                    Poll::Pending => return Poll::Pending,
                }
            }
            Poll::Ready(())
        });
        received
    }

    fn recv_many(&mut self, count: usize) -> Vec<usize> {
        let events = self.recv_until(|received| received.len() == count);
        events.iter().map(|event| value(&event.info())).collect()
    }

    pub(super) fn recv(&mut self) -> usize {
        self.recv_many(1)[0]
    }

    fn try_recv(&mut self) -> Option<HubEvent> {
        Waiting::new(&self.hub, self.number, &mut self.registration).try_recv().expect("try_recv")
    }

    /// Polls once, and does not wait any more.
    pub(super) fn poll_once(&mut self) -> Option<usize> {
        match self.poll(Waker::noop()).0 {
            Poll::Ready(event) => Some(value(&event.info())),
            Poll::Pending => None,
        }
    }

    pub(super) fn update(&mut self, set: impl Into<SignalSet>) {
        let set = set.into();
        update(&self.hub, self.number, self.set, set).expect("update");
        self.registration.forget_turn();
        self.set = set;
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        unsubscribe(&self.hub, self.number, self.set);
    }
}

pub(super) fn spawn<T: Send + 'static>(
    run: impl FnOnce() -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    thread::spawn(run)
}

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
