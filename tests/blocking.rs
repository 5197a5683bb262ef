//! A plain blocking receiver: threads that wait, for ever or for a while.

mod harness;

use std::collections::BTreeSet;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use harness::kernel::KERNEL;
use harness::{End, cpu_time, eventually, fork, hits, pid, send, set_counting, wait};
use signal_source::{Signal, SignalInfo, Signals, send as sends};

fn main() {
    harness::main(
        cases![
            try_recv_does_not_block,
            recv_blocks_until_sent,
            recv_is_woken_by_another_process,
            zero_timeout_looks_once,
            a_timeout_ends,
            timeouts_beyond_all_clocks,
            waiting_costs_no_cpu,
            a_program_s_own_signals_end_no_wait,
            a_program_s_own_signals_do_not_prolong_a_timeout,
            iterates,
            moves_to_another_thread,
            waiting_threads_take_turns,
            one_signal_wakes_one_of_many_threads,
            threads_share_a_queue,
            waits_beside_a_poller,
            #[cfg(target_os = "linux", "only Linux shows the mask of a thread")]
            a_thread_that_waits_lets_the_set_in,
            #[cfg(target_os = "linux", "elsewhere no thread has to block")]
            waits_in_a_thread_that_does_not_block,
            dropped_after_a_timeout => End::DiesOf(Signal::TERM),
        ],
        roles![kills],
    );
}

const SOON: Duration = Duration::from_millis(100);

/// Another process: sends `pid` a signal, after a while.
fn kills(arguments: &[String]) {
    let [pid, signal] = arguments else { panic!("pid and signal: {arguments:?}") };
    thread::sleep(SOON);
    sends::kill(pid.parse().expect("a pid"), signal.parse().expect("a signal")).expect("sent");
}

// origin: signal-hook pending_doesnt_block (R10)
fn try_recv_does_not_block() {
    let signals = Signals::new(Signal::USR1).expect("open");
    let mut infos = Vec::new();
    assert!(signals.try_recv().expect("try_recv").is_none());
    assert_eq!(signals.try_recv_many(&mut infos, 64).expect("try_recv_many"), 0);
    send(Signal::USR1);
    assert_eq!(signals.try_recv_many(&mut infos, 0).expect("limit 0"), 0);
    assert_eq!(signals.try_recv_many(&mut infos, 64).expect("try_recv_many"), 1);
    assert_eq!(infos.len(), 1);
    assert!(signals.try_recv().expect("try_recv").is_none());
}

// origin: signal-hook signals_block_wait (R10)
fn recv_blocks_until_sent() {
    let signals = Signals::new(Signal::USR1).expect("open");
    let start = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(SOON);
            send(Signal::USR1);
        });
        assert_eq!(signals.recv().expect("recv").signal(), Signal::USR1);
        assert!(start.elapsed() >= SOON);
    });
}

fn recv_is_woken_by_another_process() {
    let signals = Signals::new([Signal::USR1, Signal::TERM]).expect("open");
    let mut other = harness::role("kills", &[&pid().to_string(), "TERM"]).spawn().expect("spawn");
    let info = signals.recv().expect("recv");
    assert_eq!(info.signal(), Signal::TERM);
    if KERNEL.sender {
        assert_eq!(info.sender().map(|sender| sender.pid), Some(other.id()));
    }
    assert!(other.wait().expect("wait").success());
}

fn zero_timeout_looks_once() {
    let signals = Signals::new(Signal::USR1).expect("open");
    assert!(signals.recv_timeout(Duration::ZERO).expect("recv_timeout").is_none());
    send(Signal::USR1);
    let info = signals.recv_timeout(Duration::ZERO).expect("recv_timeout");
    assert_eq!(info.expect("pending").signal(), Signal::USR1);
    assert!(signals.recv_timeout(Duration::ZERO).expect("recv_timeout").is_none());
}

// origin: curio test_task_signal_timeout (P25), libevent signal_timeout (E4)
fn a_timeout_ends() {
    let signals = Signals::new([Signal::USR1, Signal::USR2]).expect("open");
    let nanosecond = Duration::from_nanos(1);
    for timeout in [nanosecond, Duration::from_micros(10), nanosecond * 1_999_999, SOON] {
        let start = Instant::now();
        assert!(signals.recv_timeout(timeout).expect("recv_timeout").is_none());
        assert!(start.elapsed() >= timeout, "{timeout:?}");
    }
    send(Signal::USR2);
    let info = signals.recv_timeout(SOON).expect("recv_timeout");
    assert_eq!(info.expect("pending").signal(), Signal::USR2);
}

