//! Law 1, "never lost": what is sent to the process is received once, or acts as before.
//!
//! How a receiver ends is `drop.rs`; here is what happens while it is open, and what a later signal
//! finds.

#[path = "promise/dropped_elsewhere.rs"]
mod dropped_elsewhere;
#[path = "promise/fairness.rs"]
mod fairness;
mod harness;
#[path = "promise/kernel_rules.rs"]
mod kernel_rules;

use std::thread;

use dropped_elsewhere::*;
use fairness::*;
use harness::kernel::KERNEL;
use harness::{End, Worker, blocked_by, fork_dies_of, hits, open, raw_mask, received, send};
use harness::{set_counting, set_default, set_ignored, wait_for_death};
use kernel_rules::*;
use signal_source::{Disposition, Signal, SignalSet, mask};

fn main() {
    harness::main(
        cases![
            received_once,
            received_once_however_it_is_disposed_of,
            a_record_read_is_never_seen_twice,
            unread_at_drop_kills => End::DiesOf(Signal::TERM),
            a_later_signal_acts_after_a_drop_elsewhere => End::DiesOf(Signal::INT),
            opened_before_it_is_asked,
            merged_while_pending,
            nothing_is_pending,
            lowest_or_earliest_first,
            every_receivable_signal,
            default_ignored_signals_are_received,
            pending_before_it_opens,
            opened_again_and_again,
            a_signal_between_two_receivers_acts,
            another_receiver_gets_everything_after_a_drop_elsewhere,
            dropped_on_the_opener_after_a_drop_elsewhere,
            by_turns_on_two_threads,
            an_opener_that_has_ended_is_stood_in_for,
            a_handler_that_does_not_block_goes_on,
            a_handler_may_exit => End::Exits(7),
            a_handler_may_exit_elsewhere => End::Exits(7),
            kill_still_kills => End::DiesOf(Signal::KILL),
            stop_still_stops,
            a_real_fault_kills,
            abort_still_aborts,
            #[cfg(target_os = "linux", "no mask counts elsewhere")]
            an_unaudited_thread_takes_the_signal,
            #[cfg(target_os = "linux", "kqueue records both")]
            stop_and_cont_cancel_one_another,
            directed_at_a_thread,
            cont_after_the_end_does_nothing,
            a_low_flood_holds_back_a_higher_one,
            many_at_once_sees_all,
            a_receiver_of_its_own_goes_first,
        ],
        roles![],
    );
}

/// Origin: Go `TestStop` (G6), Trio `test_open_signal_receiver` (P5)
fn received_once() {
    let signals = open([Signal::USR1, Signal::USR2]);
    send(Signal::USR1);
    assert_eq!(signals.recv().expect("recv").signal(), Signal::USR1);
    assert!(signals.try_recv().expect("try_recv").is_none());
    send(Signal::USR1);
    assert_eq!(signals.recv().expect("recv").signal(), Signal::USR1);
    assert!(signals.try_recv().expect("try_recv").is_none());
    assert_eq!(raw_mask(), blocked_by([Signal::USR1, Signal::USR2]));
    drop(signals);
    assert_eq!(raw_mask(), SignalSet::EMPTY);
    assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
}

/// Origin: own probe 5 (blocked and ignored)
fn received_once_however_it_is_disposed_of() {
    for set in [set_default, set_ignored, set_counting] {
        set(Signal::HUP);
        let before = Signal::HUP.disposition().expect("a disposition");
        let signals = open(Signal::HUP);
        send(Signal::HUP);
        assert_eq!(received(&signals), [Signal::HUP], "{before:?}");
        drop(signals);
        assert_eq!(Signal::HUP.disposition().expect("a disposition"), before);
    }
    assert_eq!(hits(Signal::HUP), 0);
}

/// Origin: own probe C (consumed, then unblocked)
fn a_record_read_is_never_seen_twice() {
    set_counting(Signal::TERM);
    let worker = Worker::start("worker");
    worker.run(|| harness::raw_block(SignalSet::all()));
    for _ in 0..100 {
        let signals = open(Signal::TERM);
        send(Signal::TERM);
        assert_eq!(received(&signals), [Signal::TERM]);
        drop(signals);
        let signals = open(Signal::TERM);
        assert_eq!(received(&signals), []);
        send(Signal::TERM);
        assert_eq!(received(&signals), [Signal::TERM]);
        worker.run(|| drop(signals));
    }
    assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
    assert_eq!(hits(Signal::TERM), 0);
}

/// Origin: own probe B (unread, then unblocked)
fn unread_at_drop_kills() {
    let signals = open(Signal::TERM);
    send(Signal::TERM);
    drop(signals);
}

/// Origin: libevent `immediatesignal` (E3)
fn opened_before_it_is_asked() {
    let signals = open([Signal::USR1, Signal::USR2]);
    send(Signal::USR2);
    let sender = thread::spawn(|| send(Signal::USR1));
    sender.join().expect("no panic");
    let mut got = received(&signals);
    got.sort();
    assert_eq!(got, [Signal::USR1, Signal::USR2]);
}

