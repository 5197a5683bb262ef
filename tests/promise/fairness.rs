//! Which signal comes first when several are pending.

use signal_source::{Signal, SignalSet};

use crate::harness::kernel::{KERNEL, Order};
use crate::harness::{open, received, send};

/// Origin: mio-signals' example (R19), own probe 2
pub(crate) fn lowest_or_earliest_first() {
    let sent = [Signal::USR1, Signal::USR2, Signal::INT, Signal::QUIT, Signal::TERM];
    let signals = open(sent);
    sent.into_iter().for_each(send);
    let mut expected = sent.to_vec();
    if KERNEL.order == Order::Number {
        expected.sort();
    }
    assert_eq!(received(&signals), expected);
}

/// Reading one by one while the lowest comes again and again never gets to the higher one.
pub(crate) fn a_low_flood_holds_back_a_higher_one() {
    let signals = open([Signal::HUP, Signal::TERM]);
    send(Signal::TERM);
    let mut seen = Vec::new();
    for _ in 0..50 {
        send(Signal::HUP);
        seen.push(signals.recv().expect("recv").signal());
    }
    match KERNEL.order {
        Order::Number => assert!(seen.iter().all(|&signal| signal == Signal::HUP), "{seen:?}"),
        Order::Arrival => assert_eq!(seen[0], Signal::TERM),
    }
    assert!(seen.contains(&Signal::TERM) || received(&signals) == [Signal::TERM], "not lost");
}

pub(crate) fn many_at_once_sees_all() {
    let signals = open([Signal::HUP, Signal::TERM]);
    let mut infos = Vec::new();
    for _ in 0..50 {
        send(Signal::TERM);
        send(Signal::HUP);
        infos.clear();
        assert_eq!(signals.try_recv_many(&mut infos, 64).expect("read"), 2);
    }
}

/// Origin: Trio's fairness test (T-c), which a receiver of its own answers
pub(crate) fn a_receiver_of_its_own_goes_first() {
    let urgent = open(Signal::TERM);
    let others = open(SignalSet::all() - Signal::TERM.into());
    for _ in 0..50 {
        send(Signal::HUP);
        send(Signal::USR1);
        send(Signal::TERM);
        assert_eq!(urgent.recv().expect("recv").signal(), Signal::TERM);
        assert!(urgent.try_recv().expect("try_recv").is_none());
        assert_eq!(received(&others).len(), 2);
    }
}
