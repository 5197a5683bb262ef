//! Who is named, and what the message says.

use nix::libc;
use signal_source::{OpenError, Signal, SignalSet, Signals, mask};

use crate::harness::{self, Worker, raw_block, raw_mask, raw_unblock, send};

pub(crate) const SET: SignalSet = SignalSet::EMPTY.with(Signal::TERM).with(Signal::HUP);

/// The threads that a refusal names, as (tid, name, signals).
pub(crate) fn refused(opened: Result<Signals, OpenError>) -> Vec<mask::ThreadInfo> {
    match opened {
        Err(OpenError::UnblockedThreads { signals, threads }) => {
            assert!(!threads.is_empty());
            let all = threads.iter().fold(SignalSet::EMPTY, |all, one| all | one.unblocked);
            assert_eq!(all, signals);
            threads
        }
        other => panic!("expected UnblockedThreads, got {other:?}"),
    }
}

pub(crate) fn tid() -> u32 {
    nix::unistd::gettid().as_raw().unsigned_abs()
}

/// Origin: sd_event_add_signal, "not blocked" (E16); Trio `test_catch_signals_wrong_thread` (P9)
pub(crate) fn names_thread_and_signals() {
    let worker = Worker::start("busy bee");
    let worker_tid = worker.run(|| {
        raw_block(Signal::TERM);
        tid()
    });
    let threads = refused(Signals::new(SET));
    assert_eq!(threads.len(), 1, "{threads:?}");
    let expected = &threads[0];
    assert_eq!((expected.tid, expected.name.as_str()), (worker_tid, "busy bee"));
    assert_eq!(expected.unblocked, SignalSet::from(Signal::HUP));
    assert_eq!(raw_mask(), SignalSet::EMPTY, "nothing was changed");
    // The same from any thread: now it is main that does not block.
    let from_worker = worker.run(|| refused(Signals::new(SET)));
    assert_eq!(from_worker.len(), 1);
    assert_eq!((from_worker[0].tid, from_worker[0].unblocked), (harness::pid(), SET));
    assert_eq!(worker.run(raw_mask), SignalSet::from(Signal::TERM));
    // What is asked for, main included.
    let mut asked = mask::unblocked_threads(SET).expect("/proc");
    asked.sort_by_key(|thread| thread.tid);
    assert_eq!(asked.len(), 2);
    assert_eq!((asked[0].tid, asked[0].unblocked), (harness::pid(), SET));
    assert_eq!(&asked[1], expected);
}

pub(crate) fn the_message_names_some_and_counts_the_rest() {
    let _workers: Vec<_> = (0..10).map(|_| Worker::start("busy bee")).collect();
    let message = Signals::new(SET).expect_err("the workers do not block").to_string();
    assert!(message.starts_with("10 threads do not block"), "{message}");
    assert!(message.contains(" and 2 more"), "{message}");
    assert_eq!(message.matches("busy bee").count(), 8, "{message}");
}

pub(crate) fn the_message_says_what_to_do() {
    let worker = Worker::start("busy bee");
    let tid = worker.run(tid);
    let error = Signals::new(SET).expect_err("the worker does not block");
    let message = error.to_string();
    for part in [
        "1 thread does not block SIGHUP, SIGTERM",
        &format!("\"busy bee\" (tid {tid}: SIGHUP, SIGTERM)"),
        "before starting threads",
        "before building the runtime",
        "#[tokio::main]",
        "mask::block",
    ] {
        assert!(message.contains(part), "{part:?} in {message:?}");
    }
    // Through `io::Error`, as `?` in many a main makes it.
    let error = std::io::Error::from(error);
    assert!(error.to_string().contains("busy bee"), "{error}");
}

pub(crate) fn all_threads_may_block_first() {
    let guard = mask::block(SET).expect("block");
    let workers: Vec<_> = (0..8).map(|_| Worker::start("worker")).collect();
    let signals = workers[0].run(|| Signals::new(SET)).expect("all threads block");
    send(Signal::TERM);
    assert_eq!(signals.recv().expect("recv").signal(), Signal::TERM);
    drop(signals);
    assert!(mask::unblocked_threads(SET).expect("/proc").is_empty());
    drop(guard);
    assert_eq!(mask::unblocked_threads(SET).expect("/proc").len(), 1);
}

pub(crate) fn can_be_left_out() {
    let worker = Worker::start("worker");
    let signals = Signals::builder().audit(false).open(Signal::HUP).expect("no audit");
    assert!(matches!(Signals::new(Signal::TERM), Err(OpenError::UnblockedThreads { .. })));
    worker.run(|| raw_block(SET));
    send(Signal::HUP);
    assert_eq!(signals.recv().expect("recv").signal(), Signal::HUP);
}

