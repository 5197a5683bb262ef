//! What the receiver receives: the union of what its subscribers do.

use crate::harness::{hits, send, set_counting};
use crate::{blocking, hub, is_unread, next, read_queue, runtime, start_waiting, subscribe};
use signal_source::tokio::SignalHub;
use signal_source::{OpenError, Signal, SignalSet, Signals, mask};

// origin: signal-hook add_signal_after_creation (R11)
pub fn a_subscriber_for_another_signal_widens() {
    let hub = hub(Signal::USR1);
    let mut usr1 = subscribe(&hub, Signal::USR1);
    let runtime = runtime();
    runtime.block_on(start_waiting(&mut usr1));
    let mut usr2 = subscribe(&hub, Signal::USR2);
    assert_eq!(hub.set(), SignalSet::from([Signal::USR1, Signal::USR2]));
    send(Signal::USR2);
    send(Signal::USR1);
    assert_eq!(runtime.block_on(next(&mut usr2)), Signal::USR2);
    assert_eq!(runtime.block_on(next(&mut usr1)), Signal::USR1);
}

/// It came while no part of the hub received it, and did not act: as for a receiver that is opened.
pub fn what_is_pending_when_it_widens_is_received() {
    let hub = hub(Signal::USR1);
    for _ in 0..3 {
        let mut usr1 = subscribe(&hub, Signal::USR1);
        let guard = mask::block([Signal::USR2, Signal::HUP]).expect("block");
        send(Signal::USR2);
        let mut usr2 = subscribe(&hub, [Signal::USR1, Signal::USR2]);
        assert_eq!(blocking(&mut usr2), Signal::USR2);
        assert!(usr2.try_recv().expect("recv").is_none());
        send(Signal::HUP);
        usr1.update([Signal::USR1, Signal::HUP]).expect("widened");
        assert_eq!(blocking(&mut usr1), Signal::HUP);
        drop((usr1, usr2));
        // Closed now: the next round opens it again.
        send(Signal::USR2);
        let mut usr2 = subscribe(&hub, Signal::USR2);
        assert_eq!(blocking(&mut usr2), Signal::USR2);
        drop(usr2);
        drop(guard);
    }
}

pub fn the_last_subscriber_of_a_signal_narrows() {
    set_counting(Signal::USR2);
    let hub = hub([Signal::USR1, Signal::USR2]);
    let mut usr1 = subscribe(&hub, Signal::USR1);
    // What has no subscriber yet is kept for subscribers to come.
    assert_eq!(hub.set().len(), 2);
    let (one, other) = (subscribe(&hub, Signal::USR2), subscribe(&hub, Signal::USR2));
    drop(one);
    assert_eq!(hub.set().len(), 2);
    drop(other);
    assert_eq!(hub.set(), Signal::USR1.into());
    send(Signal::USR2);
    assert_eq!(hits(Signal::USR2), 1);
    send(Signal::USR1);
    assert_eq!(blocking(&mut usr1), Signal::USR1);
}

pub fn the_last_subscriber_closes() {
    let hub = hub([Signal::INT, Signal::TERM]);
    drop(subscribe(&hub, Signal::TERM));
    assert!(hub.set().is_empty());
    send(Signal::INT);
}

pub fn closes_and_opens_again() {
    set_counting(Signal::USR1);
    let hub = hub(Signal::USR1);
    for round in 0..5 {
        let mut subscriber = subscribe(&hub, Signal::USR1);
        send(Signal::USR1);
        assert_eq!(runtime().block_on(next(&mut subscriber)), Signal::USR1);
        drop(subscriber);
        assert_eq!(hits(Signal::USR1), round);
        send(Signal::USR1);
        assert_eq!(hits(Signal::USR1), round + 1);
    }
}

pub fn without_a_hub_nothing_is_reserved() {
    set_counting(Signal::USR2);
    let hub = hub([Signal::USR1, Signal::USR2]);
    let mut usr1 = subscribe(&hub, Signal::USR1);
    send(Signal::USR2);
    let other = hub.clone();
    drop(hub);
    assert_eq!(hits(Signal::USR2), 0);
    drop(other);
    assert_eq!(hits(Signal::USR2), 1);
    send(Signal::USR1);
    assert_eq!(blocking(&mut usr1), Signal::USR1);
}

