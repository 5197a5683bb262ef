//! Many threads that open and drop at once, while the signals come.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use signal_source::{OpenError, Signal, Signals, reserve};

use crate::harness::kernel::KERNEL;
use crate::harness::{eventually, hits, receives, send, set_counting};

const THREADS: usize = 8;

/// A signal has one receiver; the other threads are told so, and of no thread that does not block.
pub(crate) fn one_of_many_threads_opens() {
    reserve([Signal::TERM, Signal::USR1]).expect("reserve");
    let (start, opened) = (Arc::new(Barrier::new(THREADS)), Arc::new(AtomicUsize::new(0)));
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (start, opened) = (start.clone(), opened.clone());
            thread::spawn(move || {
                for round in 1..=50 {
                    start.wait();
                    let signals = match Signals::new([Signal::TERM, Signal::USR1]) {
                        Ok(signals) => Some(signals),
                        Err(OpenError::AlreadyReceived(_)) => None,
                        Err(error) => panic!("{error}"),
                    };
                    opened.fetch_add(usize::from(signals.is_some()), Ordering::SeqCst);
                    start.wait();
                    assert_eq!(opened.load(Ordering::SeqCst), round);
                    if let Some(signals) = signals {
                        receives(&signals);
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

/// A standard signal, sent only after the one before was received or acted: neither is lost.
pub(crate) fn opened_and_dropped_while_handlers_run() {
    const COUNT: usize = 2000;
    set_counting(Signal::USR1);
    reserve(Signal::USR1).expect("reserve");
    let (received, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (received, done) = (received.clone(), done.clone());
            thread::spawn(move || {
                while done.load(Ordering::SeqCst) == 0 {
                    match Signals::new(Signal::USR1) {
                        Ok(signals) => {
                            let one = signals.try_recv().expect("read").is_some();
                            received.fetch_add(usize::from(one), Ordering::SeqCst);
                        }
                        Err(OpenError::AlreadyReceived(_)) => thread::yield_now(),
                        Err(error) => panic!("{error}"),
                    }
                }
            })
        })
        .collect();
    for sent in 1..=COUNT {
        send(Signal::USR1);
        eventually("it is received or acts", || {
            received.load(Ordering::SeqCst) + hits(Signal::USR1) >= sent
        });
    }
    done.store(1, Ordering::SeqCst);
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    let sum = received.load(Ordering::SeqCst) + hits(Signal::USR1);
    // kqueue may do both at the moment of opening or closing, never neither.
    assert!(if KERNEL.masked { sum == COUNT } else { sum >= COUNT }, "{sum} of {COUNT}");
}

/// Real-time signals, each with a number of its own: each number once.
#[cfg(target_os = "linux")]
pub(crate) fn twenty_thousand_are_received_or_act() {
    use crate::ledger::{Sender, all, install, settle, sums};
    use signal_source::SignalSet;
    use std::sync::atomic::AtomicBool;

    install();
    reserve(all()).expect("reserve");
    let done = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..6_usize)
        .map(|thread| {
            let done = done.clone();
            thread::spawn(move || {
                let mut handed_on = None;
                let mut turn = thread;
                while !done.load(Ordering::SeqCst) {
                    turn += 1;
                    let signals = all().iter().cycle().skip(turn % 3).take(1 + turn / 3 % 3);
                    let signals: SignalSet = signals.collect();
                    match Signals::new(signals) {
                        Ok(signals) => handed_on = way(signals, turn),
                        Err(error) => {
                            is_for_now(error);
                            drop(handed_on.take());
                        }
                    }
                    thread::yield_now();
                }
            })
        })
        .collect();
    let mut sender = Sender::start();
    while sender.go_on() {
        thread::sleep(std::time::Duration::from_micros(100));
    }
    sender.end();
    done.store(true, Ordering::SeqCst);
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    settle();
    let (received, handled) = sums();
    println!("{received} received, {handled} handled");
    assert!(received > 0 && handled > 0, "both were tried: {received}, {handled}");
}

/// Another thread has the signals; or the crate's own is still running handlers of what came at once,
/// after a second on a machine that is busy.
#[cfg(target_os = "linux")]
fn is_for_now(error: OpenError) {
    match error {
        OpenError::AlreadyReceived(_) => {}
        OpenError::UnblockedThreads { threads, .. }
            if threads.iter().all(|thread| thread.name == "signal-source") => {}
        error => panic!("{error}"),
    }
}

/// Reads some, and drops here, elsewhere, changed, under a guard, or later.
#[cfg(target_os = "linux")]
fn way(signals: Signals, turn: usize) -> Option<Signals> {
    use crate::ledger::{all, received};
    use signal_source::mask;
    use std::time::Duration;

    let mut infos = Vec::new();
    signals.try_recv_many(&mut infos, turn % 7).expect("read");
    if turn % 5 == 0 {
        infos.extend(signals.recv_timeout(Duration::from_millis(1)).expect("read"));
    }
    infos.iter().for_each(received);
    match turn % 11 {
        0 => thread::spawn(move || drop(signals)).join().expect("no panic"),
        1 | 2 => {
            let one = all().iter().nth(turn % 3).expect("three");
            match signals.update(one) {
                Ok(()) => signals.try_recv().expect("read").iter().for_each(received),
                Err(error) => is_for_now(error),
            }
        }
        3 => {
            let guard = mask::block(all()).expect("block");
            drop(signals);
            drop(guard);
        }
        4 => return Some(signals),
        _ => {}
    }
    None
}
