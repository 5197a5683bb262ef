//! No signal is lost: what is sent is received, or acts; what one subscriber misses, it is told.

use std::thread;

use crate::harness::{hits, limit_pending, open, send, set_counting, set_sleeping};
use crate::real_time::{queue, rt};
use crate::{blocking, hub, is_unread, read_queue, subscribe};
use signal_source::tokio::SignalHub;
use signal_source::{Signal, Signals};

pub fn what_has_no_subscriber_stays_in_the_kernel() {
    set_counting(rt(0));
    let hub = hub([rt(0), Signal::USR1]);
    let mut usr1 = subscribe(&hub, Signal::USR1);
    for value in 0..1000 {
        queue(rt(0), value);
        if value % 100 == 0 {
            send(Signal::USR1);
            assert_eq!(blocking(&mut usr1), Signal::USR1);
        }
    }
    assert_eq!(hits(rt(0)), 0);
    drop((usr1, hub));
    assert_eq!(hits(rt(0)), 1000);
}

/// Has 1,000 real-time signals sent to a subscriber that does not read, while another one has
/// signals read all the time.
fn lag(hub: &SignalHub) {
    let mut usr1 = subscribe(hub, Signal::USR1);
    for value in 0..1000 {
        queue(rt(0), value);
        send(Signal::USR1);
        assert_eq!(blocking(&mut usr1), Signal::USR1);
    }
}

pub fn a_lagging_subscriber_dropped_unread_loses_none() {
    set_counting(rt(0));
    let hub = hub([rt(0), Signal::USR1]);
    let lagging = subscribe(&hub, rt(0));
    lag(&hub);
    drop((lagging, hub));
    assert_eq!(hits(rt(0)), 1000);
}

/// What is to act at the end has no room in the kernel's queue, while a handler of the program sleeps.
pub fn a_full_queue_at_the_end_loses_none() {
    let latch = set_sleeping(rt(0));
    // Another thread lets it in, so that what is dropped here waits for no handler.
    signal_source::reserve(rt(0)).expect("reserve");
    let hub = hub(rt(0));
    let stuck = subscribe(&hub, rt(0));
    for value in 0..250 {
        queue(rt(0), value);
        if value % 50 == 49 {
            read_queue(&hub, rt(0));
        }
    }
    limit_pending(8);
    drop((stuck, hub));
    for _ in 0..250 {
        latch.entered();
        latch.release();
    }
    assert!(open(rt(0)).try_recv().expect("try_recv").is_none(), "each once");
}

/// Nothing is read for two that are busy, only since another one waits for something else.
pub fn a_waiter_for_another_signal_has_nothing_missed() {
    let hub = hub([rt(0), Signal::USR1]);
    let mut usr1 = subscribe(&hub, Signal::USR1);
    let mut busy = [rt(0); 2].map(|signal| subscribe(&hub, signal));
    let waits = thread::spawn(move || assert_eq!(blocking(&mut usr1), Signal::USR1));
    (0..1000).for_each(|value| queue(rt(0), value));
    for value in 0..1000 {
        for one in &mut busy {
            let event = one.recv_blocking().expect("recv");
            assert_eq!((event.info().value(), event.dropped()), (Some(value), 0));
        }
    }
    for one in &mut busy {
        assert!(is_unread(one).is_none());
    }
    send(Signal::USR1);
    waits.join().expect("no panic");
    drop((busy, hub));
}

pub fn a_lagging_subscriber_alone_misses_none() {
    set_counting(rt(0));
    let hub = hub([rt(0), Signal::USR1]);
    let mut lagging = subscribe(&hub, rt(0));
    lag(&hub);
    for value in 0..1000 {
        let event = lagging.recv_blocking().expect("recv");
        assert_eq!((event.info().value(), event.dropped()), (Some(value), 0));
    }
    assert!(is_unread(&mut lagging).is_none());
    drop((lagging, hub));
    assert_eq!(hits(rt(0)), 0);
}