pub fn dropping_an_unused_hub_closes() {
    set_counting(Signal::USR1);
    let hub = hub(Signal::USR1);
    send(Signal::USR1);
    assert_eq!(hits(Signal::USR1), 0);
    drop(hub);
    assert_eq!(hits(Signal::USR1), 1);
}

pub fn a_set_changes() {
    set_counting(Signal::USR1);
    let hub = hub(Signal::USR1);
    let mut subscriber = subscribe(&hub, Signal::USR1);
    subscriber.update([Signal::USR1, Signal::USR2]).expect("update");
    for signal in [Signal::USR1, Signal::USR2] {
        send(signal);
        assert_eq!(blocking(&mut subscriber), signal);
    }
    subscriber.update(Signal::USR2).expect("update");
    assert_eq!((subscriber.set(), hub.set()), (Signal::USR2.into(), Signal::USR2.into()));
    send(Signal::USR1);
    assert_eq!(hits(Signal::USR1), 1);
    send(Signal::USR2);
    assert_eq!(blocking(&mut subscriber), Signal::USR2);
    assert!(matches!(subscriber.update(SignalSet::EMPTY), Err(OpenError::Empty)));
    assert!(matches!(subscriber.update(Signal::KILL), Err(OpenError::NotReceivable(Signal::KILL))));
    assert_eq!(subscriber.set(), Signal::USR2.into());
}

pub fn a_removed_signal_acts_unread() {
    set_counting(Signal::USR1);
    let set = [Signal::USR1, Signal::USR2];
    let hub = hub(set);
    let mut subscriber = subscribe(&hub, set);
    send(Signal::USR1);
    read_queue(&hub, Signal::USR2);
    subscriber.update(Signal::USR2).expect("update");
    assert_eq!(hits(Signal::USR1), 1);
    assert!(is_unread(&mut subscriber).is_none());
}

pub fn refuses_what_a_receiver_refuses() {
    assert!(matches!(SignalHub::new([]), Err(OpenError::Empty)));
    assert!(matches!(SignalHub::new(Signal::STOP), Err(OpenError::NotReceivable(Signal::STOP))));
    let hub = hub(Signal::USR1);
    assert!(matches!(SignalHub::new(Signal::USR1), Err(OpenError::AlreadyReceived(_))));
    assert!(matches!(hub.subscribe([]), Err(OpenError::Empty)));
    let _other = Signals::new(Signal::USR2).expect("open");
    assert!(matches!(hub.subscribe(Signal::USR2), Err(OpenError::AlreadyReceived(_))));
    assert!(matches!(
        hub.subscribe([Signal::USR1, Signal::KILL]),
        Err(OpenError::NotReceivable(Signal::KILL))
    ));
    assert_eq!(hub.set(), Signal::USR1.into());
    let mut subscriber = subscribe(&hub, Signal::USR1);
    send(Signal::USR1);
    assert_eq!(blocking(&mut subscriber), Signal::USR1);
}

#[cfg(target_os = "linux")]
#[tokio::main(worker_threads = 2)]
pub async fn is_refused_in_tokio_main() {
    match SignalHub::new(Signal::TERM) {
        Err(error @ OpenError::UnblockedThreads { .. }) => {
            assert!(error.to_string().contains("#[tokio::main]"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[cfg(target_os = "linux")]
pub fn widening_is_refused_while_a_thread_does_not_block() {
    let hub = hub(Signal::USR1);
    let mut usr1 = subscribe(&hub, Signal::USR1);
    let (end, wait_end) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || wait_end.recv().is_err());
    for _ in 0..2 {
        let refused = hub.subscribe([Signal::USR1, Signal::USR2]);
        assert!(matches!(refused, Err(OpenError::UnblockedThreads { .. })), "{refused:?}");
        let refused = usr1.update([Signal::USR1, Signal::USR2]);
        assert!(matches!(refused, Err(OpenError::UnblockedThreads { .. })), "{refused:?}");
    }
    assert_eq!((hub.set(), usr1.set()), (Signal::USR1.into(), Signal::USR1.into()));
    send(Signal::USR1);
    assert_eq!(blocking(&mut usr1), Signal::USR1);
    drop(end);
    thread.join().expect("no panic");
    usr1.update([Signal::USR1, Signal::USR2]).expect("update");
}
