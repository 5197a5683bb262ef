//! What signals do while no receiver has them: what they did before.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::thread;

use signal_source::tokio::Shutdown;
use signal_source::{Signal, mask, reserve, send as sending};
use tokio::runtime::Builder;

use crate::harness::kernel::KERNEL;
use crate::harness::{self, Worker, eventually, hits, open, raw_block, raw_mask, raw_pending};
use crate::harness::{received, receives, send, set_counting, set_default, set_ignored};
use crate::harness::{wait_for_death, wait_for_stop};

const TERM: Signal = Signal::TERM;

pub(crate) fn kills_while_there_is_no_receiver() {
    reserve(TERM).expect("reserve");
    let _worker = Worker::start("worker");
    send(TERM);
    wait_for_death();
}

pub(crate) fn kills_after_a_receiver() {
    reserve(TERM).expect("reserve");
    receives(&open(TERM));
    send(TERM);
    wait_for_death();
}

pub(crate) fn kills_after_a_receiver_elsewhere() {
    reserve(TERM).expect("reserve");
    let worker = Worker::start("worker");
    let signals = worker.run(|| open(TERM));
    receives(&signals);
    thread::spawn(move || drop(signals)).join().expect("no panic");
    send(TERM);
    wait_for_death();
}

/// The reservation is the process', not the thread's.
pub(crate) fn kills_after_the_thread_that_reserved_has_ended() {
    // With kqueue a receiver needs no block, and a reservation lets nothing in that is blocked.
    if KERNEL.masked {
        mask::block(TERM).expect("block").keep();
    }
    thread::spawn(|| reserve(TERM).expect("reserve")).join().expect("no panic");
    send(TERM);
    wait_for_death();
}

pub(crate) fn kills_by_what_a_receiver_left_unread() {
    reserve([TERM, Signal::HUP]).expect("reserve");
    let signals = thread::spawn(|| open([TERM, Signal::HUP])).join().expect("no panic");
    send(Signal::HUP);
    drop(signals);
    wait_for_death();
}

pub(crate) fn kills_by_what_update_removed() {
    reserve([TERM, Signal::HUP]).expect("reserve");
    let signals = thread::spawn(|| open([TERM, Signal::HUP])).join().expect("no panic");
    send(Signal::HUP);
    signals.update(TERM).expect("update");
    wait_for_death();
}

pub(crate) fn kills_by_the_second_ctrl_c_after_a_shutdown() {
    reserve([Signal::INT, TERM]).expect("reserve");
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let shutdown = tokio::spawn(async { Shutdown::new().expect("open") });
        let shutdown = shutdown.await.expect("no panic");
        send(Signal::INT);
        assert_eq!(shutdown.wait().await.expect("wait").signal(), Some(Signal::INT));
        send(Signal::INT);
        wait_for_death();
    });
}

/// `raise` is directed at a thread, which blocks what is reserved: it stays pending there.
pub(crate) fn kills_by_exit_by_what_raise_left_pending() {
    reserve(TERM).expect("reserve");
    harness::raise(TERM); // kills where masks do not matter
    assert!(raw_pending().contains(TERM));
    signal_source::process::exit_by(TERM);
}

/// The role: reserves, says so, and waits to be stopped and ended.
pub(crate) fn stops(_: &[String]) {
    for signal in [Signal::TSTP, TERM] {
        set_default(signal);
    }
    reserve([Signal::TSTP, TERM]).expect("reserve");
    receives(&open([Signal::TSTP, TERM]));
    println!("READY");
    wait_for_death();
}

pub(crate) fn stops_and_goes_on() {
    let mut child = harness::role("stops", &[]).stdout(Stdio::piped()).spawn().expect("a role");
    let mut lines = BufReader::new(child.stdout.take().expect("piped"));
    lines.read_line(&mut String::new()).expect("a line");
    for _ in 0..2 {
        sending::kill(child.id(), Signal::TSTP).expect("kill");
        assert_eq!(wait_for_stop(child.id()), Signal::TSTP);
        sending::kill(child.id(), Signal::CONT).expect("kill");
    }
    sending::kill(child.id(), TERM).expect("kill");
    let status = child.wait().expect("a child");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(TERM.as_raw()));
    assert_eq!(lines.read_to_end(&mut Vec::new()).expect("the end"), 0);
}

pub(crate) fn an_earlier_handler_runs() {
    set_counting(TERM);
    reserve(TERM).expect("reserve");
    for round in 1..=20 {
        send(TERM);
        eventually("the handler runs", || hits(TERM) == round * 2 - 1);
        let signals = thread::spawn(|| open(TERM)).join().expect("no panic");
        receives(&signals);
        send(TERM);
        drop(signals);
        assert_eq!(hits(TERM), round * 2, "what was unread has acted");
    }
    if KERNEL.masked {
        assert!(raw_mask().contains(TERM), "it ran on the crate's own thread");
    }
}

pub(crate) fn a_later_handler_runs() {
    reserve(TERM).expect("reserve");
    set_counting(TERM);
    send(TERM);
    eventually("the handler runs", || hits(TERM) == 1);
    let signals = open(TERM);
    set_ignored(TERM);
    if KERNEL.masked {
        receives(&signals);
    }
    drop(signals);
    send(TERM);
    ignored(TERM);
    set_counting(TERM);
    send(TERM);
    eventually("the handler runs", || hits(TERM) == 2);
}

