//! Children, spawned and forked, of a process that has reserved.

use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use signal_source::process::CommandExt;
use signal_source::{Signal, mask, reserve};

use crate::harness::kernel::KERNEL;
use crate::harness::wait_for_death;
use crate::harness::{Worker, eventually, fork, fork_dies_of, hits, in_fork, open, role};
use crate::harness::{raw_mask, raw_pending, receives, send, set_counting, set_default, wait};

const TERM: Signal = Signal::TERM;
const SET: [Signal; 2] = [Signal::TERM, Signal::USR1];

/// The role: says what it has inherited blocked.
#[cfg(target_os = "linux")]
pub(crate) fn inherits(_: &[String]) {
    print!(
        "{}",
        crate::harness::shown("SigBlk:").iter().map(|one| one.to_string()).collect::<String>()
    );
}

#[cfg(target_os = "linux")]
fn inherited(restore: bool) -> String {
    let mut command = crate::harness::role("inherits", &[]);
    if restore {
        command.restore_signals();
    }
    String::from_utf8(command.output().expect("a role").stdout).expect("text")
}

/// Role: sleeps.
pub(crate) fn sleeps(_: &[String]) {
    loop {
        thread::park();
    }
}

/// A child that sleeps is killed by TERM, and, where it can be seen, has nothing blocked.
pub(crate) fn children_see_nothing() {
    reserve(SET).expect("reserve");
    let worker = Worker::start("worker");
    let try_children = || {
        #[cfg(target_os = "linux")]
        assert_eq!(inherited(true), "");
        let mut child = role("sleeps", &[]).restore_signals().spawn().expect("a child");
        signal_source::send::kill(child.id(), TERM).expect("kill");
        assert_eq!(child.wait().expect("a child").signal(), Some(TERM.as_raw()));
    };
    try_children();
    worker.run(try_children);
    let signals = worker.run(|| open(SET));
    try_children();
    worker.run(try_children);
    drop(signals);
    try_children();
}

#[cfg(target_os = "linux")]
pub(crate) fn children_without_restore_inherit_the_block() {
    // In the order of their numbers, which MIPS has otherwise.
    let both: String =
        signal_source::SignalSet::from(SET).iter().map(|signal| signal.to_string()).collect();
    reserve(SET).expect("reserve");
    assert_eq!(inherited(false), both);
    drop(open(SET));
    assert_eq!(inherited(false), both);
}

pub(crate) fn a_forked_child_is_killed() {
    reserve(SET).expect("reserve");
    let killed = || {
        fork_dies_of(TERM, || {
            send(TERM);
            wait_for_death();
        });
    };
    killed();
    drop(open(SET));
    killed();
    thread::spawn(|| drop(open(SET))).join().expect("no panic");
    killed();
    // By another process.
    let child = fork(|| wait_for_death());
    signal_source::send::kill(child, TERM).expect("kill");
    assert_eq!(wait(child).signal(), Some(TERM.as_raw()));
}

pub(crate) fn a_child_forked_by_a_worker_is_killed() {
    reserve(SET).expect("reserve");
    let worker = Worker::start("worker");
    worker.run(|| {
        fork_dies_of(TERM, || {
            send(TERM);
            wait_for_death();
        });
    });
}

pub(crate) fn a_forked_child_runs_an_earlier_handler() {
    SET.into_iter().for_each(set_counting);
    reserve(SET).expect("reserve");
    in_fork(|| {
        SET.into_iter().for_each(send);
        eventually("they act", || SET.map(hits) == [1, 1]);
        assert!(raw_mask().is_empty(), "as before the reservation");
    });
    assert_eq!(SET.map(hits), [0, 0]);
}

pub(crate) fn a_forked_child_opens() {
    reserve(SET).expect("reserve");
    in_fork(|| {
        SET.into_iter().for_each(set_counting);
        receives(&open(SET));
        SET.into_iter().for_each(send);
        eventually("they act", || SET.map(hits) == [1, 1]);
        // Its own children, too.
        in_fork(|| receives(&open(SET)));
    });
    thread::spawn(|| receives(&open(SET))).join().expect("no panic");
}

pub(crate) fn a_forked_child_reserves() {
    reserve(SET).expect("reserve");
    in_fork(|| {
        SET.into_iter().for_each(set_counting);
        reserve(SET).expect("reserve");
        thread::spawn(|| receives(&open(SET))).join().expect("no panic");
        SET.into_iter().for_each(send);
        eventually("they act", || SET.map(hits) == [1, 1]);
        fork_dies_of(Signal::HUP, || {
            send(Signal::HUP);
            wait_for_death();
        });
    });
    fork_dies_of(TERM, || {
        reserve(SET).expect("reserve");
        send(TERM);
        wait_for_death();
    });
}

/// The forked thread's guard is the child's, too.
pub(crate) fn a_forked_child_keeps_what_a_guard_holds() {
    set_counting(TERM);
    reserve(SET).expect("reserve");
    let guard = mask::block(TERM).expect("block");
    let child = fork(|| {
        send(TERM);
        if KERNEL.masked {
            assert!(raw_pending().contains(TERM));
            assert_eq!(hits(TERM), 0);
        }
        // Only the thread that made the guard drops it: this one.
        drop(guard);
        eventually("it acts", || hits(TERM) == 1);
    });
    assert!(wait(child).success());
}

/// The child drops what it inherited, and is killed as any other.
pub(crate) fn a_child_forked_under_a_receiver() {
    reserve(SET).expect("reserve");
    let signals = thread::spawn(|| open(TERM)).join().expect("no panic");
    let child = fork(|| {
        // USR1 has no receiver, so it acts in the child at once.
        set_counting(Signal::USR1);
        send(Signal::USR1);
        eventually("it acts", || hits(Signal::USR1) == 1);
        drop(signals);
        send(TERM);
        wait_for_death();
    });
    assert_eq!(wait(child).signal(), Some(TERM.as_raw()));
}

/// No hook ran in it, so it blocks what was reserved, until it reserves itself.
#[cfg(target_os = "linux")]
pub(crate) fn a_child_of_a_bare_fork_reserves() {
    reserve(SET).expect("reserve");
    let child = crate::harness::bare_fork(|| {
        receives(&open(SET));
        reserve(SET).expect("reserve");
        send(TERM);
        wait_for_death();
    });
    assert_eq!(wait(child).signal(), Some(TERM.as_raw()));
}

/// Whatever the other threads were doing when it was forked, a child can be killed: on Linux once it has
/// reserved, and one without a receiver at that moment without; with kqueue once it has set the default
/// action.
pub(crate) fn children_forked_while_others_open_and_drop() {
    const CHILDREN: usize = 100;
    reserve(SET).expect("reserve");
    let done = Arc::new(AtomicBool::new(false));
    let threads = SET.map(|signal| {
        let done = done.clone();
        thread::spawn(move || {
            while !done.load(Ordering::SeqCst) {
                drop(open(signal));
            }
        })
    });
    for turn in 0..CHILDREN {
        let signal = SET[turn % 2];
        fork_dies_of(signal, move || {
            if raw_mask().contains(signal) {
                reserve(SET).expect("reserve");
                drop(thread::spawn(move || open(signal)).join().expect("no panic"));
            }
            // With kqueue a receiver has its signal ignored, and nobody in the child can drop that one.
            if !KERNEL.masked {
                set_default(signal);
            }
            send(signal);
            wait_for_death();
        });
    }
    done.store(true, Ordering::SeqCst);
    for thread in threads {
        thread.join().expect("no panic");
    }
}
