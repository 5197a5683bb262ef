//! What `/proc` shows, or does not.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::{fs, ptr, thread};

use nix::libc;
use signal_source::{OpenError, Signal, Signals, mask};

use crate::harness::{self, Worker, raw_block, without_descriptors};
use crate::naming::{SET, refused};

/// Sets the calling thread's mask to all ones, the C library's own signals included: its functions
/// would leave those out.
fn block_everything() {
    let all = [u64::MAX; 2];
    let size =
        if cfg!(target_arch = "mips") || cfg!(target_arch = "mips64") { 16_usize } else { 8 };
    let nowhere = ptr::null_mut::<u64>();
    // SAFETY: reads the set.
    let set = unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, all.as_ptr(), nowhere, size)
    };
    assert_eq!(set, 0);
}

/// Its mask is the one that every thread of glibc has at its birth.
pub(crate) fn a_mask_that_is_full_for_good_is_believed() {
    let stop = Arc::new(AtomicBool::new(false));
    let (ready, is_ready) = channel();
    let (computes, tell) = (stop.clone(), ready.clone());
    let busy = thread::spawn(move || {
        block_everything();
        tell.send(()).expect("main waits");
        while !computes.load(Ordering::SeqCst) {}
    });
    let (end, sleeps) = channel::<()>();
    let idle = thread::spawn(move || {
        block_everything();
        ready.send(()).expect("main waits");
        let _ = sleeps.recv();
    });
    is_ready.iter().take(2).for_each(drop);
    for _ in 0..3 {
        drop(Signals::new(SET).expect("every thread blocks"));
    }
    // What another does not block is told at once.
    let worker = Worker::start("worker");
    assert_eq!(refused(Signals::new(SET)).len(), 1);
    worker.run(|| raw_block(SET));
    drop(Signals::new(SET).expect("every thread blocks"));
    stop.store(true, Ordering::SeqCst);
    drop(end);
    for thread in [busy, idle] {
        thread.join().expect("no panic");
    }
}

fn starts_threads(stop: &AtomicBool) {
    while !stop.load(Ordering::SeqCst) {
        // One that can't be started is as good: what counts is the attempt.
        drop(thread::Builder::new().stack_size(16 * 1024).spawn(|| ()));
    }
}

/// Nearly always it has the full mask, but it takes it back each time.
pub(crate) fn a_thread_that_starts_others_all_the_time_does_not_slip_through() {
    let stop = Arc::new(AtomicBool::new(false));
    let starter = thread::spawn({
        let stop = stop.clone();
        move || starts_threads(&stop)
    });
    for _ in 0..30 {
        assert!(Signals::new(SET).is_err());
    }
    stop.store(true, Ordering::SeqCst);
    starter.join().expect("no panic");
}

/// The error says which file, why and what to do; kind and source are the system's.
fn tells(error: &io::Error, kind: ErrorKind, number: i32) {
    let text = error.to_string();
    for part in ["reading /proc/self/", "(os error", "readable /proc", "audit(false)"] {
        assert!(text.contains(part), "{part:?} in {text:?}");
    }
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    assert_eq!((error.kind(), source.and_then(io::Error::raw_os_error)), (kind, Some(number)));
}

pub(crate) fn an_error_names_the_file() {
    let kind = io::Error::from_raw_os_error(libc::EMFILE).kind();
    without_descriptors(0, || {
        let error = mask::unblocked_threads(SET).expect_err("no descriptor to read with");
        tells(&error, kind, libc::EMFILE);
        match Signals::new(SET) {
            Err(OpenError::Os(error)) => tells(&error, kind, libc::EMFILE),
            other => panic!("{other:?}"),
        }
    });
}

/// The list of the threads stays open while they are read.
pub(crate) fn two_descriptors_are_needed() {
    let (kind, worker) =
        (io::Error::from_raw_os_error(libc::EMFILE).kind(), Worker::start("other"));
    worker.run(|| raw_block(SET));
    for (spare, is_enough) in [(1, false), (2, true)] {
        without_descriptors(spare, || match (is_enough, mask::unblocked_threads(SET)) {
            (true, threads) => assert_eq!(threads.expect("enough").len(), 1),
            (false, threads) => tells(&threads.expect_err("too few"), kind, libc::EMFILE),
        });
    }
}

pub(crate) fn a_proc_that_may_not_be_read_is_an_error() {
    harness::in_fork(|| {
        if !forbid_proc() {
            return; // only root may
        }
        let error = Signals::new(SET).expect_err("nothing may be read");
        let OpenError::Os(error) = error else { panic!("{error:?}") };
        tells(&error, ErrorKind::PermissionDenied, libc::EACCES);
        drop(Signals::builder().audit(false).open(SET).expect("nothing to read"));
    });
}

/// Mounts a file system over /proc, in a name space of this process' own, that another user made;
/// and becomes a third one.
fn forbid_proc() -> bool {
    // SAFETY: changes this process' view of the file system alone.
    if unsafe { libc::geteuid() } != 0 || unsafe { libc::unshare(libc::CLONE_NEWNS) } != 0 {
        return false;
    }
    let (root, proc, tmpfs) = (c"/".as_ptr(), c"/proc".as_ptr(), c"tmpfs".as_ptr());
    let (flags, nothing) = (libc::MS_REC | libc::MS_PRIVATE, ptr::null());
    // SAFETY: the strings end with a zero; the kernel copies them.
    let apart = unsafe { libc::mount(root, root, ptr::null(), flags, nothing) } == 0;
    // SAFETY: as above.
    if !apart || unsafe { libc::mount(tmpfs, proc, tmpfs, 0, nothing) } != 0 {
        return false;
    }
    fs::create_dir("/proc/self").expect("a directory");
    fs::set_permissions("/proc/self", std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .expect("mine");
    // SAFETY: changes the user of this process.
    unsafe { libc::setuid(12_345) == 0 }
}

/// Under an outer /proc the crate's own thread has another number than it has for itself.
pub(crate) fn its_own_thread_is_left_out_in_a_pid_namespace_too() {
    // SAFETY: changes where the next child lives.
    if unsafe { libc::unshare(libc::CLONE_NEWPID) } != 0 {
        harness::skip("no pid namespace to be had");
    }
    harness::in_fork(|| {
        assert_eq!(harness::pid(), 1);
        // Dropped elsewhere, so that the crate's own thread lets the signals in.
        let signals = Signals::new(SET).expect("alone");
        let worker = Worker::start("worker");
        worker.run(move || {
            raw_block(SET);
            drop(signals);
        });
        raw_block(SET);
        let threads = mask::unblocked_threads(Signal::TERM).expect("/proc");
        assert!(threads.is_empty(), "{threads:?}");
    });
}
