//! Changing a receiver's set: all or nothing, the descriptor stays, what stays is not touched.
//!
//! What a removed signal does is `drop.rs`, what a refusal leaves is `errors.rs`.

mod harness;
#[path = "update/shared.rs"]
mod shared;

use std::os::fd::AsRawFd;
use std::thread;

use harness::kernel::KERNEL;
use harness::{
    End, Worker, blocked_by, descriptors, eventually, hits, open, raw_block, raw_mask, received,
    send,
};
use harness::{set_counting, set_ignored, wait_for_death};
use shared::*;
use signal_source::{Disposition, Signal, SignalSet, Signals, mask};

fn main() {
    harness::main(
        cases![
            adds,
            removes,
            removed_signals_act_again => End::DiesOf(Signal::USR1),
            replaces_all,
            the_same_set_changes_nothing,
            keeps_what_is_pending,
            receives_what_was_pending_before_it_was_added,
            keeps_the_descriptor,
            many_times,
            frees_what_it_removes_for_others,
            takes_over_from_another_receiver,
            elsewhere,
            elsewhere_then_dropped_at_home,
            adds_what_was_dropped_elsewhere,
            back_and_forth_on_two_threads,
            while_another_thread_waits,
            by_several_threads_at_once,
            while_threads_are_in_recv,
            between_the_waits_of_others,
            chld_comes_and_goes,
            waits_for_children,
        ],
        roles![],
    );
}

const USR1: Signal = Signal::USR1;
const USR2: Signal = Signal::USR2;

/// Origin: signal-hook `add_signal_after_creation` (R11)
fn adds() {
    let signals = open(USR1);
    signals.update([USR1, USR2]).expect("update");
    assert_eq!(signals.set(), SignalSet::from([USR1, USR2]));
    assert_eq!(raw_mask(), blocked_by([USR1, USR2]));
    send(USR1);
    assert_eq!(received(&signals), [USR1]);
    send(USR2);
    assert_eq!(received(&signals), [USR2]);
    drop(signals);
    assert_eq!(raw_mask(), SignalSet::EMPTY);
}

fn removes() {
    set_counting(USR1);
    let signals = open([USR1, USR2]);
    send(USR1);
    send(USR2);
    signals.update(USR2).expect("update");
    assert_eq!(hits(USR1), 1);
    assert_eq!(signals.set(), SignalSet::from(USR2));
    assert_eq!(raw_mask(), blocked_by(USR2));
    assert_eq!(received(&signals), [USR2]);
    send(USR1);
    assert_eq!(hits(USR1), 2);
    drop(signals);
    assert_eq!(raw_mask(), SignalSet::EMPTY);
}

/// Origin: uvloop `signals_and_custom_handler_1` (P28)
fn removed_signals_act_again() {
    let signals = open([USR1, USR2]);
    for signal in [USR1, USR1, USR2] {
        send(signal);
        assert_eq!(received(&signals), [signal]);
    }
    signals.update(USR2).expect("update");
    send(USR2);
    assert_eq!(received(&signals), [USR2]);
    send(USR1);
    wait_for_death();
}

fn replaces_all() {
    set_counting(USR1);
    let signals = open(USR1);
    signals.update(USR2).expect("update");
    assert_eq!(raw_mask(), blocked_by(USR2));
    send(USR1);
    send(USR2);
    assert_eq!(hits(USR1), 1);
    assert_eq!(received(&signals), [USR2]);
}

fn the_same_set_changes_nothing() {
    set_counting(USR1);
    let signals = open([USR1, USR2]);
    send(USR1);
    for _ in 0..10 {
        signals.update([USR2, USR1]).expect("update");
    }
    thread::scope(|scope| {
        scope.spawn(|| signals.update([USR1, USR2]).expect("elsewhere too"));
    });
    assert_eq!(hits(USR1), 0);
    assert_eq!(received(&signals), [USR1]);
    assert_eq!(raw_mask(), blocked_by([USR1, USR2]));
    drop(signals);
    assert_eq!(raw_mask(), SignalSet::EMPTY);
}

fn keeps_what_is_pending() {
    let signals = open([USR1, USR2]);
    for round in 0..100 {
        send(USR1);
        let other = if round % 2 == 0 { Signal::HUP } else { USR2 };
        signals.update([USR1, other]).expect("update");
        assert_eq!(received(&signals), [USR1]);
    }
}

