//! Shutdowns: told once for all, after the receiver has been closed.

use std::sync::Arc;
use std::task::{Context, Waker};

use shuttle::thread;

use super::machine::{Machine, Model, value};
use super::{block_on, check};
use crate::Signal;
use crate::tokio::shutdown::{Latch, Latched, ShutdownCause, Waiting};
use crate::tokio::source::Shared;

struct Shutdown(Arc<Latched<Model>>);

impl Shutdown {
    fn open(machine: &Arc<Machine>, signal: Signal, keeps: bool) -> Shutdown {
        let kernel = Model(machine.clone());
        let receiver = machine.open(signal.into());
        Shutdown(Arc::new(Shared::new(kernel, Some(receiver), Latch::new(keeps))))
    }

    fn wait(&self) -> ShutdownCause {
        let waiting = Waiting::new(&self.0).expect("not inherited");
        block_on(|cx| waiting.poll_first(cx)).expect("wait")
    }

    fn poll_once(&self) {
        let waiting = Waiting::new(&self.0).expect("not inherited");
        let _ = waiting.poll_first(&mut Context::from_waker(Waker::noop()));
    }

    fn further(&self) -> Option<usize> {
        let waiting = Waiting::new(&self.0).expect("not inherited");
        let further = block_on(|cx| waiting.poll_further(cx)).expect("further");
        further.map(|info| value(&info))
    }
}

impl Clone for Shutdown {
    fn clone(&self) -> Shutdown {
        self.0.add_clone();
        Shutdown(self.0.clone())
    }
}

impl Drop for Shutdown {
    fn drop(&mut self) {
        self.0.remove_clone();
    }
}

#[test]
fn all_are_told_after_the_receiver_is_closed() {
    check(|machine| {
        let shutdown = Shutdown::open(machine, Signal::TERM, false);
        let used = Arc::downgrade(&shutdown.0);
        machine.set_handler(move || {
            if let Some(latch) = used.upgrade() {
                drop(latch.lock());
            }
        });
        let threads = [shutdown.clone(), shutdown.clone()].map(|one| {
            let machine = machine.clone();
            thread::spawn(move || {
                assert_eq!(one.wait().signal(), Some(Signal::TERM));
                assert!(!machine.is_claimed(Signal::TERM));
            })
        });
        drop(shutdown);
        machine.send(Signal::TERM, 1);
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        machine.send(Signal::TERM, 2);
        assert_eq!(machine.acted(), [2]);
    });
}

#[test]
fn told_to_none_it_acts() {
    check(|machine| {
        let shutdown = Shutdown::open(machine, Signal::TERM, false);
        let other = shutdown.clone();
        let thread = thread::spawn(move || {
            // Maybe it fires while this waits; it is told the cause in no case.
            let waiting = Waiting::new(&other.0).expect("not inherited");
            drop(waiting);
            drop(other);
        });
        machine.send(Signal::TERM, 1);
        thread.join().expect("no panic");
        drop(shutdown);
        assert_eq!(machine.acted(), [1]);
    });
}

#[test]
fn a_trigger_and_a_signal_at_once() {
    check(|machine| {
        let shutdown = Shutdown::open(machine, Signal::TERM, false);
        let (one, other) = (shutdown.clone(), shutdown.clone());
        let waits = thread::spawn(move || {
            one.poll_once();
            one.wait().signal()
        });
        let triggers = thread::spawn(move || {
            other.0.trigger();
            other.0.look().expect("fired").signal()
        });
        machine.send(Signal::TERM, 1);
        let told = waits.join().expect("no panic");
        assert_eq!(triggers.join().expect("no panic"), told);
        drop(shutdown);
        let acted = if told.is_some() { vec![] } else { vec![1] };
        assert_eq!(machine.acted(), acted);
    });
}

#[test]
fn further_signals_go_to_one_each() {
    check(|machine| {
        let rt = Signal::rt(0).expect("a real-time signal");
        let shutdown = Shutdown::open(machine, rt, true);
        shutdown.0.trigger();
        let threads =
            [shutdown.clone(), shutdown.clone()].map(|one| thread::spawn(move || one.further()));
        drop(shutdown);
        machine.send(rt, 1);
        machine.send(rt, 2);
        let mut further = threads.map(|thread| thread.join().expect("no panic"));
        further.sort_unstable();
        assert_eq!(further, [Some(1), Some(2)]);
        assert!(machine.acted().is_empty());
    });
}