/// The choice is the receiver's for good: `update` does as `open` did.
pub(crate) fn update_audits_as_open_did() {
    let _worker = Worker::start("worker");
    let signals = Signals::builder().audit(false).open(Signal::HUP).expect("no audit");
    signals.update([Signal::HUP, Signal::TERM]).expect("no audit");
    drop(signals);
    assert_eq!(raw_mask(), SignalSet::EMPTY);
}

pub(crate) fn five_hundred_threads_that_block() {
    let guard = mask::block(SET).expect("block");
    let workers: Vec<_> = (0..500).map(|_| Worker::start("worker")).collect();
    drop(Signals::new(SET).expect("all threads block"));
    // One of them does not, wherever it stands in the list.
    for index in [0, 1, 250, 499] {
        let tid = workers[index].run(|| {
            raw_unblock(Signal::HUP);
            tid()
        });
        let threads = refused(Signals::new(SET));
        assert_eq!(threads.len(), 1);
        assert_eq!((threads[0].tid, threads[0].unblocked), (tid, Signal::HUP.into()));
        workers[index].run(|| raw_block(Signal::HUP));
        drop(Signals::new(SET).expect("all threads block again"));
    }
    drop(guard);
}

pub(crate) fn odd_names_do_not_confuse_it() {
    let worker = Worker::start("worker");
    for name in ["a) R 1 1 1", "x\nSigBlk:\tf", "\nThreads:\t0", "\u{1}\u{7f} \\", ""] {
        let owned = std::ffi::CString::new(name).expect("no zero");
        let tid = worker.run(move || {
            // SAFETY: names the calling thread; the string ends with a zero.
            unsafe { libc::prctl(libc::PR_SET_NAME, owned.as_ptr()) };
            tid()
        });
        let threads = refused(Signals::new(SET));
        assert_eq!((threads.len(), threads[0].tid), (1, tid), "{name:?}");
    }
    worker.run(|| raw_block(SET));
    drop(Signals::new(SET).expect("all threads block"));
}

/// Without /proc no thread is looked at, which is documented.
pub(crate) fn without_proc_it_is_skipped() {
    is_skipped(|| {});
}

/// As on gVisor, whose status has no `SigBlk`.
pub(crate) fn where_no_mask_is_shown_it_is_skipped() {
    is_skipped(|| {
        std::fs::create_dir_all("/proc/self/task").expect("an empty file system");
        let status = "Name:\tname\nState:\tR (running)\nTgid:\t3\nVmSize:\t11100 kB\nThreads:\t1\n\
            Seccomp:\t0\n";
        std::fs::write("/proc/self/status", status).expect("an empty file system");
    });
}

fn is_skipped(fill: fn()) {
    if !harness::wait(harness::fork(|| assert!(hide_proc()))).success() {
        harness::skip("/proc may not be hidden here");
    }
    harness::in_fork(|| {
        assert!(hide_proc());
        fill();
        let worker = Worker::start("worker");
        let signals = Signals::new(SET).expect("nothing to audit");
        worker.run(|| raw_block(SET));
        send(Signal::TERM);
        assert_eq!(signals.recv().expect("recv").signal(), Signal::TERM);
        let asked = mask::unblocked_threads(SET).expect_err("nothing to read");
        assert_eq!(asked.kind(), std::io::ErrorKind::Unsupported);
        assert!(asked.to_string().contains("/proc"), "{asked}");
    });
}

/// Mounts an empty file system over /proc, in a name space of this process' own.
fn hide_proc() -> bool {
    // SAFETY: changes this process' view of the file system alone.
    let apart = unsafe { libc::unshare(libc::CLONE_NEWNS) } == 0
        // SAFETY: as above, with a user name space to be allowed to.
        || unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS) } == 0;
    let nothing = std::ptr::null();
    let private = libc::MS_REC | libc::MS_PRIVATE;
    let (root, none, tmpfs, proc) = (c"/".as_ptr(), c"none".as_ptr(), c"tmpfs", c"/proc");
    apart
        // SAFETY: all strings end with a zero; the kernel copies them.
        && unsafe { libc::mount(none, root, nothing, private, nothing.cast()) } == 0
        // SAFETY: as above.
        && unsafe { libc::mount(none, proc.as_ptr(), tmpfs.as_ptr(), 0, nothing.cast()) } == 0
        && !std::path::Path::new("/proc/self").exists()
}
