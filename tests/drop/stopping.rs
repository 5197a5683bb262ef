//! Signals that stop the process.

use std::thread;

use signal_source::{Signal, SignalSet, mask};

use crate::harness::{self, send};
use crate::{Way, open};

fn stops(way: Way) {
    for signal in [Signal::TSTP, Signal::TTIN, Signal::TTOU] {
        for unread in [true, false] {
            let child = harness::fork(|| {
                way(signal, &|| {
                    if unread {
                        send(signal);
                    }
                });
                if !unread {
                    send(signal);
                }
                // Woken by CONT, it goes on.
                assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
            });
            assert_eq!(harness::wait_for_stop(child), signal);
            signal_source::send::kill(child, Signal::CONT).expect("a child");
            assert!(harness::wait(child).success());
        }
    }
}

pub(crate) fn stop_signals_stop() {
    stops(|signal, sends| {
        let signals = open(signal);
        sends();
        drop(signals);
    });
}

pub(crate) fn stop_signals_stop_after_a_drop_elsewhere() {
    stops(|signal, sends| {
        let signals = open(signal);
        sends();
        thread::spawn(move || drop(signals)).join().expect("no panic");
    });
}
