//! Hubs: waiting, coming and going.

use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

use shuttle::sync::Mutex;
use shuttle::thread;

use super::machine::{Machine, Model, value};
use super::{block_on, check};
use crate::tokio::hub::receiver::{Hub, add_hub, remove_hub, subscribe, unsubscribe, update};
use crate::tokio::hub::registry::Registry;
use crate::tokio::hub::waiting::Waiting;
use crate::tokio::kernel::Kernel;
use crate::tokio::source::Shared;
use crate::tokio::waiters::Who;
use crate::{Signal, SignalSet};

type ModelHub = Arc<Hub<Model>>;

fn rt() -> Signal {
    Signal::rt(0).expect("a real-time signal")
}

fn hub(machine: &Arc<Machine>, set: impl Into<SignalSet>) -> ModelHub {
    let (kernel, set) = (Model(machine.clone()), set.into());
    let receiver = kernel.open(set, true).expect("open");
    let hub = Arc::new(Shared::new(kernel.clone(), Some(receiver), Registry::new(set, true)));
    hub.lock().expect("not inherited").update_watch(&kernel);
    hub
}

struct Subscriber {
    hub: ModelHub,
    number: usize,
    set: SignalSet,
}

impl Subscriber {
    fn new(hub: &ModelHub, set: impl Into<SignalSet>) -> Subscriber {
        let set = set.into();
        let number = subscribe(hub, set).expect("subscribe");
        Subscriber { hub: hub.clone(), number, set }
    }

    fn recv(&self) -> usize {
        let mut waiting = Waiting::new(&self.hub, self.number);
        value(&block_on(|cx| waiting.poll(Who::Other(cx.waker()))).expect("recv").info())
    }

    fn try_recv(&self) -> Option<usize> {
        let event = Waiting::new(&self.hub, self.number).try_recv().expect("try_recv");
        event.map(|event| value(&event.info()))
    }

    /// Polls once, and does not wait any more.
    fn poll_once(&self) -> Option<usize> {
        match Waiting::new(&self.hub, self.number).poll(Who::Other(Waker::noop())) {
            Poll::Ready(event) => Some(value(&event.expect("recv").info())),
            Poll::Pending => None,
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        unsubscribe(&self.hub, self.number, self.set);
    }
}

fn spawn<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> thread::JoinHandle<T> {
    thread::spawn(run)
}

#[test]
fn two_subscribers_receive_each_in_order() {
    check(|machine| {
        let hub = hub(machine, rt());
        let subscribers = [Subscriber::new(&hub, rt()), Subscriber::new(&hub, rt())];
        let threads =
            subscribers.map(|one| spawn(move || assert_eq!([one.recv(), one.recv()], [1, 2])));
        machine.send(rt(), 1);
        machine.send(rt(), 2);
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        remove_hub(&hub);
        assert!(machine.acted().is_empty());
    });
}

#[test]
fn a_wait_given_up_loses_no_wake_up() {
    check(|machine| {
        let hub = hub(machine, rt());
        let subscriber = Subscriber::new(&hub, rt());
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
    });
}

#[test]
fn one_waits_while_another_asks() {
    check(|machine| {
        let hub = hub(machine, [rt(), Signal::USR1]);
        let (one, other) =
            (Subscriber::new(&hub, rt()), Subscriber::new(&hub, [rt(), Signal::USR1]));
        let waits = spawn(move || assert_eq!(one.recv(), 1));
        let asks = spawn(move || {
            let first = other.try_recv();
            first.unwrap_or_else(|| other.recv())
        });
        machine.send(rt(), 1);
        waits.join().expect("no panic");
        assert_eq!(asks.join().expect("no panic"), 1);
        remove_hub(&hub);
    });
}

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
        let one = Subscriber::new(&hub, rt());
        let other = Subscriber::new(&hub, rt());
        let received = Arc::new(Mutex::new(Vec::new()));
        let threads = [one, other].map(|subscriber| {
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

#[test]
fn one_subscribes_while_the_last_goes() {
    check(|machine| {
        let hub = hub(machine, Signal::USR1);
        let one = Subscriber::new(&hub, Signal::USR1);
        let goes = spawn(move || drop(one));
        let joins = {
            let hub = hub.clone();
            spawn(move || drop(Subscriber::new(&hub, Signal::USR1)))
        };
        machine.send(Signal::USR1, 1);
        goes.join().expect("no panic");
        joins.join().expect("no panic");
        remove_hub(&hub);
        assert_eq!(machine.acted(), [1]);
    });
}

#[test]
fn a_set_changes_while_signals_come() {
    check(|machine| {
        let hub = hub(machine, rt());
        let subscriber = Subscriber::new(&hub, rt());
        let both = SignalSet::from([rt(), Signal::USR1]);
        let thread = spawn(move || {
            let mut subscriber = subscriber; // all of it: it is dropped here
            update(&subscriber.hub, subscriber.number, subscriber.set, both).expect("update");
            subscriber.set = both;
            let received = subscriber.try_recv();
            let usr1 = Signal::USR1.into();
            update(&subscriber.hub, subscriber.number, both, usr1).expect("update");
            subscriber.set = usr1;
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

#[test]
fn a_full_queue_leaves_the_rest_in_the_kernel() {
    check(|machine| {
        let hub = hub(machine, [rt(), Signal::USR1]);
        let slow = Subscriber::new(&hub, rt());
        let quick = Subscriber::new(&hub, Signal::USR1);
        // More than two: see QUEUE.
        let thread = spawn(move || (0..5).for_each(|value| assert_eq!(slow.recv(), value)));
        let waits = spawn(move || assert_eq!(quick.recv(), 9));
        (0..5).for_each(|value| machine.send(rt(), value));
        machine.send(Signal::USR1, 9);
        waits.join().expect("no panic");
        thread.join().expect("no panic");
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
        let subscriber = Subscriber::new(&hub, rt());
        let meddled = hub.clone();
        let thread = spawn(move || {
            let mut found = None;
            for _ in 0..2 {
                let waker = Waker::from(Arc::new(Meddler(meddled.clone())));
                let mut waiting = Waiting::new(&subscriber.hub, subscriber.number);
                if let Poll::Ready(event) = waiting.poll(Who::Other(&waker)) {
                    found = Some(value(&event.expect("recv").info()));
                    break;
                }
                waiting.keep_waiting();
            }
            assert_eq!(found.unwrap_or_else(|| subscriber.recv()), 1);
        });
        machine.send(rt(), 1);
        thread.join().expect("no panic");
        remove_hub(&hub);
        remove_hub(&hub);
    });
}
