//! A forked child: what it inherited is closed for it, and the parent does not notice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::harness::{self, raw_mask, send};
use crate::{blocking, hub, next, read_queue, runtime, start_waiting, subscribe};
use signal_source::tokio::{Shutdown, SignalHub};
use signal_source::{Signal, SignalSet};

pub fn a_forked_child_leaves_the_parent_receiving() {
    let hub = hub(Signal::USR1);
    let mut subscriber = subscribe(&hub, Signal::USR1);
    let shutdown = Shutdown::on(Signal::USR2).expect("open");
    let runtime = runtime();
    runtime.block_on(start_waiting(&mut subscriber));
    let waiter = shutdown.clone();
    let thread = thread::spawn(move || waiter.wait_blocking().expect("wait"));
    let mut inherited = Some((hub, subscriber, shutdown));
    harness::in_fork(|| {
        drop(inherited.take());
        assert!(raw_mask().is_empty(), "{:?}", raw_mask());
    });
    let (_hub, mut subscriber, _shutdown) = inherited.expect("the parent's");
    for _ in 0..3 {
        send(Signal::USR1);
        assert_eq!(runtime.block_on(next(&mut subscriber)), Signal::USR1);
    }
    send(Signal::USR2);
    assert_eq!(thread.join().expect("no panic").signal(), Some(Signal::USR2));
}

pub fn an_inherited_hub_says_what_to_do() {
    let hub = hub(Signal::USR1);
    let mut subscriber = subscribe(&hub, Signal::USR1);
    let shutdown = Shutdown::on(Signal::USR2).expect("open");
    runtime().block_on(start_waiting(&mut subscriber));
    harness::in_fork(|| {
        let errors = [
            subscriber.try_recv().expect_err("inherited").to_string(),
            subscriber.recv_blocking().expect_err("inherited").to_string(),
            runtime().block_on(subscriber.recv()).expect_err("inherited").to_string(),
            hub.subscribe(Signal::USR1).expect_err("inherited").to_string(),
            subscriber.update(Signal::USR2).expect_err("inherited").to_string(),
            shutdown.wait_blocking().expect_err("inherited").to_string(),
            runtime().block_on(shutdown.wait()).expect_err("inherited").to_string(),
        ];
        assert!(errors.iter().all(|error| error.contains("in this process")), "{errors:?}");
        assert!(!shutdown.is_triggered() && hub.set().is_empty());
        shutdown.trigger();
        assert!(shutdown.cause().is_none());
        drop((hub.clone(), shutdown.clone()));
        let _ = format!("{hub:?} {subscriber:?} {shutdown:?}");
    });
    send(Signal::USR1);
    assert_eq!(blocking(&mut subscriber), Signal::USR1);
}

pub fn a_forked_child_opens_its_own() {
    let parents = hub(Signal::USR1);
    let mut subscriber = subscribe(&parents, Signal::USR1);
    runtime().block_on(start_waiting(&mut subscriber));
    harness::in_fork(|| {
        let hub = hub([Signal::USR1, Signal::TERM]);
        let mut one = subscribe(&hub, Signal::USR1);
        let mut other = subscribe(&hub, Signal::TERM);
        for _ in 0..3 {
            send(Signal::USR1);
            assert_eq!(runtime().block_on(next(&mut one)), Signal::USR1);
            send(Signal::TERM);
            assert_eq!(blocking(&mut other), Signal::TERM);
        }
        // And its own child.
        harness::in_fork(|| {
            assert!(one.try_recv().is_err());
            let shutdown = Shutdown::new().expect("open");
            send(Signal::TERM);
            assert_eq!(shutdown.wait_blocking().expect("wait").signal(), Some(Signal::TERM));
        });
    });
    send(Signal::USR1);
    assert_eq!(blocking(&mut subscriber), Signal::USR1);
}

// A child must not wait for a lock that a thread holds which it has not inherited.
pub fn forked_while_other_threads_use_the_hub() {
    let set = SignalSet::from([Signal::USR1, Signal::USR2]);
    let hub = hub(set);
    let kept = subscribe(&hub, set);
    let stop = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let (hub, stop): (SignalHub, _) = (hub.clone(), stop.clone());
            thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    send(Signal::USR1);
                    read_queue(&hub, Signal::USR1);
                }
            })
        })
        .collect();
    let mut inherited = Some((hub, kept));
    for _ in 0..60 {
        harness::in_fork(|| {
            let (hub, mut kept) = inherited.take().expect("inherited");
            assert!(kept.try_recv().is_err());
            drop((kept, hub));
        });
    }
    stop.store(true, Ordering::SeqCst);
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    let (_hub, mut kept) = inherited.expect("the parent's");
    assert_eq!(blocking(&mut kept), Signal::USR1);
}