fn timeouts_beyond_all_clocks() {
    let signals = Signals::new(Signal::USR1).expect("open");
    let most = i64::MAX.unsigned_abs();
    let timeouts = [
        Duration::MAX,
        Duration::from_secs(u64::MAX),
        Duration::from_secs(most),
        Duration::from_secs(most / 2),
        Duration::from_secs(most / 1_000_000_000),
        Duration::from_secs(u32::MAX.into()),
    ];
    for timeout in timeouts {
        let child = fork(|| kills(&[sent_to(), "USR1".into()]));
        let info = signals.recv_timeout(timeout).expect("recv_timeout");
        assert_eq!(info.expect("no timeout").signal(), Signal::USR1, "{timeout:?}");
        wait(child);
    }
}

/// In a forked child: the process that forked.
fn sent_to() -> String {
    std::os::unix::process::parent_id().to_string()
}

/// A busy loop would use all of the time that the machine has for it.
fn waiting_costs_no_cpu() {
    const WAIT: Duration = Duration::from_secs(1);
    let signals = Signals::new(Signal::USR1).expect("open");
    let before = cpu_time();
    assert!(signals.recv_timeout(WAIT).expect("recv_timeout").is_none());
    let child = fork(|| {
        thread::sleep(WAIT);
        kills(&[sent_to(), "USR1".into()]);
    });
    signals.recv().expect("recv");
    let used = cpu_time() - before;
    assert!(used < WAIT / 10, "{used:?} of CPU time while waiting for 2 seconds");
    wait(child);
}

/// Sends the parent USR2 many times, with pauses in which it falls asleep again.
fn disturb_parent() {
    let parent = std::os::unix::process::parent_id();
    for _ in 0..20 {
        thread::sleep(Duration::from_millis(5));
        sends::kill(parent, Signal::USR2).expect("sent");
    }
}

fn a_program_s_own_signals_end_no_wait() {
    set_counting(Signal::USR2);
    let signals = Signals::new(Signal::USR1).expect("open");
    let child = fork(|| {
        disturb_parent();
        kills(&[sent_to(), "USR1".into()]);
    });
    assert_eq!(signals.recv().expect("recv").signal(), Signal::USR1);
    assert!(hits(Signal::USR2) > 0);
    wait(child);
}

fn a_program_s_own_signals_do_not_prolong_a_timeout() {
    set_counting(Signal::USR2);
    let signals = Signals::new(Signal::USR1).expect("open");
    let child = fork(|| {
        loop {
            disturb_parent();
        }
    });
    while hits(Signal::USR2) < 5 {
        let start = Instant::now();
        assert!(signals.recv_timeout(SOON).expect("recv_timeout").is_none());
        assert!(start.elapsed() >= SOON);
    }
    sends::kill(child, Signal::KILL).expect("sent");
    wait(child);
}

fn iterates() {
    let signals = Signals::new([Signal::USR1, Signal::USR2]).expect("open");
    let mut seen = Vec::new();
    send(Signal::USR1);
    for info in &signals {
        seen.push(info.expect("recv").signal());
        match seen.len() {
            1 => send(Signal::USR2),
            2 => send(Signal::USR1),
            _ => break,
        }
    }
    assert_eq!(seen, [Signal::USR1, Signal::USR2, Signal::USR1]);
    send(Signal::USR2);
    let next = signals.iter().next().expect("it never ends");
    assert_eq!(next.expect("recv").signal(), Signal::USR2);
}

fn moves_to_another_thread() {
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
fn waiting_threads_take_turns() {
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
fn one_signal_wakes_one_of_many_threads() {
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
fn waits_beside_a_poller() {
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
fn a_thread_that_waits_lets_the_set_in() {
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
fn waits_in_a_thread_that_does_not_block() {
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
fn threads_share_a_queue() {
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

// origin: curio test_task_signal_timeout (P25)
fn dropped_after_a_timeout() {
    let signals = Signals::new(Signal::TERM).expect("open");
    assert!(signals.recv_timeout(Duration::from_millis(10)).expect("recv_timeout").is_none());
    drop(signals);
    send(Signal::TERM);
    process::exit(1);
}
