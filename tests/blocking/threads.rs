//! One receiver, and several threads.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use signal_source::{Signal, SignalInfo, Signals, send as sends};

use crate::SOON;
use crate::harness::kernel::KERNEL;
use crate::harness::{self, eventually, pid, send};

pub(crate) fn moves_to_another_thread() {
    let signals = Signals::new(Signal::USR1).expect("open");
    let reader = thread::spawn(move || {
        let info = signals.recv().expect("recv");
        (signals, info)
    });
    send(Signal::USR1);
    let (signals, info) = reader.join().expect("no panic");
    assert_eq!(info.signal(), Signal::USR1);
    send(Signal::USR1);
    assert_eq!(signals.recv().expect("recv").signal(), Signal::USR1);
}

// origin: gVisor ThreadGroup (K4)
pub(crate) fn waiting_threads_take_turns() {
    let signals = Signals::new(Signal::USR1).expect("open");
    for _ in 0..2 {
        thread::scope(|scope| {
            let reader = scope.spawn(|| signals.recv().expect("recv").signal());
            send(Signal::USR1);
            assert_eq!(reader.join().expect("no panic"), Signal::USR1);
        });
    }
    assert!(signals.try_recv().expect("try_recv").is_none());
}

// origin: epoll-shim multiple_readers (K15)
pub(crate) fn one_signal_wakes_one_of_many_threads() {
    const THREADS: usize = 64;
    let signals = Signals::new(Signal::USR1).expect("open");
    let received = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                signals.recv().expect("recv");
                received.fetch_add(1, Ordering::SeqCst);
            });
        }
        thread::sleep(SOON);
        send(Signal::USR1);
        eventually("one has it", || received.load(Ordering::SeqCst) == 1);
        thread::sleep(SOON);
        assert_eq!(received.load(Ordering::SeqCst), 1);
        for expected in 2..=THREADS {
            send(Signal::USR1);
            eventually("the next has it", || received.load(Ordering::SeqCst) == expected);
        }
    });
    assert!(signals.try_recv().expect("try_recv").is_none());
}

/// One thread waits in `recv`, another for the descriptor: each signal is for one of them.
pub(crate) fn waits_beside_a_poller() {
    const SENT: usize = 200;
    let signals = Signals::new([Signal::USR1, Signal::TERM]).expect("open");
    let received = [const { AtomicUsize::new(0) }; 2];
    let total = || received.iter().map(|count| count.load(Ordering::SeqCst)).sum::<usize>();
    let count = |index: usize, info: SignalInfo| {
        if info.signal() == Signal::USR1 {
            received[index].fetch_add(1, Ordering::SeqCst);
        }
        info.signal() != Signal::TERM
    };
    thread::scope(|scope| {
        let waits = scope.spawn(|| while count(0, signals.recv().expect("recv")) {});
        let polls = scope.spawn(|| {
            loop {
                harness::readable(&signals);
                if signals.try_recv().expect("read").is_some_and(|info| !count(1, info)) {
                    break;
                }
            }
        });
        for expected in 1..=SENT {
            send(Signal::USR1);
            eventually("one has it", || total() == expected);
        }
        eventually("both have ended", || {
            send(Signal::TERM);
            waits.is_finished() && polls.is_finished()
        });
    });
    while signals.try_recv().expect("try_recv").is_some() {} // what they left
    assert_eq!(total(), SENT, "none twice");
}

/// To the kernel it does. So it is told by `unblocked_threads`, and in the way of no receiver of other
/// signals.
#[cfg(target_os = "linux")]
pub(crate) fn a_thread_that_waits_lets_the_set_in() {
    use signal_source::{SignalSet, mask};

    let guard = mask::block([Signal::USR1, Signal::USR2]).expect("block");
    let signals = Signals::new(Signal::USR1).expect("open");
    let unblocked = || mask::unblocked_threads([Signal::USR1, Signal::USR2]).expect("/proc");
    assert_eq!(unblocked(), []);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| signals.recv().expect("recv"));
        eventually("it waits", || match &unblocked()[..] {
            [thread] => thread.unblocked == SignalSet::from(Signal::USR1),
            _ => false,
        });
        let other = Signals::new(Signal::USR2).expect("all block it");
        send(Signal::USR2);
        assert_eq!(other.recv().expect("recv").signal(), Signal::USR2);
        drop(other);
        send(Signal::USR1);
        assert_eq!(waiting.join().expect("no panic").signal(), Signal::USR1);
    });
    assert_eq!(unblocked(), []);
    drop(guard);
}

/// Without the audit: a thread that lets the signal in may wait for it all the same. Between two waits
/// the signal acts there.
#[cfg(target_os = "linux")]
pub(crate) fn waits_in_a_thread_that_does_not_block() {
    use std::time::Duration;

    use crate::harness::{hits, set_counting};

    set_counting(Signal::USR1);
    let start = std::sync::Barrier::new(2);
    let received = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (sender, receivers) = std::sync::mpsc::channel::<Signals>();
        let (start, received) = (&start, &received);
        scope.spawn(move || {
            start.wait();
            let signals = receivers.recv().expect("a receiver");
            while received.load(Ordering::SeqCst) + hits(Signal::USR1) < 200 {
                if signals.recv_timeout(Duration::from_micros(200)).expect("recv").is_some() {
                    received.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        start.wait();
        let opened = Signals::builder().audit(false).open(Signal::USR1);
        sender.send(opened.expect("open")).expect("the thread is there");
        for sent in 1..=200 {
            send(Signal::USR1);
            eventually("it is received or handled", || {
                received.load(Ordering::SeqCst) + hits(Signal::USR1) == sent
            });
        }
    });
    assert!(received.load(Ordering::SeqCst) > 0);
}

/// Each record goes to one of the threads: with values each is seen once, without them the counts
/// make up what was sent.
pub(crate) fn threads_share_a_queue() {
    const SENT: i32 = 5_000;
    let job = if KERNEL.value { Signal::rt(0).expect("real time") } else { Signal::USR1 };
    let signals = Signals::new([job, Signal::TERM]).expect("open");
    let read = || -> Vec<SignalInfo> {
        let received = signals.iter().map(|info| info.expect("recv"));
        received.take_while(|info| info.signal() != Signal::TERM).collect()
    };
    let mut infos: Vec<SignalInfo> = thread::scope(|scope| {
        let readers: Vec<_> = (0..4).map(|_| scope.spawn(read)).collect();
        for value in 0..SENT {
            send_job(job, value);
        }
        // Each TERM that is received ends one reader.
        eventually("all have ended", || {
            send(Signal::TERM);
            readers.iter().all(|reader| reader.is_finished())
        });
        readers.into_iter().flat_map(|reader| reader.join().expect("no panic")).collect()
    });
    // What they left.
    while let Some(info) = signals.try_recv().expect("try_recv") {
        infos.push(info);
    }
    infos.retain(|info| info.signal() == job);
    if KERNEL.value {
        let values: BTreeSet<_> = infos.iter().filter_map(SignalInfo::value).collect();
        assert_eq!(infos.len(), values.len(), "none twice");
        assert!(values.into_iter().eq(0..SENT), "each once");
    } else {
        let counts: u32 = infos.iter().map(SignalInfo::count).sum();
        assert_eq!(i32::try_from(counts), Ok(SENT));
    }
}

/// Sends this process a job, when there is room.
fn send_job(job: Signal, value: i32) {
    if !KERNEL.value {
        return send(job);
    }
    while let Err(error) = sends::sigqueue(pid(), job, value) {
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "{error}");
        thread::yield_now();
    }
}
