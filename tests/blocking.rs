//! A plain blocking receiver: threads that wait, for ever or for a while.

mod harness;
#[path = "blocking/threads.rs"]
mod threads;

use std::process;
use std::thread;
use std::time::{Duration, Instant};

use harness::kernel::KERNEL;
use harness::{End, cpu_time, fork, hits, pid, send, set_counting, wait};
use signal_source::{Signal, Signals, send as sends};
use threads::*;

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
    let used = cpu_time() - before;
    // To fork takes time of its own.
    let child = fork(|| {
        thread::sleep(WAIT);
        kills(&[sent_to(), "USR1".into()]);
    });
    let before = cpu_time();
    signals.recv().expect("recv");
    let used = used + (cpu_time() - before);
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

// origin: curio test_task_signal_timeout (P25)
fn dropped_after_a_timeout() {
    let signals = Signals::new(Signal::TERM).expect("open");
    assert!(signals.recv_timeout(Duration::from_millis(10)).expect("recv_timeout").is_none());
    drop(signals);
    send(Signal::TERM);
    process::exit(1);
}
