//! Wakers are code of the program: no lock is held while one is cloned, woken or dropped, and one
//! that panics keeps no other from being woken.

use std::pin::pin;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::thread;

use crate::harness::{self, quiet_panics, send};
use crate::{blocking, hub, is_unread, subscribe};
use signal_source::tokio::{Shutdown, SignalHub, Subscriber};
use signal_source::{Signal, SignalSet};

/// Uses the hub when it is woken, and when it is dropped.
struct Meddler {
    hub: SignalHub,
    uses: Arc<AtomicUsize>,
}

impl Meddler {
    fn meddle(&self) {
        drop(subscribe(&self.hub, Signal::USR1));
        assert!(!self.hub.set().is_empty());
        self.uses.fetch_add(1, Ordering::SeqCst);
    }
}

impl Wake for Meddler {
    fn wake(self: Arc<Self>) {
        self.meddle();
    }
}

impl Drop for Meddler {
    fn drop(&mut self) {
        self.meddle();
    }
}

fn is_pending(subscriber: &mut Subscriber, waker: Waker) -> bool {
    matches!(subscriber.poll_recv(&mut Context::from_waker(&waker)), Poll::Pending)
}

pub fn a_waker_uses_the_hub_when_woken_and_when_dropped() {
    let hub = hub(Signal::USR1);
    let (mut subscriber, kept) = (subscribe(&hub, Signal::USR1), subscribe(&hub, Signal::USR1));
    let uses = Arc::new(AtomicUsize::new(0));
    let meddler = || Waker::from(Arc::new(Meddler { hub: hub.clone(), uses: uses.clone() }));
    // The second replaces the first, a noop one the third, and reading takes the last out.
    assert!(is_pending(&mut subscriber, meddler()));
    assert!(is_pending(&mut subscriber, meddler()));
    assert_eq!(uses.load(Ordering::SeqCst), 1);
    assert!(is_pending(&mut subscriber, Waker::noop().clone()));
    assert_eq!(uses.load(Ordering::SeqCst), 2);
    assert!(is_pending(&mut subscriber, meddler()));
    send(Signal::USR1);
    // Woken, and dropped.
    harness::eventually("the waker is dropped", || uses.load(Ordering::SeqCst) == 4);
    assert_eq!(is_unread(&mut subscriber), Some(Signal::USR1));
    assert!(is_pending(&mut subscriber, meddler()));
    drop(subscriber);
    assert_eq!(uses.load(Ordering::SeqCst), 5);
    drop(kept);
}

/// Asks the shutdown when it is dropped.
struct Asker(Shutdown);

impl Wake for Asker {
    fn wake(self: Arc<Self>) {
        assert!(self.0.is_triggered());
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        let _ = self.0.is_triggered();
    }
}

pub fn a_waker_asks_the_shutdown_when_dropped() {
    let shutdown = Shutdown::on(Signal::USR1).expect("open");
    let mut waiting = Box::pin(shutdown.wait());
    for _ in 0..3 {
        let waker = Waker::from(Arc::new(Asker(shutdown.clone())));
        assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    let told = shutdown.clone();
    let thread = thread::spawn(move || told.wait_blocking().expect("wait"));
    send(Signal::USR1);
    assert_eq!(thread.join().expect("no panic").signal(), Some(Signal::USR1));
    assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
}

/// What is done while a waker is cloned.
static WHILE_CLONED: Mutex<Option<Box<dyn FnOnce() + Send>>> = Mutex::new(None);

static TABLE: RawWakerVTable = RawWakerVTable::new(
    |_| {
        let done = WHILE_CLONED.lock().expect("no panic").take();
        done.expect("cloned once")();
        RawWaker::new(ptr::null(), Waker::noop().vtable())
    },
    |_| {},
    |_| {},
    |_| {},
);

/// A waker that does this while it is cloned, and nothing when it is woken.
#[allow(unsafe_code)] // no safe way to a waker of one's own has a clone of one's own
fn while_cloned(action: impl FnOnce() + Send + 'static) -> Waker {
    *WHILE_CLONED.lock().expect("no panic") = Some(Box::new(action));
    // SAFETY: the functions of the table need no data, and may be called on any thread.
    unsafe { Waker::new(ptr::null(), &TABLE) }
}

/// Between the look that finds nothing and the one that waits, another thread may read or trigger.
pub fn what_comes_while_a_waker_is_cloned_is_told() {
    let hub = hub(Signal::USR1);
    let (mut one, mut other) = (subscribe(&hub, Signal::USR1), subscribe(&hub, Signal::USR1));
    let waker = while_cloned(move || {
        send(Signal::USR1);
        assert_eq!(blocking(&mut other), Signal::USR1);
    });
    assert!(one.poll_recv(&mut Context::from_waker(&waker)).is_ready());
    let waker = while_cloned(|| send(Signal::USR1));
    assert!(one.poll_recv(&mut Context::from_waker(&waker)).is_ready());

    let by_hand = Shutdown::on(Signal::USR2).expect("open");
    let trigger = by_hand.clone();
    let waker = while_cloned(move || trigger.trigger());
    assert!(pin!(by_hand.wait()).poll(&mut Context::from_waker(&waker)).is_ready());
    drop(by_hand);
    let by_signal = Shutdown::on(Signal::HUP).expect("open");
    let waker = while_cloned(|| send(Signal::HUP));
    assert!(pin!(by_signal.wait()).poll(&mut Context::from_waker(&waker)).is_ready());
}

struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("on purpose");
    }
}

pub fn a_waker_that_panics_keeps_no_other_from_being_woken() {
    quiet_panics();
    let hub = hub(Signal::USR1);
    for _ in 0..20 {
        let mut subscribers: Vec<_> = (0..3).map(|_| subscribe(&hub, Signal::USR1)).collect();
        let mut last = subscribe(&hub, Signal::USR1);
        for subscriber in &mut subscribers {
            assert!(is_pending(subscriber, Waker::from(Arc::new(Panics))));
        }
        let (told, tell) = mpsc::channel();
        let thread = thread::spawn(move || {
            told.send(()).expect("the case");
            blocking(&mut last)
        });
        tell.recv().expect("the thread");
        send(Signal::USR1);
        assert_eq!(thread.join().expect("no panic"), Signal::USR1);
        assert!(subscribers.iter_mut().all(|one| is_unread(one) == Some(Signal::USR1)));
    }
}

pub fn executors_of_any_kind() {
    let set = SignalSet::from([Signal::USR1, Signal::USR2]);
    let hub = hub(set);
    let mut subscribers = [(); 3].map(|()| subscribe(&hub, set));
    let (told, tell) = mpsc::channel();
    let [one, other, third] = &mut subscribers;
    thread::scope(|scope| {
        let told = &told;
        let run = |subscriber: &mut Subscriber| {
            for signal in [Signal::USR1, Signal::USR2, Signal::USR1] {
                let event = harness::elsewhere::block_on(subscriber.recv()).expect("recv");
                assert_eq!(event.signal(), signal);
                told.send(()).expect("the case");
            }
        };
        scope.spawn(move || run(one));
        scope.spawn(move || run(other));
        scope.spawn(move || {
            for _ in 0..3 {
                blocking(third);
                told.send(()).expect("the case");
            }
        });
        for signal in [Signal::USR1, Signal::USR2, Signal::USR1] {
            send(signal);
            (0..3).for_each(|_| tell.recv().expect("a subscriber"));
        }
    });
}