pub fn received_and_dropped_are_all_that_was_sent() {
    let hub = hub([rt(0), rt(1)]);
    let set = [rt(0), rt(1)];
    let (mut quick, mut slow) = (subscribe(&hub, set), subscribe(&hub, set));
    let mut told = 0;
    for value in 0..2000 {
        queue(rt(u8::from(value % 3 == 0)), value);
        assert_eq!(quick.recv_blocking().expect("recv").info().value(), Some(value));
        // One of five: it lags more and more.
        if value % 5 == 0 {
            told += 1 + slow.recv_blocking().expect("recv").dropped();
        }
    }
    while let Some(event) = slow.try_recv().expect("try_recv") {
        told += 1 + event.dropped();
    }
    assert_eq!(told, 2000);
}

pub fn an_update_tells_what_was_dropped() {
    let hub = hub([rt(0), Signal::USR1]);
    let mut stuck = subscribe(&hub, [rt(0), Signal::USR1]);
    let mut quick = subscribe(&hub, rt(0));
    let total = i32::try_from(SignalHub::QUEUE).expect("small") + 100;
    for value in 0..total {
        queue(rt(0), value);
        assert_eq!(quick.recv_blocking().expect("recv").info().value(), Some(value));
    }
    stuck.update(Signal::USR1).expect("update");
    send(Signal::USR1);
    let event = stuck.recv_blocking().expect("recv");
    assert_eq!((event.signal(), event.dropped()), (Signal::USR1, 100));
}

pub fn what_came_before_the_first_subscriber_does_not_vanish() {
    set_counting(rt(0));
    set_counting(Signal::USR1);
    let hub = hub([rt(0), Signal::USR1]);
    (0..10).for_each(|value| queue(rt(0), value));
    send(Signal::USR1);
    let mut subscriber = subscribe(&hub, [rt(0), Signal::USR1]);
    assert!(is_unread(&mut subscriber).is_none());
    send(Signal::USR1);
    queue(rt(0), 10);
    for _ in 0..2 {
        assert!(is_unread(&mut subscriber).is_some());
    }
    drop((subscriber, hub));
    assert_eq!((hits(rt(0)), hits(Signal::USR1)), (10, 1));
}

pub fn what_only_one_that_left_could_read_acts() {
    set_counting(Signal::USR1);
    let hub = hub(Signal::USR1);
    let leaves = subscribe(&hub, Signal::USR1);
    send(Signal::USR1);
    let mut stays = subscribe(&hub, Signal::USR1);
    drop(leaves);
    send(Signal::USR1);
    assert_eq!(blocking(&mut stays), Signal::USR1);
    drop((stays, hub));
    assert_eq!(hits(Signal::USR1), 1);
}

pub fn a_joining_subscriber_reads_one_batch() {
    let hub = hub(rt(0));
    let mut early = subscribe(&hub, rt(0));
    (0..200).for_each(|value| queue(rt(0), value));
    // 64 of them were surely sent before; the rest stays where it is, however long it takes.
    let mut late = subscribe(&hub, rt(0));
    assert_eq!(late.recv_blocking().expect("recv").info().value(), Some(64));
    let mut values = Vec::new();
    while let Some(event) = early.try_recv().expect("try_recv") {
        values.push(event.info().value());
        assert_eq!(event.dropped(), 0);
    }
    assert_eq!(values, (0..200).map(Some).collect::<Vec<_>>());
    read_queue(&hub, rt(0));
}

pub fn opens_again_without_an_audit_if_it_had_none() {
    let (end, wait_end) = std::sync::mpsc::channel::<()>();
    let thread = thread::spawn(move || wait_end.recv().is_err());
    let signals = Signals::builder().audit(false).open(Signal::USR1).expect("open");
    let hub = SignalHub::from(signals);
    drop(subscribe(&hub, Signal::USR1));
    assert!(hub.set().is_empty());
    let again = subscribe(&hub, Signal::USR1); // opens
    let wider = subscribe(&hub, Signal::USR2); // widens
    drop((again, wider, end));
    thread.join().expect("no panic");
}
