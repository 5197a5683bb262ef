//! Forked children that go on without exec: they may open their own, and what they inherited takes
//! nothing from them nor from the parent.

mod harness;
#[path = "fork/threads.rs"]
mod threads;

use std::thread;

use harness::kernel::KERNEL;
use harness::{descriptors, fork_dies_of, hits, in_fork, open, raw_mask, received, receives, send};
use harness::{set_counting, set_ignored};
use signal_source::{Disposition, OpenError, Signal, SignalSet, Signals, mask};
use threads::*;

fn main() {
    harness::main(
        cases![
            the_child_opens_its_own,
            the_child_reads_its_own_from_what_it_inherited,
            dropping_what_was_inherited_takes_nothing_from_the_parent,
            dropping_what_was_inherited_takes_nothing_from_the_child,
            dropping_what_was_inherited_lets_it_act,
            inherited_guards,
            updating_what_was_inherited_is_an_error,
            the_parent_goes_on_whatever_the_child_does,
            what_is_pending_stays_with_the_parent,
            chld_ignored_before,
            grandchildren,
            a_child_of_another_thread,
            a_child_after_a_drop_elsewhere,
            while_another_thread_has_the_lock,
            threads_in_the_child,
            moved_to_a_thread_of_the_child,
        ],
        roles![],
    );
}

const USR1: Signal = Signal::USR1;
const USR2: Signal = Signal::USR2;

/// Origin: libevent `test_fork` (E11)
fn the_child_opens_its_own() {
    let signals = open([Signal::CHLD, USR2]);
    in_fork(|| {
        let own = open([USR1, USR2]);
        receives(&own);
    });
    assert_eq!(received(&signals), [Signal::CHLD], "of the child's end alone");
    receives(&signals);
}

/// Origin: own probe 8
fn the_child_reads_its_own_from_what_it_inherited() {
    let signals = open([USR1, USR2]);
    send(USR2);
    in_fork(|| {
        if KERNEL.inherits_descriptor {
            assert_eq!(received(&signals), [], "what is pending is the parent's");
            send(USR1);
            assert_eq!(received(&signals), [USR1]);
        } else {
            signals.try_recv().expect_err("kqueues are not inherited");
        }
    });
    assert_eq!(received(&signals), [USR2]);
}

fn dropping_what_was_inherited_takes_nothing_from_the_parent() {
    set_counting(USR1);
    let signals = open([USR1, USR2]);
    let signals = std::cell::Cell::new(Some(signals));
    in_fork(|| drop(signals.take()));
    let signals = signals.take().expect("the parent's own");
    receives(&signals);
    assert!(matches!(Signals::new(USR1), Err(OpenError::AlreadyReceived(_))));
    assert_eq!(hits(USR1), 0);
}

/// Origin: libevent's `event_reinit`: the child opens its own first, then lets go of the other.
fn dropping_what_was_inherited_takes_nothing_from_the_child() {
    [USR1, USR2].into_iter().for_each(set_counting);
    let signals = open([USR1, USR2]);
    let signals = std::cell::Cell::new(Some(signals));
    in_fork(|| {
        let own = open(USR1);
        drop(signals.take());
        // No receiver has USR2 now and it acts; USR1 is the child's.
        receives(&own);
        send(USR2);
        assert_eq!((hits(USR1), hits(USR2)), (0, 1));
        assert!(matches!(Signals::new(USR1), Err(OpenError::AlreadyReceived(_))));
        drop(own);
        assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
        send(USR1);
        assert_eq!(hits(USR1), 1);
        receives(&open([USR1, USR2]));
    });
    receives(&signals.take().expect("the parent's own"));
}

fn dropping_what_was_inherited_lets_it_act() {
    let signals = std::cell::Cell::new(Some(open(USR1)));
    fork_dies_of(USR1, || {
        drop(signals.take());
        assert_eq!(raw_mask(), SignalSet::EMPTY);
        send(USR1);
        harness::wait_for_death();
    });
    // On another thread too, and by a thread that is not the copy of the opener.
    fork_dies_of(USR1, || {
        let signals = signals.take();
        thread::spawn(move || drop(signals)).join().expect("no panic");
        send(USR1);
        harness::wait_for_death();
    });
    receives(&signals.take().expect("the parent's own"));
}

