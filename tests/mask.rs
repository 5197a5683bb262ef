//! Masks are put back exactly: what was blocked before stays so, in whatever order things go.

mod harness;
#[path = "mask/orders.rs"]
mod orders;
#[path = "mask/random.rs"]
mod random;

use std::thread;

// Without an audit: these cases look at each thread's own mask.
use harness::open_unaudited as open;
use harness::set_counting;
use harness::{
    Worker, blocked_by, eventually, hits, in_fork, raw_block, raw_mask, raw_unblock, send,
};
use orders::*;
use random::*;
use signal_source::{Signal, SignalSet, Signals, mask};

fn main() {
    harness::main(
        cases![
            put_back_exactly,
            two_receivers_of_different_signals,
            every_order,
            every_order_with_keep,
            keep_outlives_everything,
            keep_after_others,
            previous_is_the_mask_before,
            previous_after_a_drop_elsewhere,
            a_guard_blocks_what_it_is_told,
            kill_and_stop_cannot_be_blocked,
            numbers_of_the_c_library_are_left_out,
            the_opener_is_put_back_at_its_next_call,
            a_guard_on_main_for_a_worker,
            a_guard_in_a_thread_local,
            what_the_program_changes_itself,
            at_random_on_three_threads,
        ],
        roles![],
    );
}

const HUP: Signal = Signal::HUP;
const USR1: Signal = Signal::USR1;
const USR2: Signal = Signal::USR2;

/// Origin: mio-signals `cleanup` (R17)
fn put_back_exactly() {
    for before in [SignalSet::EMPTY, USR1.into(), SignalSet::from([USR1, HUP]), SignalSet::all()] {
        in_fork(|| {
            raw_block(before);
            let signals = open([USR1, USR2]);
            assert_eq!(raw_mask(), before | blocked_by([USR1, USR2]));
            drop(signals);
            assert_eq!(raw_mask(), before);
            let signals = open(SignalSet::all());
            thread::spawn(move || drop(signals)).join().expect("no panic");
            assert_eq!(mask::current().expect("mask"), before);
            assert_eq!(raw_mask(), before);
        });
    }
}

fn two_receivers_of_different_signals() {
    for first_goes_first in [true, false] {
        let (one, two) = (open(USR1), open([USR2, HUP]));
        assert_eq!(raw_mask(), blocked_by([USR1, USR2, HUP]));
        if first_goes_first {
            drop(one);
            assert_eq!(raw_mask(), blocked_by([USR2, HUP]));
            drop(two);
        } else {
            drop(two);
            assert_eq!(raw_mask(), blocked_by(USR1));
            drop(one);
        }
        assert_eq!(raw_mask(), SignalSet::EMPTY);
    }
}

fn keep_outlives_everything() {
    mask::block(USR1).expect("block").keep();
    assert_eq!(raw_mask(), USR1.into());
    let (signals, guard) = (open([USR1, USR2]), mask::block([USR1, HUP]).expect("block"));
    drop((signals, guard));
    assert_eq!(raw_mask(), USR1.into());
    assert_eq!(thread::spawn(raw_mask).join().expect("no panic"), USR1.into());
}

/// Kept while others hold it: they do not unblock it either.
fn keep_after_others() {
    let signals = open(USR1);
    let early = mask::block([USR1, USR2]).expect("block");
    mask::block(USR1).expect("block").keep();
    thread::spawn(move || drop(signals)).join().expect("no panic");
    drop(early);
    assert_eq!(mask::current().expect("mask"), USR1.into());
    send(USR1);
    // It is the program's to receive now.
    assert_eq!(open(USR1).recv().expect("recv").signal(), USR1);
}

fn previous_is_the_mask_before() {
    raw_block(HUP);
    let one = mask::block([USR1, HUP]).expect("block");
    let two = mask::block(USR2).expect("block");
    assert_eq!(one.previous(), HUP.into());
    assert_eq!(two.previous(), SignalSet::from([HUP, USR1]));
    drop(one);
    assert_eq!(two.previous(), SignalSet::from([HUP, USR1]), "as it was then");
    drop(two);
    assert_eq!(raw_mask(), HUP.into());
}

/// The mask that is still to be put back does not count as the one before.
fn previous_after_a_drop_elsewhere() {
    set_counting(USR1);
    let signals = open(USR1);
    thread::spawn(move || drop(signals)).join().expect("no panic");
    let guard = mask::block(USR1).expect("block");
    assert_eq!(guard.previous(), SignalSet::EMPTY);
    drop(guard);
    assert_eq!(raw_mask(), SignalSet::EMPTY);
    send(USR1);
    eventually("the handler runs", || hits(USR1) == 1);
}

