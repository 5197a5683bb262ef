//! Handlers that run on the thread that drops, and handlers that end the process.

use std::cell::RefCell;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;

use nix::libc;
use signal_source::{Signal, SignalSet, Signals, mask};

use crate::harness::kernel::KERNEL;
use crate::harness::{self, Worker, open, receives, send, set_exiting, set_sleeping};

const TERM: Signal = Signal::TERM;
const USR1: Signal = Signal::USR1;

/// Has a worker end a receiver of TERM, in whose handler the worker then sleeps; meanwhile main and
/// another thread use the crate.
fn while_the_opener_is_in_its_handler(end: fn(Signals)) {
    let latch = set_sleeping(TERM);
    let guard = mask::block([TERM, Signal::HUP, USR1]).expect("block");
    let ending = Worker::start("ending"); // inherits the block
    ending.run(|| drop(mask::block(USR1).expect("block"))); // it uses the crate
    let (opened, is_open) = channel();
    let (sent, is_sent) = channel();
    let opener = thread::spawn(move || {
        // The program has this thread let TERM in.
        harness::raw_unblock(TERM);
        let signals = open([TERM, Signal::HUP]);
        opened.send(()).expect("main waits");
        is_sent.recv().expect("main sends");
        end(signals);
    });
    is_open.recv().expect("it opens");
    send(TERM);
    sent.send(()).expect("the opener waits");
    latch.entered();
    drop(ending);
    let signals = open(USR1);
    receives(&signals);
    drop(signals);
    assert_eq!(mask::current().expect("mask"), SignalSet::from([TERM, Signal::HUP, USR1]));
    latch.release();
    opener.join().expect("no panic");
    drop(guard);
}

pub(crate) fn a_drop_that_runs_its_handler_holds_no_lock() {
    while_the_opener_is_in_its_handler(drop);
}

pub(crate) fn an_update_that_runs_its_handler_holds_no_lock() {
    while_the_opener_is_in_its_handler(|signals| {
        signals.update(Signal::HUP).expect("update");
        drop(signals);
    });
}

thread_local! {
    static KEPT: RefCell<Option<Signals>> = const { RefCell::new(None) };
}

/// Ends a thread that has a receiver of TERM in a thread-local variable, with TERM pending.
fn destroyed_with_its_thread(early: bool, open: impl FnOnce() -> Signals + Send + 'static) {
    set_exiting(TERM, 7);
    let (opened, is_open) = channel();
    let (sent, is_sent) = channel();
    let ending = thread::spawn(move || {
        if early {
            // Its destructor is noted before the crate's own, and so runs after it.
            KEPT.with(|kept| assert!(kept.borrow().is_none()));
        }
        KEPT.set(Some(open()));
        opened.send(()).expect("main waits");
        is_sent.recv().expect("main sends");
    });
    is_open.recv().expect("it opens");
    send(TERM);
    sent.send(()).expect("the thread waits");
    ending.join().expect("no panic");
    harness::wait_for_death();
}

pub(crate) fn a_handler_exits_while_a_thread_local_receiver_is_destroyed() {
    for early in [true, false] {
        let child = harness::fork(|| {
            let _guard = mask::block(TERM).expect("block");
            destroyed_with_its_thread(early, || {
                harness::raw_unblock(TERM);
                open(TERM)
            });
        });
        let status = harness::wait(child);
        assert_eq!(status.code(), Some(7), "{status}, early: {early}");
    }
}

pub(crate) fn a_handler_exits_while_a_receiver_is_destroyed_elsewhere() {
    let signals = open(TERM);
    destroyed_with_its_thread(true, || signals);
}

/// What the exit function joins.
static WORKER: Mutex<Option<Worker>> = Mutex::new(None);

extern "C" fn join_the_worker() {
    drop(WORKER.lock().expect("no panic").take());
}

/// The handler of TERM exits, and an exit function joins a thread that has used the crate.
fn joins_at_exit() {
    set_exiting(TERM, 7);
    let worker = Worker::start("worker");
    worker.run(|| {
        drop(mask::block(USR1).expect("block"));
        if !KERNEL.masked {
            // What is unread is sent to the process once more, and the thread that joins is to act.
            harness::raw_block(TERM);
        }
    });
    *WORKER.lock().expect("no panic") = Some(worker);
    // SAFETY: the function unwinds into nothing.
    assert_eq!(unsafe { libc::atexit(join_the_worker) }, 0);
}

pub(crate) fn an_exit_function_joins_a_thread_that_used_the_crate() {
    joins_at_exit();
    let signals = Signals::builder().audit(false).open(TERM).expect("open");
    // Directed at main: the worker lets TERM in.
    harness::raise(TERM);
    drop(signals);
    harness::wait_for_death();
}

pub(crate) fn an_exit_function_joins_it_after_a_drop_elsewhere() {
    let signals = open(TERM);
    joins_at_exit(); // the worker inherits the block
    send(TERM);
    let _ = thread::spawn(move || drop(signals)).join();
    harness::wait_for_death();
}