/// Origin: libkqueue `signal_get_pending` (K18), for a signal that the program blocks itself
fn receives_what_was_pending_before_it_was_added() {
    let signals = open(USR1);
    let guard = mask::block([USR2, Signal::WINCH]).expect("block");
    send(USR2);
    signals.update([USR1, USR2, Signal::WINCH]).expect("update");
    assert_eq!(received(&signals), [USR2]);
    drop(guard);
    send(USR2);
    assert_eq!(received(&signals), [USR2], "no guard is needed now");
    drop(signals);
    assert_eq!(raw_mask(), SignalSet::EMPTY);
}

fn keeps_the_descriptor() {
    let signals = open(USR1);
    let (descriptor, open) = (signals.as_raw_fd(), descriptors());
    for set in [SignalSet::from(USR2), SignalSet::all(), USR1.into()] {
        signals.update(set).expect("update");
        assert_eq!((signals.as_raw_fd(), descriptors()), (descriptor, open));
    }
    drop(signals);
    assert!(descriptors() < open);
}

fn many_times() {
    let all: Vec<Signal> = SignalSet::all().iter().collect();
    let signals = open(USR1);
    for round in 0..500 {
        let set: SignalSet = (0..5).map(|step| all[(round * 7 + step * 3) % all.len()]).collect();
        signals.update(set).expect("update");
        assert_eq!(raw_mask(), blocked_by(set));
        Signals::new(set).expect_err("taken");
    }
    drop(signals);
    assert_eq!(raw_mask(), SignalSet::EMPTY);
    drop(open(SignalSet::all()));
}

fn frees_what_it_removes_for_others() {
    let one = open([USR1, USR2]);
    one.update(USR1).expect("update");
    let two = open(USR2);
    send(USR1);
    send(USR2);
    assert_eq!((received(&one), received(&two)), (vec![USR1], vec![USR2]));
    one.update([USR1, USR2]).expect_err("taken");
    drop(two);
    one.update([USR1, USR2]).expect("free again");
}

fn takes_over_from_another_receiver() {
    let (one, two) = (open(USR1), open([USR2, Signal::HUP]));
    two.update(Signal::HUP).expect("give");
    one.update([USR1, USR2]).expect("take");
    send(USR2);
    assert_eq!(received(&one), [USR2]);
    drop(one);
    assert_eq!(raw_mask(), blocked_by(Signal::HUP));
    drop(two);
    assert_eq!(raw_mask(), SignalSet::EMPTY);
}

/// Where a mask counts, the others must block what is added.
fn elsewhere() {
    set_counting(USR1);
    let mut signals = open(USR1);
    let worker = Worker::start("worker");
    if KERNEL.masked {
        signals = worker.run(move || {
            let refused = signals.update([USR1, USR2]).expect_err("main does not block USR2");
            assert!(refused.to_string().contains("SIGUSR2"), "{refused}");
            assert_eq!((signals.set(), raw_mask()), (USR1.into(), USR1.into()));
            signals
        });
    }
    let guard = mask::block(USR2).expect("block");
    let signals = worker.run(move || {
        signals.update([USR1, USR2]).expect("main blocks USR2");
        assert_eq!(raw_mask(), blocked_by([USR1, USR2]));
        signals
    });
    drop(guard);
    send(USR2);
    send(USR1);
    let mut both = received(&signals);
    both.sort();
    assert_eq!(both, [USR1, USR2]);
    drop(signals);
    assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
    // The worker inherited USR1 and blocked USR2 itself: only that is put back.
    assert_eq!(worker.run(|| mask::current().expect("mask")), blocked_by(USR1));
}

fn elsewhere_then_dropped_at_home() {
    set_counting(USR1);
    let signals = open([USR1, USR2]);
    send(USR1);
    let signals = thread::spawn(move || signals.update(USR2).map(|()| signals)).join();
    let signals = signals.expect("no panic").expect("update");
    eventually("the handler runs", || hits(USR1) == 1);
    drop(signals);
    assert_eq!(raw_mask(), SignalSet::EMPTY);
    send(USR1);
    eventually("the handler runs here", || hits(USR1) == 2);
}