fn a_guard_blocks_what_it_is_told() {
    set_counting(USR1);
    let guard = mask::block([USR1, Signal::SEGV]).expect("any but KILL and STOP");
    assert_eq!(raw_mask(), SignalSet::from([USR1, Signal::SEGV]));
    send(USR1);
    assert_eq!(hits(USR1), 0);
    drop(guard);
    assert_eq!(hits(USR1), 1);
    assert_eq!(raw_mask(), SignalSet::EMPTY);
    drop(mask::block(SignalSet::EMPTY).expect("nothing"));
}

fn kill_and_stop_cannot_be_blocked() {
    for signal in [Signal::KILL, Signal::STOP] {
        let error = mask::block([USR1, signal]).expect_err("no process can");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains(&signal.to_string()), "{error}");
        assert_eq!(raw_mask(), SignalSet::EMPTY, "nothing is blocked then");
    }
}

fn numbers_of_the_c_library_are_left_out() {
    let every: SignalSet = (1..=128).filter_map(Signal::from_raw).collect();
    let guard = mask::block(every - [Signal::KILL, Signal::STOP].into()).expect("block");
    let blocked = raw_mask();
    assert!((SignalSet::all() - blocked).is_empty(), "all that can be received");
    drop(guard);
    assert_eq!(raw_mask(), SignalSet::EMPTY);
}

fn the_opener_is_put_back_at_its_next_call() {
    let calls: [fn(); 6] = [
        || assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY),
        || drop(open(Signal::PROF)),
        || drop(mask::block(Signal::PROF).expect("block")),
        || drop(Signals::builder().audit(false).open(USR1).expect("open")),
        || {
            let signals = open(Signal::PROF);
            signals.update([Signal::PROF, Signal::VTALRM]).expect("update");
        },
        || mask::block(SignalSet::EMPTY).expect("block").keep(),
    ];
    for call in calls {
        let signals = open([USR1, USR2]);
        thread::spawn(move || drop(signals)).join().expect("no panic");
        assert_eq!(raw_mask(), blocked_by([USR1, USR2]), "only the thread itself can");
        call();
        assert_eq!(raw_mask(), SignalSet::EMPTY);
    }
    // A call that fails does not put less back.
    let signals = open([USR1, USR2]);
    thread::spawn(move || drop(signals)).join().expect("no panic");
    let taken = open(HUP);
    Signals::builder().audit(false).open([HUP, USR1]).expect_err("taken");
    assert_eq!(raw_mask(), blocked_by(HUP));
    drop(taken);
}

/// The guard goes first: what the worker receives must not act meanwhile.
fn a_guard_on_main_for_a_worker() {
    set_counting(USR1);
    let guard = mask::block(USR1).expect("block");
    let worker = Worker::start("worker");
    let signals = worker.run(|| Signals::new(USR1)).expect("open");
    drop(guard);
    assert_eq!(raw_mask(), blocked_by(USR1), "the receiver relies on it");
    for _ in 0..100 {
        send(USR1);
        assert_eq!(signals.recv().expect("recv").signal(), USR1);
    }
    assert_eq!(mask::current().expect("mask"), blocked_by(USR1));
    worker.run(|| drop(signals));
    send(USR1);
    eventually("the handler runs, somewhere", || hits(USR1) == 1);
    assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
    assert_eq!(raw_mask(), SignalSet::EMPTY);
}

/// Dropped by the thread's end, before or after the crate has noted that end.
fn a_guard_in_a_thread_local() {
    thread_local! {
        static KEPT: std::cell::RefCell<Option<mask::MaskGuard>> =
            const { std::cell::RefCell::new(None) };
    }
    for crate_first in [true, false] {
        let ended = thread::spawn(move || {
            if crate_first {
                drop(mask::block(HUP).expect("block"));
            }
            KEPT.with(|kept| assert!(kept.borrow().is_none()));
            KEPT.set(Some(mask::block([USR1, HUP]).expect("block")));
        });
        ended.join().expect("no panic");
    }
    set_counting(USR1);
    send(USR1);
    eventually("the handler runs", || hits(USR1) == 1);
    let signals = open([USR1, HUP]);
    send(USR1);
    assert_eq!(signals.recv().expect("recv").signal(), USR1);
}

/// What the program blocks or unblocks itself meanwhile is not fought over.
fn what_the_program_changes_itself() {
    let signals = open(USR1);
    raw_block(USR2);
    drop(signals);
    assert_eq!(raw_mask(), USR2.into());
    let guard = mask::block([USR1, USR2]).expect("block");
    raw_unblock(USR1);
    drop(guard);
    assert_eq!(raw_mask(), USR2.into());
}
