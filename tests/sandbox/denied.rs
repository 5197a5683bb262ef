//! One system call refused at a time.

use std::io::ErrorKind;

use nix::libc::{self, EACCES, EAGAIN, EPERM};
use signal_source::{OpenError, Signal, SignalSet, Signals, mask};

use crate::harness::seccomp::deny;
use crate::harness::{self, Everything, Worker, descriptors, eventually, hits, open, raw_mask};
use crate::harness::{receives, send, set_counting, shown};

const TERM: Signal = Signal::TERM;
const USR1: Signal = Signal::USR1;

/// Refuses the calls, or skips the case where no filter may be installed.
fn refuse(calls: &[libc::c_long], errno: i32) {
    let calls: Vec<_> = calls.iter().map(|&call| (call, errno)).collect();
    if !deny(&calls) {
        harness::skip("no seccomp filter may be installed here");
    }
}

/// The calls that open a file.
#[cfg(any(target_arch = "x86_64", target_arch = "arm", target_arch = "x86"))]
const OPENS: &[libc::c_long] = &[libc::SYS_openat, libc::SYS_open];
#[cfg(not(any(target_arch = "x86_64", target_arch = "arm", target_arch = "x86")))]
const OPENS: &[libc::c_long] = &[libc::SYS_openat];

/// The error says which step was refused, and keeps the kind.
#[track_caller]
fn names(error: impl std::fmt::Debug + ToString, steps: &[&str]) -> String {
    let message = error.to_string();
    assert!(steps.iter().any(|step| message.contains(step)), "{message}: {error:?}");
    message
}

#[track_caller]
fn os_error(opened: Result<impl std::fmt::Debug, OpenError>, kind: ErrorKind) -> OpenError {
    match opened.expect_err("refused") {
        OpenError::Os(error) => {
            assert_eq!(error.kind(), kind, "{error:?}");
            OpenError::Os(error)
        }
        error => panic!("{error:?}"),
    }
}

const MASK: &[&str] = &["sigmask", "sigprocmask"];

pub(crate) fn changing_the_mask() {
    set_counting(TERM);
    let before = descriptors();
    refuse(&[libc::SYS_rt_sigprocmask], EPERM);
    for _ in 0..3 {
        let error = mask::block(TERM).expect_err("nothing is blocked");
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        names(error, MASK);
        assert_eq!(shown("SigBlk:"), SignalSet::EMPTY);
        // Nothing is claimed: the error is the same each time.
        for audit in [true, false] {
            let opened = Signals::builder().audit(audit).open([TERM, Signal::CHLD]);
            names(os_error(opened, ErrorKind::PermissionDenied), MASK);
        }
    }
    assert_eq!(mask::current().expect_err("refused").kind(), ErrorKind::PermissionDenied);
    assert_eq!(descriptors(), before);
    assert_eq!(
        Signal::CHLD.disposition().expect("a disposition"),
        signal_source::Disposition::Default
    );
    send(TERM);
    assert_eq!(hits(TERM), 1);
}

pub(crate) fn changing_the_mask_on_update() {
    let signals = open(USR1);
    refuse(&[libc::SYS_rt_sigprocmask], EPERM);
    for _ in 0..3 {
        let updated = signals.update([USR1, TERM]);
        names(os_error(updated, ErrorKind::PermissionDenied), MASK);
        assert_eq!(signals.set(), USR1.into());
        assert_eq!(shown("SigBlk:"), USR1.into());
        receives(&signals);
    }
    let other = std::thread::spawn(move || {
        let updated = signals.update([USR1, TERM]);
        names(os_error(updated, ErrorKind::PermissionDenied), MASK);
        signals
    });
    receives(&other.join().expect("no panic"));
}

/// A drop can't return an error. It does not panic, and lets go of all but the mask.
pub(crate) fn changing_the_mask_on_drop() {
    let before = descriptors();
    let (signals, guard) = (open(USR1), mask::block(TERM).expect("block"));
    refuse(&[libc::SYS_rt_sigprocmask], EPERM);
    drop((signals, guard));
    assert_eq!(descriptors(), before);
    let opened = Signals::new(USR1);
    names(os_error(opened, ErrorKind::PermissionDenied), MASK);
}

/// After the refusal all is as it was, and nothing is claimed.
#[track_caller]
fn leaves_nothing(before: &Everything) {
    assert_eq!(&Everything::now(), before);
    send(TERM);
    send(Signal::CHLD);
}

pub(crate) fn making_the_descriptor() {
    set_counting(TERM);
    harness::set_ignored(Signal::CHLD);
    let before = Everything::now();
    refuse(&[libc::SYS_signalfd4], EPERM);
    for round in 1..=3 {
        for audit in [true, false] {
            let opened = Signals::builder().audit(audit).open([TERM, Signal::CHLD]);
            names(os_error(opened, ErrorKind::PermissionDenied), &["signalfd"]);
        }
        leaves_nothing(&before);
        assert_eq!(hits(TERM), round);
    }
}