/// A signal that the crate lets in since a drop elsewhere is blocked again where it is added.
fn adds_what_was_dropped_elsewhere() {
    set_counting(USR1);
    let worker = Worker::start("worker");
    worker.run(|| raw_block(SignalSet::all()));
    let signals = open(USR2);
    for _ in 0..100 {
        let other = open(USR1);
        worker.run(|| drop(other));
        signals.update([USR1, USR2]).expect("update");
        send(USR1);
        assert_eq!(received(&signals), [USR1]);
        signals.update(USR2).expect("update");
    }
    assert_eq!(hits(USR1), 0);
    assert_eq!(raw_mask(), blocked_by(USR2));
}

fn back_and_forth_on_two_threads() {
    [USR1, USR2].into_iter().for_each(set_counting);
    let worker = Worker::start("worker");
    worker.run(|| raw_block(SignalSet::all()));
    let mut signals = open([USR1, USR2]);
    for round in 1..=100 {
        send(USR1);
        signals = worker.run(move || {
            signals.update(USR2).expect("update");
            signals
        });
        eventually("what was removed acts", || hits(USR1) == round);
        send(USR2);
        assert_eq!(received(&signals), [USR2]);
        signals.update([USR1, USR2]).expect("update");
    }
    worker.run(|| drop(signals));
    assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
}

/// A thread that waits for the descriptor sees what is added.
fn while_another_thread_waits() {
    let guard = mask::block(USR2).expect("block");
    let signals = open(USR1);
    let descriptor = std::os::fd::AsFd::as_fd(&signals).try_clone_to_owned().expect("a copy");
    let waiting = thread::spawn(move || harness::readable(&descriptor));
    signals.update([USR1, USR2]).expect("update");
    send(USR2);
    waiting.join().expect("no panic");
    assert_eq!(received(&signals), [USR2]);
    drop(guard);
}

/// CHLD that was ignored is received while it is in the set, and ignored again after.
fn chld_comes_and_goes() {
    set_ignored(Signal::CHLD);
    let disposition = || Signal::CHLD.disposition().expect("a disposition");
    let signals = open(USR1);
    for _ in 0..10 {
        signals.update([USR1, Signal::CHLD]).expect("update");
        assert_eq!(disposition(), Disposition::Default);
        signals.update(Signal::CHLD).expect("update");
        assert_eq!(disposition(), Disposition::Default, "still in the set");
        signals.update(USR1).expect("update");
        assert_eq!(disposition(), Disposition::Ignore);
    }
    let signals = open(Signal::CHLD);
    thread::scope(|scope| {
        let elsewhere = scope.spawn(|| signals.update(Signal::CHLD).map(|()| signals));
        drop(elsewhere.join().expect("no panic").expect("update"));
    });
    assert_eq!(disposition(), Disposition::Ignore);
}

/// Inherited as ignored, CHLD is received for children that end, and they can be waited for.
fn waits_for_children() {
    for ignored in [true, false] {
        if ignored {
            set_ignored(Signal::CHLD);
        } else {
            harness::set_default(Signal::CHLD);
        }
        let before = Signal::CHLD.disposition().expect("a disposition");
        let signals = open(Signal::CHLD);
        let children: Vec<_> = (0..3).map(|_| harness::fork(|| ())).collect();
        let first = signals.recv().expect("recv");
        assert_eq!(first.signal(), Signal::CHLD);
        for child in children {
            assert!(harness::wait(child).success(), "it waited to be asked for");
        }
        // Of each child's end; one that is unread is forgotten, ignored or not.
        send(Signal::CHLD);
        drop(signals);
        assert_eq!(Signal::CHLD.disposition().expect("a disposition"), before);
        if KERNEL.discards_blocked_by_default || (ignored && !KERNEL.masked) {
            continue; // such a kernel keeps nothing pending that would be ignored
        }
        // What was blocked by the program itself stays pending, ignored or not.
        let guard = mask::block(Signal::CHLD).expect("block");
        let signals = open(Signal::CHLD);
        send(Signal::CHLD);
        drop(signals);
        let signals = open(Signal::CHLD);
        assert_eq!(received(&signals), [Signal::CHLD]);
        drop((signals, guard));
    }
}
