//! Hubs and their subscribers, over the model.

use std::sync::Arc;
use std::task::{Poll, Waker};

use shuttle::thread;

use super::block_on;
use super::machine::{Machine, Model, value};
use crate::tokio::hub::HubEvent;
use crate::tokio::hub::receiver::{Hub, subscribe, unsubscribe, update};
use crate::tokio::hub::registry::Registry;
use crate::tokio::hub::taken::Taken;
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
    taken: Taken,
    /// Waits as a task of tokio's does, on its class' roster.
    pub(super) is_task: bool,
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
            taken: Taken::default(),
            is_task: false,
        }
    }

    pub(super) fn task(hub: &ModelHub, set: impl Into<SignalSet>) -> Subscriber {
        let mut subscriber = Subscriber::thread(hub, set);
        subscriber.is_task = true;
        subscriber
    }

    /// Polls for one signal; dropping what is returned beside it ends the waiting.
    pub(super) fn poll<'a>(&'a mut self, waker: &Waker) -> (Poll<HubEvent>, Waiting<'a, Model>) {
        if !self.is_task {
            self.registration.set_task(None);
        } else if !self.registration.task().is_some_and(|task| task.will_wake(waker)) {
            self.registration.set_task(Some(Task::new(waker.clone(), Arc::default())));
        }
        let mut waiting =
            Waiting::new(&self.hub, self.number, &mut self.registration, &mut self.taken);
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

    pub(super) fn recv_many(&mut self, count: usize) -> Vec<usize> {
        let events = self.recv_until(|received| received.len() == count);
        events.iter().map(|event| value(&event.info())).collect()
    }

    pub(super) fn recv(&mut self) -> usize {
        self.recv_many(1)[0]
    }

    pub(super) fn try_recv(&mut self) -> Option<HubEvent> {
        Waiting::new(&self.hub, self.number, &mut self.registration, &mut self.taken)
            .try_recv()
            .expect("try_recv")
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
        update(&self.hub, self.number, self.set, set, &mut self.taken).expect("update");
        self.registration.forget_turn();
        self.set = set;
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        unsubscribe(&self.hub, self.number, self.set, &mut self.taken);
    }
}

pub(super) fn spawn<T: Send + 'static>(
    run: impl FnOnce() -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    thread::spawn(run)
}