/// Origin: own probes 1 and 16; asyncio's and Trio's bursts
fn merged_while_pending() {
    let signals = open(Signal::USR1);
    for _ in 0..5 {
        send(Signal::USR1);
    }
    let info = signals.recv().expect("recv");
    assert_eq!(info.count(), if KERNEL.counts { 5 } else { 1 });
    assert!(signals.try_recv().expect("try_recv").is_none());
}

/// Origin: mio-signals `receive_no_signal` (R20), gVisor `Nonblock` (K5)
fn nothing_is_pending() {
    let signals = open(Signal::USR1);
    assert!(signals.try_recv().expect("try_recv").is_none());
    let mut infos = Vec::new();
    assert_eq!(signals.try_recv_many(&mut infos, 64).expect("read"), 0);
    assert!(infos.is_empty() && infos.capacity() == 0);
    send(Signal::USR1);
    assert_eq!(signals.try_recv_many(&mut infos, 0).expect("limit 0"), 0, "reads nothing");
    assert_eq!(received(&signals), [Signal::USR1]);
    assert!(signals.try_recv().expect("try_recv").is_none());
}

/// Origin: a10's table of all signals; mio-signals `cleanup` (R17)
fn every_receivable_signal() {
    let before: Vec<_> = SignalSet::all().iter().map(Signal::disposition).map(Result::ok).collect();
    let signals = open(SignalSet::all());
    assert_eq!(raw_mask(), blocked_by(SignalSet::all()));
    for signal in SignalSet::all() {
        // What stops and what goes on cancel one another: so one at a time.
        send(signal);
        assert_eq!(received(&signals), [signal]);
    }
    drop(signals);
    assert_eq!(raw_mask(), SignalSet::EMPTY);
    let after: Vec<_> = SignalSet::all().iter().map(Signal::disposition).map(Result::ok).collect();
    assert_eq!(after, before);
}

/// Origin: Go `TestSIGCONT` (G8), own probes 5c and 5d
fn default_ignored_signals_are_received() {
    let mut set = SignalSet::from([Signal::CHLD, Signal::URG, Signal::WINCH]);
    if KERNEL.cont {
        set = set.with(Signal::CONT);
    }
    let signals = open(set);
    set.iter().for_each(send);
    assert_eq!(received(&signals).into_iter().collect::<SignalSet>(), set);
    // And dropped unread they vanish, as before.
    set.iter().for_each(send);
    drop(signals);
    assert_eq!(received(&open(set)), []);
}

/// Origin: libkqueue `signal_get_pending` (K18)
fn pending_before_it_opens() {
    let guard = mask::block([Signal::TERM, Signal::WINCH]).expect("block");
    send(Signal::TERM);
    let signals = open([Signal::TERM, Signal::WINCH]);
    assert_eq!(received(&signals), [Signal::TERM]);
    send(Signal::TERM);
    drop(signals);
    // Blocked before: it stays pending, and the next one receives it.
    let signals = open(Signal::TERM);
    assert_eq!(received(&signals), [Signal::TERM]);
    drop((signals, guard));
    assert_eq!(raw_mask(), SignalSet::EMPTY);
}

/// Origin: libevent `signal_dealloc` and `signal_pipeloss` (E5)
fn opened_again_and_again() {
    let before = harness::descriptors();
    for _ in 0..2000 {
        let signals = open([Signal::USR1, Signal::HUP]);
        send(Signal::USR1);
        assert_eq!(received(&signals), [Signal::USR1]);
    }
    assert_eq!(harness::descriptors(), before);
    assert_eq!(raw_mask(), SignalSet::EMPTY);
    assert_eq!(Signal::USR1.disposition().expect("a disposition"), Disposition::Default);
}

/// Deliberately unlike tokio's `drop_then_get_a_signal` (R3), where a later receiver gets it.
/// Also libevent `signal_assert` (E7), Go `TestNohup` and `TestReset` (G3, G7).
fn a_signal_between_two_receivers_acts() {
    fork_dies_of(Signal::HUP, || {
        drop(open(Signal::HUP));
        send(Signal::HUP);
        drop(open(Signal::HUP));
    });
    set_ignored(Signal::HUP);
    drop(open(Signal::HUP));
    send(Signal::HUP);
    assert_eq!(received(&open(Signal::HUP)), []);
    set_counting(Signal::HUP);
    drop(open(Signal::HUP));
    send(Signal::HUP);
    assert_eq!(received(&open(Signal::HUP)), []);
    assert_eq!(hits(Signal::HUP), 1);
}

/// Origin: epoll-shim `signal_disposition` (K11). On kqueue both happen, on Linux blocking wins.
fn a_handler_that_does_not_block_goes_on() {
    set_counting(Signal::USR1);
    let signals = open(Signal::USR2);
    send(Signal::USR1);
    assert_eq!(hits(Signal::USR1), 1);
    assert_eq!(received(&signals), []);
}

/// An earlier handler may end the process, tidily even: nothing of this crate keeps it.
fn a_handler_may_exit() {
    harness::set_exiting(Signal::TERM, 7);
    let signals = open(Signal::TERM);
    send(Signal::TERM);
    drop(signals);
    wait_for_death();
}
