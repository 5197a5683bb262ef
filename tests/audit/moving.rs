//! Threads that start and end during the audit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use nix::libc;
use signal_source::{OpenError, Signal, SignalSet, Signals, mask};

use crate::harness::{self, eventually, raw_block, raw_unblock, send};
use crate::naming::{SET, refused, tid};

/// Starts threads that end at once, one after the other, until told to stop.
fn churn(stop: &Arc<AtomicBool>, started: &Arc<AtomicUsize>) -> thread::JoinHandle<()> {
    let (stop, started) = (stop.clone(), started.clone());
    thread::spawn(move || {
        while !stop.load(Ordering::SeqCst) {
            let short = thread::Builder::new().stack_size(16 * 1024).spawn(|| ());
            short.expect("a thread").join().expect("no panic");
            started.fetch_add(1, Ordering::SeqCst);
        }
    })
}

fn threads_that_come_and_go(churners: usize) {
    let guard = mask::block(SET).expect("block");
    let (stop, started) = (Arc::default(), Arc::default());
    let churners: Vec<_> = (0..churners).map(|_| churn(&stop, &started)).collect();
    eventually("threads start", || started.load(Ordering::SeqCst) > 100);
    for _ in 0..200 {
        drop(Signals::new(SET).expect("all threads block"));
    }
    stop.store(true, Ordering::SeqCst);
    churners.into_iter().for_each(|churner| churner.join().expect("no panic"));
    drop(guard);
}

/// With musl its mask is the one that every thread has at its birth.
pub(crate) fn a_thread_that_blocks_all_is_no_newborn() {
    let stop = Arc::new(AtomicBool::new(false));
    let _guard = mask::block(SET).expect("block");
    let all: SignalSet = (1..=128).filter_map(Signal::from_raw).collect();
    let (ready, is_ready) = channel();
    let (computes, tell) = (stop.clone(), ready.clone());
    let busy = thread::spawn(move || {
        raw_block(all);
        tell.send(()).expect("main waits");
        while !computes.load(Ordering::SeqCst) {}
    });
    let (end, sleeps) = channel::<()>();
    let idle = thread::spawn(move || {
        raw_block(all);
        ready.send(()).expect("main waits");
        let _ = sleeps.recv();
    });
    is_ready.iter().take(2).for_each(drop);
    for _ in 0..20 {
        drop(Signals::new(SET).expect("all threads block"));
    }
    stop.store(true, Ordering::SeqCst);
    drop(end);
    for thread in [busy, idle] {
        thread.join().expect("no panic");
    }
}

pub(crate) fn threads_that_come_and_go_do_not_fail_it() {
    threads_that_come_and_go(1);
}

pub(crate) fn many_threads_that_come_and_go_do_not_fail_it() {
    threads_that_come_and_go(6);
}

/// glibc blocks everything around the start of a thread: that is not to be believed.
pub(crate) fn a_newborn_thread_does_not_slip_through() {
    for _ in 0..300 {
        let (end, ended) = channel::<()>();
        let newborn = thread::Builder::new().stack_size(16 * 1024).spawn(move || {
            let _ = ended.recv();
        });
        let threads = refused(Signals::new(SET));
        assert_eq!(threads.len(), 1);
        assert_eq!(threads[0].unblocked, SET);
        drop(end);
        newborn.expect("a thread").join().expect("no panic");
    }
}

/// Threads that do not block start the next one and end: one of them always lets the signals
/// in, but none for long.
pub(crate) fn a_relay_of_short_lives_does_not_slip_through() {
    /// The second handle is held for its drop: the last thread to go tells so.
    fn next(handles: (Arc<AtomicBool>, Sender<()>)) {
        if !handles.0.load(Ordering::SeqCst) {
            let heir = move || next(handles);
            thread::Builder::new().stack_size(64 * 1024).spawn(heir).expect("a thread");
        }
    }
    let stop = Arc::<AtomicBool>::default();
    let (ended, all_ended) = channel();
    next((stop.clone(), ended));
    for _ in 0..1000 {
        let refused = Signals::new(SET);
        assert!(refused.is_err(), "{refused:?}");
    }
    stop.store(true, Ordering::SeqCst);
    let _ = all_ended.recv();
}