fn inherited_guards() {
    harness::raw_block(Signal::HUP);
    let guard = std::cell::Cell::new(Some(mask::block([USR1, Signal::HUP]).expect("block")));
    let signals = std::cell::Cell::new(Some(open(USR2)));
    in_fork(|| {
        drop(guard.take());
        assert_eq!(raw_mask() - USR2.into(), Signal::HUP.into());
        drop(signals.take());
        assert_eq!(raw_mask(), Signal::HUP.into());
    });
    in_fork(|| {
        guard.take().expect("inherited").keep();
        drop(signals.take());
        assert_eq!(raw_mask(), SignalSet::from([USR1, Signal::HUP]));
    });
    drop(guard.take());
    receives(&signals.take().expect("the parent's own"));
    drop(signals);
    assert_eq!(raw_mask(), Signal::HUP.into());
}

/// Origin: sd_event_add_signal, "in a forked child" (E16), own probe 7: it would change the parent's.
fn updating_what_was_inherited_is_an_error() {
    let signals = open(USR1);
    in_fork(|| {
        let before = (raw_mask(), descriptors());
        for set in [SignalSet::from([USR1, USR2]), USR2.into(), USR1.into()] {
            let error = signals.update(set).expect_err("inherited");
            assert!(error.to_string().contains("inherited"), "{error}");
            assert_eq!(
                (raw_mask(), descriptors(), signals.set()),
                (before.0, before.1, USR1.into())
            );
        }
        receives(&open([USR1, USR2]));
    });
    receives(&signals);
    signals.update([USR1, USR2]).expect("in the parent");
    receives(&signals);
}

fn the_parent_goes_on_whatever_the_child_does() {
    [USR1, USR2].into_iter().for_each(set_counting);
    let signals = open([USR1, USR2]);
    for _ in 0..20 {
        let child = harness::fork(|| {
            for _ in 0..10 {
                let own = open([USR1, USR2, Signal::HUP]);
                receives(&own);
                drop(own);
                thread::spawn(|| ()).join().expect("no panic");
            }
        });
        receives(&signals);
        signals.update(USR2).expect("update");
        receives(&signals);
        signals.update([USR1, USR2]).expect("update");
        assert!(harness::wait(child).success());
    }
    assert_eq!((hits(USR1), hits(USR2)), (0, 0));
}

/// Origin: own probe 10
fn what_is_pending_stays_with_the_parent() {
    set_counting(USR1);
    let signals = std::cell::Cell::new(Some(open(USR1)));
    send(USR1);
    in_fork(|| {
        drop(signals.take());
        assert_eq!(hits(USR1), 0, "nothing was sent to the child");
    });
    drop(signals.take());
    assert_eq!(hits(USR1), 1);
}

fn chld_ignored_before() {
    set_ignored(Signal::CHLD);
    let disposition = || Signal::CHLD.disposition().expect("a disposition");
    let signals = std::cell::Cell::new(Some(open(Signal::CHLD)));
    in_fork(|| {
        drop(signals.take());
        assert_eq!(disposition(), Disposition::Ignore);
    });
    in_fork(|| {
        let own = open(Signal::CHLD);
        drop(signals.take());
        assert_eq!(disposition(), Disposition::Default, "the child's own needs it");
        harness::wait(harness::fork(|| ()));
        assert_eq!(received(&own), [Signal::CHLD]);
        drop(own);
        assert_eq!(disposition(), Disposition::Ignore, "the last one puts it back");
    });
    assert_eq!(disposition(), Disposition::Default);
    drop(signals.take());
    assert_eq!(disposition(), Disposition::Ignore);
}

fn grandchildren() {
    let signals = open(USR1);
    in_fork(|| {
        let own = open(USR1);
        in_fork(|| {
            let own_too = open([USR1, USR2]);
            in_fork(|| receives(&open([USR1, USR2])));
            receives(&own_too);
        });
        receives(&own);
    });
    receives(&signals);
}
