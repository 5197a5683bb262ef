//! Through a shared reference, while other threads use the receiver too.

use std::thread;

use signal_source::{Disposition, Signal, SignalSet, Signals, mask};

use crate::harness::{open, receives, set_ignored};
use crate::{USR1, USR2};

/// One change after the other: the set of the last counts, and each finds free what the one before has
/// removed.
pub(crate) fn by_several_threads_at_once() {
    let sets = [SignalSet::from(USR1), [USR1, USR2, Signal::CHLD].into(), Signal::CHLD.into()];
    set_ignored(Signal::CHLD);
    let guard = mask::block(sets[1]).expect("block");
    let signals = open(USR1);
    for _ in 0..200 {
        thread::scope(|scope| {
            let signals = &signals;
            for set in sets {
                scope.spawn(move || signals.update(set).expect("update"));
            }
        });
        let set = signals.set();
        assert!(sets.contains(&set), "{set:?}");
        receives(&signals);
        Signals::new(set).expect_err("taken");
        drop((sets[1] != set).then(|| open(sets[1] - set)));
    }
    drop(signals);
    assert_eq!(Signal::CHLD.disposition().expect("a disposition"), Disposition::Ignore);
    drop(guard);
    assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
}
