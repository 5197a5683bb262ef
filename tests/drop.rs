//! Law 1 at the end of a receiver: what is unread acts as it would have before, however it ends.
//!
//! Each way to end a receiver is tried with every way that the signal might have acted.

#[path = "drop/ended_threads.rs"]
mod ended_threads;
#[path = "drop/guards.rs"]
mod guards;
mod harness;
#[path = "drop/stopping.rs"]
mod stopping;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use ended_threads::*;
use guards::*;
use harness::{Worker, eventually, fork_dies_of, hits, in_fork, quiet_panics, raw_mask};
use harness::{
    flags_of_chld, ignore_children_with_a_flag, open, send, set_counting, set_ignored,
    wait_for_death,
};
use signal_source::{Disposition, Signal, SignalSet, Signals, mask};
use stopping::*;

fn main() {
    harness::main(
        cases![
            the_whole_action_of_chld_comes_back,
            on_the_opener,
            elsewhere,
            elsewhere_on_a_thread_that_stays,
            in_a_panic,
            in_a_panic_elsewhere,
            removed_by_update,
            removed_by_update_elsewhere,
            all_removed_but_another_elsewhere,
            after_the_opener_has_ended,
            after_an_opener_that_alone_let_it_in,
            by_a_thread_that_is_ending,
            after_a_guard_that_came_first,
            after_a_guard_that_came_later,
            guard_last,
            guard_on_main_receiver_elsewhere,
            while_another_receiver_stays,
            twice_elsewhere,
            in_a_forked_child,
            #[cfg(all(target_os = "linux", target_env = "gnu"), "other C libraries allocate then")]
            when_no_thread_can_be_started,
            two_handlers_both_run,
            stop_signals_stop,
            stop_signals_stop_after_a_drop_elsewhere,
            by_ten_threads_at_once,
        ],
        roles![],
    );
}

/// Opens a receiver for the signal, lets the signals be sent, and ends the receiver.
type Way = fn(Signal, &dyn Fn());

fn acts_as_before(way: Way) {
    acts(way);
    a_later_receiver_has_it_all(way);
}

/// Tries everything that an unread signal, or one that comes later, may do.
fn acts(way: Way) {
    let term = Signal::TERM;
    // The earlier handler runs exactly once; and again for a later one.
    in_fork(|| {
        set_counting(term);
        way(term, &|| send(term));
        eventually("the handler runs", || hits(term) == 1);
        send(term);
        eventually("the handler runs again", || hits(term) == 2);
        assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
        assert_eq!(raw_mask(), SignalSet::EMPTY, "this thread's own mask is back");
        send(term);
        eventually("the handler runs here", || hits(term) == 3);
    });
    // Nothing unread: nothing acts.
    in_fork(|| {
        set_counting(term);
        way(term, &|| {});
        assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
        assert_eq!(hits(term), 0);
    });
    // Default: it kills, unread or later.
    fork_dies_of(term, || {
        way(term, &|| send(term));
        wait_for_death();
    });
    fork_dies_of(term, || {
        way(term, &|| {});
        send(term);
        wait_for_death();
    });
    // Ignored: nothing, unread or later.
    in_fork(|| {
        set_ignored(term);
        way(term, &|| send(term));
        send(term);
        assert_eq!(term.disposition().expect("a disposition"), Disposition::Ignore);
    });
    // Ignored by default.
    in_fork(|| {
        way(Signal::CHLD, &|| send(Signal::CHLD));
        assert_eq!(Signal::CHLD.disposition().expect("a disposition"), Disposition::Default);
    });
    every_real_time_instance_acts(way);
}

fn a_later_receiver_has_it_all(way: Way) {
    in_fork(|| {
        set_counting(Signal::TERM);
        way(Signal::TERM, &|| {});
        let signals = Signals::builder().audit(false).open(Signal::TERM).expect("open");
        send(Signal::TERM);
        assert_eq!(signals.recv().expect("recv").signal(), Signal::TERM);
        drop(signals);
        assert_eq!(hits(Signal::TERM), 0);
    });
}

/// Linux queues each with its payload; kqueue counts them, and hands back one.
#[cfg(target_os = "linux")]
fn every_real_time_instance_acts(way: Way) {
    in_fork(|| {
        let signal = Signal::rt(2).expect("a real-time signal");
        set_counting(signal);
        let send = |value| {
            signal_source::send::sigqueue(harness::pid(), signal, value)
                .expect("room in the queue");
        };
        way(signal, &|| (1..=3).for_each(send));
        eventually("the handler runs for each", || hits(signal) == 3);
        assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
        send(4);
        eventually("the handler runs again", || hits(signal) == 4);
    });
}

#[cfg(not(target_os = "linux"))]
fn every_real_time_instance_acts(_way: Way) {}

fn on_the_opener() {
    acts_as_before(|signal, sends| {
        let signals = open(signal);
        sends();
        drop(signals);
    });
}

fn elsewhere() {
    acts_as_before(|signal, sends| {
        let signals = open(signal);
        sends();
        thread::spawn(move || drop(signals)).join().expect("no panic");
    });
}

fn elsewhere_on_a_thread_that_stays() {
    acts_as_before(|signal, sends| {
        let signals = open(signal);
        let worker = Worker::start("worker");
        sends();
        worker.run(|| drop(signals));
        std::mem::forget(worker);
    });
}

fn in_a_panic() {
    quiet_panics();
    acts_as_before(|signal, sends| {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _signals = open(signal);
            sends();
            panic!("on purpose");
        }));
        assert!(panicked.is_err());
    });
}

