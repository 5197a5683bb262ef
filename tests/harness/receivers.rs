//! Receivers, and all that they change in the process.

use signal_source::{Disposition, Signal, SignalInfo, SignalSet, Signals, mask};

use super::kernel::KERNEL;
use super::{descriptors, raw_mask, send};

/// Opens a receiver.
pub fn open(set: impl Into<SignalSet>) -> Signals {
    Signals::new(set).expect("open")
}

/// Opens a receiver where other threads may not block the set.
pub fn open_unaudited(set: impl Into<SignalSet>) -> Signals {
    Signals::builder().audit(false).open(set).expect("open")
}

/// Reads all that is pending, one by one.
pub fn drain(signals: &Signals) -> Vec<Signal> {
    std::iter::from_fn(|| signals.try_recv().expect("try_recv")).map(|info| info.signal()).collect()
}

/// Reads all that is pending, by more than one call where that is more than a few.
pub fn received(signals: &Signals) -> Vec<Signal> {
    let mut infos = Vec::new();
    while signals.try_recv_many(&mut infos, 7).expect("read") > 0 {}
    infos.iter().map(SignalInfo::signal).collect()
}

/// Sends each of its signals, which it must receive.
#[track_caller]
pub fn receives(signals: &Signals) {
    for signal in signals.set() {
        send(signal);
        assert_eq!(received(signals), [signal]);
    }
}

/// What stays blocked in the thread that opens a receiver of the set.
pub fn blocked_by(set: impl Into<SignalSet>) -> SignalSet {
    if KERNEL.masked { set.into() } else { SignalSet::EMPTY }
}

/// All that a receiver changes in the process.
#[derive(Debug, PartialEq)]
pub struct Everything {
    pub mask: SignalSet,
    pub dispositions: Vec<(Signal, Disposition)>,
    pub descriptors: usize,
}

impl Everything {
    pub fn now() -> Everything {
        let mask = mask::current().expect("mask");
        assert_eq!(mask, raw_mask());
        let dispositions = SignalSet::all()
            .iter()
            .map(|signal| (signal, signal.disposition().expect("a disposition")))
            .collect();
        Everything { mask, dispositions, descriptors: descriptors() }
    }
}