pub(crate) fn a_thread_that_has_just_gone_does_not_fail_it() {
    for _ in 0..300 {
        // These let everything in, but they are over.
        let gone: Vec<_> = (0..3).map(|_| thread::spawn(|| ())).collect();
        gone.into_iter().for_each(|thread| thread.join().expect("no panic"));
        // The kernel may still list one, for a moment.
        eventually("it opens", || match Signals::new(SET) {
            Ok(signals) => signals.set() == SET,
            Err(OpenError::UnblockedThreads { threads, .. }) => {
                // It had not ended yet: `join` returns a little before.
                assert!(threads.iter().all(|thread| thread.tid != tid()));
                false
            }
            Err(error) => panic!("{error}"),
        });
    }
}

/// Ends the calling thread alone, though it is the process' first.
fn end_this_thread() -> ! {
    // SAFETY: ends the thread as the kernel knows it; nothing on its stack is lent to others.
    unsafe { libc::syscall(libc::SYS_exit, 0) };
    unreachable!("the thread has ended")
}

/// Whether a signal that is ignored by default is queued depends on the first thread's mask
/// even after its end.
fn with_an_ended_first_thread(first_blocks: bool, judge: fn(Result<Signals, OpenError>)) {
    harness::in_fork(|| {
        thread::spawn(move || {
            eventually("the first thread ends", || {
                let stat = std::fs::read_to_string("/proc/self/stat").expect("/proc");
                stat.contains(") Z")
            });
            let opened = std::panic::catch_unwind(|| judge(Signals::new(SET)));
            // SAFETY: ends the process at once.
            unsafe { libc::_exit(i32::from(opened.is_err())) }
        });
        if first_blocks {
            raw_block(SET);
        }
        end_this_thread();
    });
}

pub(crate) fn an_ended_first_thread_counts() {
    with_an_ended_first_thread(false, |opened| {
        let threads = refused(opened);
        assert_eq!(threads.len(), 1);
        assert_eq!((threads[0].tid, threads[0].unblocked), (harness::pid(), SET));
    });
    with_an_ended_first_thread(true, |opened| {
        let signals = opened.expect("all threads block");
        send(Signal::HUP);
        assert_eq!(signals.recv().expect("recv").signal(), Signal::HUP);
    });
}

/// While the audit reads many masks, one thread starts another one and then blocks itself: all that
/// were listed do so when they are read.
pub(crate) fn a_thread_that_starts_another_and_then_blocks_is_no_way_past() {
    let guard = mask::block(SET).expect("block");
    let (end, ended) = channel::<()>();
    let ended = Arc::new(std::sync::Mutex::new(ended));
    let bystanders: Vec<_> = (0..200)
        .map(|_| {
            let ended = ended.clone();
            let idle = move || _ = ended.lock().map(|ended| ended.recv());
            thread::Builder::new().stack_size(16 * 1024).spawn(idle).expect("a thread")
        })
        .collect();
    for round in 0..60_u64 {
        let (ready, lets_in) = channel::<()>();
        let (stop, stopped) = channel::<()>();
        let starter = thread::spawn(move || {
            raw_unblock(SET);
            ready.send(()).expect("main waits");
            thread::sleep(Duration::from_micros(100 * round));
            let heir = thread::spawn(move || stopped.recv());
            raw_block(SET);
            heir.join().expect("no panic").expect_err("main drops its end");
        });
        lets_in.recv().expect("it tells");
        if let Ok(signals) = Signals::new(SET) {
            let past = mask::unblocked_threads(SET).expect("/proc");
            assert_eq!(past, [], "{signals:?} is open in round {round}");
        }
        drop(stop);
        starter.join().expect("no panic");
    }
    drop(end);
    bystanders.into_iter().for_each(|idle| idle.join().expect("no panic"));
    drop(guard);
}

/// As documented: while a handler of the signal runs, its thread blocks it, and no mask tells why.
/// When the handler returns, the thread lets the signal in.
pub(crate) fn a_handler_that_takes_long_hides_its_thread() {
    let latch = harness::set_sleeping(Signal::USR1);
    let worker = harness::Worker::start("worker");
    let guard = mask::block(Signal::USR1).expect("block");
    send(Signal::USR1);
    latch.entered();
    assert_eq!(mask::unblocked_threads(Signal::USR1).expect("/proc"), []);
    let signals = Signals::new(Signal::USR1).expect("the worker's mask has it");
    latch.release();
    eventually("it lets the signal in", || {
        mask::unblocked_threads(Signal::USR1).is_ok_and(|threads| threads.len() == 1)
    });
    let threads = mask::unblocked_threads(Signal::USR1).expect("/proc");
    assert_eq!(threads[0].name, "worker");
    drop(signals);
    drop(guard);
    drop(worker);
}
