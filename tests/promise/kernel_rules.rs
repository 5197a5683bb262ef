//! What the kernel does with or without a receiver: KILL, STOP, faults, signals that cancel one
//! another, signals directed at one thread.

use signal_source::{Signal, SignalSet};

use crate::harness::kernel::KERNEL;
use crate::harness::{self, open, received, send, wait_for_death};

/// Origin: gVisor `KillStillKills` (K8), own probe D
pub(crate) fn kill_still_kills() {
    let _signals = open(SignalSet::all());
    send(Signal::KILL);
    wait_for_death();
}

/// Origin: own probe D
pub(crate) fn stop_still_stops() {
    let child = harness::fork(|| {
        let signals = open(SignalSet::all());
        send(Signal::TERM);
        send(Signal::STOP);
        assert!(received(&signals).contains(&Signal::TERM));
    });
    assert_eq!(harness::wait_for_stop(child), Signal::STOP);
    signal_source::send::kill(child, Signal::CONT).expect("a child");
    assert!(harness::wait(child).success());
}

/// A real fault can't be received: it kills as ever. Origin: own probe E
pub(crate) fn a_real_fault_kills() {
    harness::fork_dies_of(Signal::SEGV, || {
        let _signals = open(SignalSet::all());
        harness::without_core();
        harness::fault();
    });
}

/// Nor is `abort` kept waiting by a receiver of ABRT. Origin: own probe E3
pub(crate) fn abort_still_aborts() {
    harness::fork_dies_of(Signal::ABRT, || {
        let _signals = open(SignalSet::all());
        harness::without_core();
        std::process::abort();
    });
}

/// Left unaudited, a thread that lets the signal in gets it. Origin: own probe 15
#[cfg(target_os = "linux")]
pub(crate) fn an_unaudited_thread_takes_the_signal() {
    harness::fork_dies_of(Signal::TERM, || {
        let _worker = harness::Worker::start("worker");
        let _signals = signal_source::Signals::builder().audit(false).open(Signal::TERM);
        send(Signal::TERM);
        wait_for_death();
    });
}

/// The kernel itself takes back a stop at CONT, and CONT at a stop. Origin: own probe 18b
#[cfg(target_os = "linux")]
pub(crate) fn stop_and_cont_cancel_one_another() {
    let signals = open([Signal::TSTP, Signal::CONT]);
    send(Signal::TSTP);
    send(Signal::CONT);
    assert_eq!(received(&signals), [Signal::CONT]);
    send(Signal::CONT);
    send(Signal::TSTP);
    assert_eq!(received(&signals), [Signal::TSTP]);
}

/// A signal directed at a thread is that thread's to receive. Origin: own probe 9, libkqueue
/// `pthread_kill_self` (K28)
pub(crate) fn directed_at_a_thread() {
    harness::set_counting(Signal::USR1);
    let signals = std::sync::Arc::new(open(Signal::USR1));
    harness::raise(Signal::USR1);
    assert_eq!(!received(&signals).is_empty(), KERNEL.raise);
    let elsewhere = signals.clone();
    let worker = harness::Worker::start("worker"); // inherits the block
    worker.run(|| harness::raise(Signal::USR1));
    assert_eq!(!received(&signals).is_empty(), KERNEL.directed_elsewhere);
    let own = worker.run(move || received(&elsewhere));
    assert_eq!(!own.is_empty(), KERNEL.raise && !KERNEL.directed_elsewhere);
}

/// Origin: libevent `signal_assert` (E7)
pub(crate) fn cont_after_the_end_does_nothing() {
    drop(open([Signal::WINCH, Signal::URG]));
    let others = open(Signal::HUP);
    [Signal::CONT, Signal::WINCH, Signal::URG].into_iter().for_each(send);
    assert_eq!(received(&others), []);
}
