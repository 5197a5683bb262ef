//! Waiting: what it needs, how it ends, what it leaves behind.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use crate::harness::{self, descriptors, elsewhere, send};
use crate::{blocking, hub, next, read_queue, runtime, start_waiting, subscribe};
use signal_source::Signal;
use signal_source::send::kill;
use signal_source::tokio::{HubEvent, Subscriber};

pub fn a_dropped_future_loses_nothing() {
    let mut subscriber = subscribe(&hub(Signal::USR1), Signal::USR1);
    runtime().block_on(async {
        for _ in 0..100 {
            start_waiting(&mut subscriber).await;
            send(Signal::USR1);
            // The reader thread finds it readable while the subscriber does not wait any more.
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            assert_eq!(next(&mut subscriber).await, Signal::USR1);
        }
    });
}

pub fn waits_no_longer_than_told() {
    let mut subscriber = subscribe(&hub(Signal::USR1), Signal::USR1);
    let recv = |subscriber: &mut Subscriber, timeout| {
        let event: Option<HubEvent> = subscriber.recv_timeout(timeout).expect("recv_timeout");
        event.map(|event| event.signal())
    };
    assert_eq!(recv(&mut subscriber, Duration::ZERO), None);
    assert_eq!(recv(&mut subscriber, Duration::from_millis(20)), None);
    send(Signal::USR1);
    assert_eq!(recv(&mut subscriber, Duration::ZERO), Some(Signal::USR1));
    send(Signal::USR1);
    assert_eq!(recv(&mut subscriber, Duration::MAX), Some(Signal::USR1));
}

// Waiting needs no reactor: neither tokio's nor any other executor's.
pub fn waits_without_a_runtime() {
    let mut subscriber = subscribe(&hub(Signal::USR1), Signal::USR1);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(pin!(subscriber.recv()).poll(&mut cx).is_pending());
    send(Signal::USR1);
    assert_eq!(elsewhere::block_on(next(&mut subscriber)), Signal::USR1);
    send(Signal::USR1);
    assert_eq!(blocking(&mut subscriber), Signal::USR1);
}

/// That interrupts what the reader thread waits in.
pub fn waits_on_after_a_stop() {
    let hub = hub(Signal::USR1);
    for _ in 0..3 {
        let mut subscriber = subscribe(&hub, Signal::USR1);
        let thread = thread::spawn(move || blocking(&mut subscriber));
        let own = harness::pid();
        harness::in_fork(|| {
            kill(own, Signal::STOP).expect("kill");
            thread::sleep(Duration::from_millis(100));
            kill(own, Signal::CONT).expect("kill");
        });
        send(Signal::USR1);
        assert_eq!(thread.join().expect("no panic"), Signal::USR1);
    }
}

pub fn waits_without_the_io_driver() {
    let mut subscriber = subscribe(&hub(Signal::USR1), Signal::USR1);
    let without = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    without.block_on(async {
        start_waiting(&mut subscriber).await;
        send(Signal::USR1);
        assert_eq!(next(&mut subscriber).await, Signal::USR1);
    });
    send(Signal::USR1);
    assert_eq!(blocking(&mut subscriber), Signal::USR1);
}

// The reader thread needs descriptors, once; the waiting itself none.
pub fn errors_without_descriptors_and_loses_nothing() {
    let hub = hub(Signal::USR1);
    let (mut subscriber, mut waiting) =
        (subscribe(&hub, Signal::USR1), subscribe(&hub, Signal::USR1));
    let (one, other) = (runtime(), runtime());
    harness::without_descriptors(0, || {
        assert!(other.block_on(subscriber.recv()).is_err());
        assert!(subscriber.recv_blocking().is_err());
        send(Signal::USR1);
        assert_eq!(other.block_on(next(&mut subscriber)), Signal::USR1);
        assert_eq!(one.block_on(next(&mut waiting)), Signal::USR1);
    });
    one.block_on(start_waiting(&mut waiting));
    harness::without_descriptors(0, || {
        let thread = std::thread::spawn(|| send(Signal::USR1));
        assert_eq!(other.block_on(next(&mut subscriber)), Signal::USR1);
        assert_eq!(one.block_on(next(&mut waiting)), Signal::USR1);
        thread.join().expect("no panic");
    });
}

pub fn leaves_no_descriptor_behind() {
    let mut open = 0;
    for round in 0..20 {
        let hub = hub([Signal::USR1, Signal::USR2]);
        let mut subscribers = [Signal::USR1, Signal::USR2].map(|signal| subscribe(&hub, signal));
        let kept = runtime();
        send(Signal::USR1);
        kept.block_on(next(&mut subscribers[0]));
        send(Signal::USR1);
        assert_eq!(blocking(&mut subscribers[0]), Signal::USR1);
        send(Signal::USR2);
        runtime().block_on(async { next(&mut subscribers[1]).await });
        drop((subscribers, hub));
        drop(kept);
        if round == 0 {
            open = descriptors();
        }
    }
    // A waker keeps its runtime's descriptors open until the thread that woke it has dropped it.
    harness::eventually("all are closed", || descriptors() <= open);
}

pub fn debug_and_display() {
    fn is_shareable<T: Send + Sync + 'static>(_: &T) {}
    let hub = hub([Signal::TERM, Signal::HUP]);
    let mut subscriber = subscribe(&hub, Signal::HUP);
    is_shareable(&hub);
    is_shareable(&subscriber);
    assert_eq!(format!("{hub:?}"), "SignalHub { set: {SIGHUP, SIGTERM}, .. }");
    assert_eq!(format!("{subscriber:?}"), "Subscriber { set: {SIGHUP}, .. }");
    for _ in 0..3 {
        send(Signal::HUP);
        read_queue(&hub, Signal::HUP);
    }
    let event = subscriber.recv_blocking().expect("recv");
    assert_eq!(event.to_string(), format!("{}, 2 merged", event.info()));
}

#[cfg(feature = "stream")]
pub fn is_a_stream() {
    use futures_core::Stream;
    let mut subscriber = subscribe(&hub(Signal::USR1), Signal::USR1);
    runtime().block_on(async {
        send(Signal::USR1);
        let event =
            std::future::poll_fn(|cx| std::pin::Pin::new(&mut subscriber).poll_next(cx)).await;
        assert_eq!(event.expect("never ends").expect("recv").signal(), Signal::USR1);
    });
}