/// Where the crate's thread discards it, that takes a moment, in which a handler could still get it.
fn ignored(signal: Signal) {
    eventually("it is ignored", || !raw_pending().contains(signal));
}

pub(crate) fn ignored_stays_ignored() {
    set_ignored(Signal::HUP);
    reserve([Signal::HUP, TERM]).expect("reserve");
    send(Signal::HUP);
    let signals = thread::spawn(|| open(Signal::HUP)).join().expect("no panic");
    receives(&signals);
    send(Signal::HUP);
    drop(signals);
    send(Signal::HUP);
    ignored(Signal::HUP);
    set_counting(Signal::HUP);
    send(Signal::HUP);
    eventually("one acts", || hits(Signal::HUP) > 0);
    assert_eq!(hits(Signal::HUP), 1, "the others were ignored");
}

/// As documented: the crate's thread, which is inside a handler here, discards it when it gets on.
#[cfg(target_os = "linux")]
pub(crate) fn a_handler_may_come_before_it_is_ignored() {
    let latch = harness::set_sleeping(TERM);
    reserve(TERM).expect("reserve");
    send(TERM);
    latch.entered();
    set_ignored(TERM);
    send(TERM);
    assert!(raw_pending().contains(TERM));
    set_counting(TERM);
    assert_eq!(hits(TERM), 0);
    latch.release();
    eventually("the handler runs", || hits(TERM) == 1);
}

/// CHLD that is ignored: no child is left to wait for.
pub(crate) fn ignored_children_are_reaped() {
    harness::ignore_children_with_a_flag();
    let flags = harness::flags_of_chld();
    reserve(Signal::CHLD).expect("reserve");
    assert_eq!(harness::flags_of_chld(), flags);
    let reaped = || {
        let child = harness::fork(|| {});
        eventually("the kernel reaps it", || sending::kill(child, Signal::CONT).is_err());
    };
    reaped();
    let signals = thread::spawn(|| open(Signal::CHLD)).join().expect("no panic");
    let child = harness::fork(|| {});
    assert_eq!(signals.recv().expect("recv").signal(), Signal::CHLD);
    harness::wait(child);
    drop(signals);
    assert_eq!(harness::flags_of_chld(), flags);
    reaped();
}

pub(crate) fn a_guard_keeps_it_pending() {
    set_counting(TERM);
    reserve(TERM).expect("reserve");
    for round in 1..=20 {
        let guard = mask::block(TERM).expect("block");
        send(TERM);
        if KERNEL.masked {
            assert!(raw_pending().contains(TERM));
            assert_eq!(hits(TERM), round - 1);
        }
        drop(guard);
        eventually("it acts", || hits(TERM) == round);
    }
}

pub(crate) fn the_last_of_several_guards_lets_it_in() {
    set_counting(TERM);
    reserve(TERM).expect("reserve");
    let worker = Worker::start("worker");
    let here = mask::block(TERM).expect("block");
    let (there, wait) = std::sync::mpsc::channel::<()>();
    let (told, ready) = std::sync::mpsc::channel();
    let thread = thread::spawn(move || {
        let guard = mask::block(TERM).expect("block");
        told.send(()).expect("main waits");
        let _ = wait.recv();
        drop(guard);
    });
    ready.recv().expect("a guard");
    send(TERM);
    drop(here);
    worker.run(|| drop(mask::block(TERM).expect("block")));
    if KERNEL.masked {
        assert!(raw_pending().contains(TERM), "the thread's guard still holds");
        assert_eq!(hits(TERM), 0);
    }
    drop(there);
    thread.join().expect("no panic");
    eventually("it acts", || hits(TERM) == 1);
}

/// A guard that its thread takes to its end holds nothing any more.
pub(crate) fn a_guard_of_another_thread_keeps_it_pending() {
    set_counting(TERM);
    reserve(TERM).expect("reserve");
    let worker = Worker::start("worker");
    worker.run(|| std::mem::forget(mask::block(TERM).expect("block")));
    send(TERM);
    if KERNEL.masked {
        assert_eq!(hits(TERM), 0);
    }
    let signals = open(TERM);
    if KERNEL.masked {
        assert_eq!(received(&signals), [TERM], "a receiver takes what is pending");
        send(TERM);
        assert_eq!(received(&signals), [TERM]);
        send(TERM);
    }
    drop(signals);
    drop(worker); // with its guard
    eventually("it acts", || hits(TERM) == 1);
}

/// Blocked by the program itself, and pending: from now on the signal acts on the crate's thread.
pub(crate) fn pending_before_acts() {
    set_counting(TERM);
    raw_block(TERM);
    send(TERM);
    reserve(TERM).expect("reserve");
    if KERNEL.masked {
        eventually("it acts", || hits(TERM) == 1);
    }
    receives(&open(TERM));
}

pub(crate) fn pending_for_a_guard_is_received() {
    set_counting(TERM);
    let guard = mask::block(TERM).expect("block");
    send(TERM);
    reserve(TERM).expect("reserve");
    assert_eq!(hits(TERM), 0);
    let signals = thread::spawn(|| open(TERM)).join().expect("no panic");
    if KERNEL.shows_pending {
        assert_eq!(received(&signals), [TERM]);
    }
    drop(guard);
    assert_eq!(received(&signals), []);
    assert_eq!(hits(TERM), 0);
}