/// The set of an open receiver changes by the same call.
pub(crate) fn making_the_descriptor_once_more() {
    set_counting(TERM);
    let signals = open(USR1);
    let before = Everything::now();
    refuse(&[libc::SYS_signalfd4], EPERM);
    for round in 1..=3 {
        for set in [SignalSet::from([USR1, TERM]), TERM.into()] {
            let updated = signals.update(set);
            names(os_error(updated, ErrorKind::PermissionDenied), &["signalfd"]);
        }
        assert_eq!(signals.set(), USR1.into());
        leaves_nothing(&before);
        assert_eq!(hits(TERM), round);
        receives(&signals);
    }
}

/// Waiting is refused, reading is not.
pub(crate) fn waiting_for_a_signal() {
    let signals = open(USR1);
    refuse(&[libc::SYS_rt_sigtimedwait], EPERM);
    for _ in 0..3 {
        send(USR1);
        let soon = std::time::Duration::from_millis(1);
        for received in [signals.recv().map(Some), signals.recv_timeout(soon)] {
            let error = received.expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::PermissionDenied);
            names(error, &["rt_sigtimedwait"]);
        }
        assert_eq!(harness::received(&signals), [USR1]);
    }
    signals.update([USR1, TERM]).expect("no thread waits");
    receives(&signals);
}

/// What an audit that is refused says, and what does without it.
fn audit_is_refused(kind: ErrorKind) {
    let opened = Signals::new([TERM, Signal::CHLD]);
    let message = names(os_error(opened, kind), &["/proc"]);
    assert!(message.contains("audit(false)"), "it says what to do: {message}");
    names(mask::unblocked_threads(TERM).expect_err("refused"), &["/proc"]);
    assert_eq!(raw_mask(), SignalSet::EMPTY);
    let signals =
        Signals::builder().audit(false).open([TERM, Signal::CHLD]).expect("nothing is claimed");
    signals.update([TERM, USR1]).expect("it audits as it was opened");
    receives(&signals);
    drop(signals);
    assert_eq!(raw_mask(), SignalSet::EMPTY);
}

/// A pending `CHLD` while that is ignored is taken out to be received, and put back.
fn with_an_ignored_child(refuse: impl FnOnce()) {
    harness::raw_block(Signal::CHLD);
    harness::set_ignored(Signal::CHLD);
    send(Signal::CHLD);
    refuse();
    assert_eq!(harness::received(&open(Signal::CHLD)), [Signal::CHLD]);
}

pub(crate) fn queueing_a_record() {
    with_an_ignored_child(|| refuse(&[libc::SYS_rt_sigqueueinfo], EPERM));
}

pub(crate) fn queueing_a_record_to_a_full_queue() {
    with_an_ignored_child(|| harness::limit_pending(0));
}

pub(crate) fn opening_proc() {
    refuse(OPENS, EPERM);
    audit_is_refused(ErrorKind::PermissionDenied);
    audit_is_refused(ErrorKind::PermissionDenied);
}

/// As `hidepid` and security modules have it.
pub(crate) fn opening_proc_without_permission() {
    refuse(OPENS, EACCES);
    audit_is_refused(ErrorKind::PermissionDenied);
    audit_is_refused(ErrorKind::PermissionDenied);
}

/// Alone, a thread has none to list.
fn with_another_thread() {
    let worker = Worker::start("worker");
    worker.run(|| harness::raw_block(SignalSet::all()));
    std::mem::forget(worker); // its thread sleeps
}

pub(crate) fn listing_the_threads() {
    with_another_thread();
    refuse(&[libc::SYS_getdents64], EPERM);
    audit_is_refused(ErrorKind::PermissionDenied);
    audit_is_refused(ErrorKind::PermissionDenied);
}

pub(crate) fn listing_the_threads_on_update() {
    with_another_thread();
    let signals = open(USR1);
    let before = Everything::now();
    refuse(&[libc::SYS_getdents64], EACCES);
    for _ in 0..3 {
        let updated = signals.update([TERM, USR1]);
        names(os_error(updated, ErrorKind::PermissionDenied), &["/proc"]);
        assert_eq!((signals.set(), Everything::now()), (USR1.into(), Everything::now()));
        assert_eq!(Everything::now(), before);
        receives(&signals);
    }
    signals.update(USR1).expect("nothing is added");
}

/// Other threads are there to be looked at, and a file of /proc opens but can't be read.
pub(crate) fn reading_the_threads() {
    with_another_thread();
    let before = Everything::now();
    refuse(&[libc::SYS_read, libc::SYS_pread64], EACCES);
    let opened = Signals::new(TERM);
    let message = names(os_error(opened, ErrorKind::PermissionDenied), &["/proc"]);
    assert!(message.contains("audit(false)"), "it says what to do: {message}");
    assert_eq!(Everything::now(), before);
}

/// Then the thread that drops lets the signals in.
pub(crate) fn starting_the_delegate() {
    set_counting(TERM);
    let worker = Worker::start("worker");
    let bystander = Worker::start("bystander");
    for worker in [&worker, &bystander] {
        worker.run(|| harness::raw_block(USR1));
    }
    let signals = Signals::builder().audit(false).open(TERM).expect("open");
    refuse(&[libc::SYS_clone, libc::SYS_clone3], EAGAIN);
    send(TERM);
    worker.run(|| drop(signals));
    eventually("it acts", || hits(TERM) == 1);
    send(TERM);
    eventually("it acts", || hits(TERM) == 2);
    for worker in [&worker, &bystander] {
        assert_eq!(worker.run(|| mask::current().expect("mask")), USR1.into());
    }
    assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
}
