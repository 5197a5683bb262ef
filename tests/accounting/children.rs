//! What children and programs that replace this one start with, and records of SIGCHLD.

use std::io::ErrorKind;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::thread;

use signal_source::process::CommandExt as _;
use signal_source::{Origin, Signal, SignalSet, Signals, mask};

use crate::harness::kernel::KERNEL;
use crate::harness::{self, Everything, hits, open, pid, raw_block, raw_pending, received, role};
use crate::harness::{send, set_counting, set_ignored};

const TERM: Signal = Signal::TERM;
const USR1: Signal = Signal::USR1;
const USR2: Signal = Signal::USR2;

/// Role: prints what it starts with blocked.
pub(crate) fn reports_mask(_: &[String]) {
    print!("{:?}", mask::current().expect("mask"));
}

/// What a child with `restore_signals` starts with blocked.
fn of_a_child() -> String {
    let output = role("reports_mask", &[]).restore_signals().output().expect("a role starts");
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout).expect("text")
}

/// On the thread that opened.
pub(crate) fn a_block_made_after_a_drop_reaches_children() {
    drop(open([USR1, USR2]));
    assert_eq!(of_a_child(), "{}");
    raw_block(USR1);
    assert_eq!(of_a_child(), "{SIGUSR1}");
    // A receiver of the same signal finds it blocked, and leaves it so.
    let signals = open([USR1, USR2]);
    assert_eq!(of_a_child(), "{SIGUSR1}");
    drop(signals);
    assert_eq!(of_a_child(), "{SIGUSR1}");
}

/// On the thread that opened, once it has put its mask back.
pub(crate) fn a_block_made_after_a_drop_elsewhere_reaches_children() {
    let signals = open([USR1, USR2]);
    thread::spawn(move || drop(signals)).join().expect("no panic");
    assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
    raw_block(USR1);
    assert_eq!(of_a_child(), "{SIGUSR1}");
}

pub(crate) fn a_block_of_the_crates_does_not_reach_children() {
    drop(open([USR1, USR2]));
    raw_block(USR1);
    let guard = mask::block([USR1, USR2]).expect("block");
    assert_eq!(of_a_child(), "{SIGUSR1}");
    let signals = open(USR2);
    drop(guard);
    assert_eq!(of_a_child(), "{SIGUSR1}");
    drop(signals);
    assert_eq!(of_a_child(), "{SIGUSR1}");
}

/// Another process sent it, while it was ignored and blocked. To receive it, its action has to
/// change, which the kernel takes for a reason to discard it.
pub(crate) fn chld_that_was_pending_and_ignored_is_not_ours() {
    let parent = pid();
    set_ignored(Signal::CHLD);
    raw_block(Signal::CHLD);
    let child = harness::fork(|| signal_source::send::kill(parent, Signal::CHLD).expect("kill"));
    // An ignored child is waited for by the kernel: this returns an error once it has ended.
    eventually_gone(child);
    if !raw_pending().contains(Signal::CHLD) {
        harness::skip("this kernel keeps nothing pending that is ignored");
    }
    let signals = open(Signal::CHLD);
    let info = signals.try_recv().expect("try_recv").expect("it was pending");
    match info.origin() {
        Origin::Process(sender) => assert_eq!(sender.pid, child, "{info}"),
        Origin::Unknown => assert_eq!(info.sender(), None),
        _ => panic!("{info}"),
    }
    assert_eq!(received(&signals), []);
    // The same on the way back, for one that was not read.
    let child = harness::fork(|| signal_source::send::kill(parent, Signal::CHLD).expect("kill"));
    assert!(harness::wait(child).success());
    drop(signals);
    assert_eq!(received(&open(Signal::CHLD)), [Signal::CHLD]);
}

fn eventually_gone(child: u32) {
    harness::eventually("the child has gone", || {
        signal_source::send::kill(child, Signal::CONT).is_err()
    });
}

/// Fails to become another program, by the standard library's `exec` after `restore_signals`: the
/// call itself may be refused, with an error that says what to use.
fn fails_to_exec() {
    let error = Command::new("/nonexistent/program").restore_signals().exec();
    let refused = error.to_string().contains("process::exec");
    assert!(refused || error.kind() == ErrorKind::NotFound, "{error}");
}

/// Fails to become another program by this crate's own `exec`.
fn fails_by_our_exec() {
    let error = signal_source::process::exec(&mut Command::new("/nonexistent/program"));
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

/// Everything that a failed exec could change, before and after.
fn changes_nothing(exec: fn()) {
    set_ignored(Signal::CHLD);
    set_counting(TERM);
    set_counting(USR2);
    raw_block(Signal::ALRM);
    let signals = open([TERM, USR1, Signal::CHLD]);
    let guard = mask::block(Signal::HUP).expect("block");
    let before = Everything::now();
    for _ in 0..3 {
        exec();
        assert_eq!(Everything::now(), before);
    }
    for signal in [TERM, USR1, Signal::CHLD] {
        send(signal);
        assert_eq!(received(&signals), [signal]);
    }
    send(USR2);
    assert_eq!((hits(TERM), hits(USR2)), (0, 1));
    drop((signals, guard));
    send(TERM);
    assert_eq!(hits(TERM), 1);
}

pub(crate) fn exec_of_what_does_not_exist_changes_nothing() {
    harness::set_default(Signal::PIPE); // as the standard library leaves it in any case
    changes_nothing(fails_to_exec);
}

pub(crate) fn our_exec_of_what_does_not_exist_changes_nothing() {
    changes_nothing(fails_by_our_exec);
}

/// Signals that would kill, and that have a handler, are pending meanwhile.
fn keeps_what_is_pending(exec: fn()) {
    set_counting(TERM);
    let signals = open([TERM, USR1]);
    raw_block([USR2, Signal::HUP]);
    set_counting(USR2);
    [TERM, USR1, USR2, Signal::HUP].into_iter().for_each(send);
    let pending = raw_pending();
    exec();
    assert_eq!(raw_pending(), pending);
    assert_eq!((hits(TERM), hits(USR2)), (0, 0));
    // Which has the lower number is not the same everywhere.
    let (mut both, mut sent) = (received(&signals), [USR1, TERM]);
    both.sort();
    sent.sort();
    assert_eq!(both, sent);
    if KERNEL.masked {
        let blocked = Signals::new([USR2, Signal::HUP]).expect("open");
        assert_eq!(received(&blocked), [Signal::HUP, USR2]);
    }
}

pub(crate) fn exec_of_what_does_not_exist_with_a_pending_signal_changes_nothing() {
    keeps_what_is_pending(fails_to_exec);
}

pub(crate) fn our_exec_of_what_does_not_exist_with_a_pending_signal_changes_nothing() {
    keeps_what_is_pending(fails_by_our_exec);
}