fn in_a_panic_elsewhere() {
    quiet_panics();
    acts_as_before(|signal, sends| {
        let signals = open(signal);
        sends();
        let panicked = thread::spawn(move || {
            let _signals = signals;
            panic!("on purpose");
        });
        assert!(panicked.join().is_err());
    });
}

/// Origin: uvloop `signals_and_custom_handler_1` (P28)
fn removed_by_update() {
    acts_as_before(|signal, sends| {
        let signals = open([signal, Signal::USR1]);
        sends();
        send(Signal::USR1);
        signals.update(Signal::USR1).expect("update");
        assert_eq!(signals.recv().expect("recv").signal(), Signal::USR1, "what stays is kept");
        assert!(signals.try_recv().expect("try_recv").is_none());
    });
}

fn removed_by_update_elsewhere() {
    acts_as_before(|signal, sends| {
        let signals = open([signal, Signal::USR1]);
        sends();
        send(Signal::USR1);
        let elsewhere = thread::spawn(move || {
            signals.update(Signal::USR1).expect("update");
            signals
        });
        let signals = elsewhere.join().expect("no panic");
        assert_eq!(signals.recv().expect("recv").signal(), Signal::USR1, "what stays is kept");
        assert!(signals.try_recv().expect("try_recv").is_none());
    });
}

/// Opened on one thread, changed on another, dropped on a third.
fn all_removed_but_another_elsewhere() {
    acts_as_before(|signal, sends| {
        let guard = mask::block(Signal::USR1).expect("block");
        let signals = open(signal);
        sends();
        let changed = thread::spawn(move || {
            signals.update(Signal::USR1).expect("main blocks it");
            signals
        });
        let signals = changed.join().expect("no panic");
        drop(guard);
        send(Signal::USR1);
        assert_eq!(signals.recv().expect("recv").signal(), Signal::USR1);
        thread::spawn(move || drop(signals)).join().expect("no panic");
    });
}

fn while_another_receiver_stays() {
    acts_as_before(|signal, sends| {
        let signals = open(signal);
        let other = open([Signal::USR1, Signal::USR2]);
        sends();
        send(Signal::USR2);
        thread::spawn(move || drop(signals)).join().expect("no panic");
        assert_eq!(other.recv().expect("recv").signal(), Signal::USR2);
    });
}

fn twice_elsewhere() {
    acts_as_before(|signal, sends| {
        let signals = open(signal);
        let worker = Worker::start("worker");
        worker.run(|| drop(signals));
        let signals = open(signal);
        sends();
        worker.run(|| drop(signals));
        std::mem::forget(worker);
    });
}

/// The child's own receiver, in a child of a process that has dropped one elsewhere.
fn in_a_forked_child() {
    let signals = open([Signal::TERM, Signal::CHLD]);
    thread::spawn(move || drop(signals)).join().expect("no panic");
    acts_as_before(|signal, sends| {
        let signals = open(signal);
        sends();
        drop(signals);
    });
    acts_as_before(|signal, sends| {
        let signals = open(signal);
        sends();
        thread::spawn(move || drop(signals)).join().expect("no panic");
    });
}

/// Then the thread that drops lets them in, for good: better that one than none. (With other C
/// libraries nothing at all can be allocated then.)
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn when_no_thread_can_be_started() {
    acts(|signal, sends| {
        let signals = open(signal);
        let worker = Worker::start("worker");
        sends();
        worker.run(|| harness::without_memory(|| drop(signals)));
        std::mem::forget(worker);
    });
}

/// Origin: Trio `race_condition_on_exit` (P12, P15), asyncio's re-raise of each
fn two_handlers_both_run() {
    let set = [Signal::USR1, Signal::USR2];
    set.into_iter().for_each(set_counting);
    let signals = open(set);
    set.into_iter().for_each(send);
    drop(signals);
    assert_eq!(set.map(hits), [1, 1]);
    let signals = open(set);
    set.into_iter().for_each(send);
    thread::spawn(move || drop(signals)).join().expect("no panic");
    eventually("both run", || set.map(hits) == [2, 2]);
}

/// Origin: Go `NotifyContextSimultaneousStop` (G14)
fn the_whole_action_of_chld_comes_back() {
    ignore_children_with_a_flag();
    let before = flags_of_chld();
    drop(Signals::new(Signal::CHLD).expect("open"));
    assert_eq!(Signal::CHLD.disposition().expect("a disposition"), Disposition::Ignore);
    assert_eq!(flags_of_chld(), before);
}

fn by_ten_threads_at_once() {
    let signals = [Signal::HUP, Signal::INT, Signal::QUIT, Signal::USR1, Signal::USR2]
        .into_iter()
        .chain([Signal::ALRM, Signal::TERM, Signal::IO, Signal::PROF, Signal::VTALRM]);
    let signals: Vec<_> = signals.collect();
    signals.iter().copied().for_each(set_counting);
    for round in 1..=50 {
        let receivers: Vec<_> = signals.iter().map(|&signal| open(signal)).collect();
        signals.iter().copied().for_each(send);
        let droppers = receivers.into_iter().map(|one| thread::spawn(move || drop(one)));
        let droppers: Vec<_> = droppers.collect();
        droppers.into_iter().for_each(|dropper| dropper.join().expect("no panic"));
        eventually("each acts", || signals.iter().all(|&signal| hits(signal) == round));
        assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
    }
}
