//! Every order in which holders begin and end, compared with a model.

use signal_source::{SignalSet, Signals, mask};

use crate::harness::{raw_block, raw_mask, raw_unblock};
use crate::{HUP, USR1, USR2, blocked_by, open};

/// What can be held, twice over: two receivers and two guards whose signals overlap.
const KINDS: [(bool, SignalSet); 4] = [
    (true, SignalSet::EMPTY.with(USR1)),
    (true, SignalSet::EMPTY.with(USR2).with(HUP)),
    (false, SignalSet::EMPTY.with(USR1).with(USR2)),
    (false, SignalSet::EMPTY.with(USR2).with(HUP)),
];

enum Held {
    Receiver(#[expect(dead_code, reason = "held for its drop")] Signals),
    Guard(mask::MaskGuard),
}

fn make(kind: usize) -> Held {
    match KINDS[kind] {
        (true, set) => Held::Receiver(open(set)),
        (false, set) => Held::Guard(mask::block(set).expect("block")),
    }
}

/// What the kind keeps blocked.
fn blocks(kind: usize) -> SignalSet {
    let (is_receiver, set) = KINDS[kind];
    if is_receiver { blocked_by(set) } else { set }
}

/// Every order of steps in which each of `kinds` begins once and ends once.
fn orders(kinds: usize) -> Vec<Vec<usize>> {
    fn extend(order: &mut Vec<usize>, left: &mut [u8], all: &mut Vec<Vec<usize>>) {
        if left.iter().all(|&steps| steps == 0) {
            all.push(order.clone());
        }
        for kind in 0..left.len() {
            if left[kind] > 0 {
                left[kind] -= 1;
                order.push(kind);
                extend(order, left, all);
                order.pop();
                left[kind] += 1;
            }
        }
    }
    let mut all = Vec::new();
    extend(&mut Vec::new(), &mut vec![2; kinds], &mut all);
    all
}

/// Goes through the order; `kept` tells which guards end by `keep`. The model: blocked is what was
/// before, what a holder holds, and what was kept.
fn go_through(order: &[usize], before: SignalSet, kept: &[bool]) {
    let mut held: Vec<Option<Held>> = KINDS.iter().map(|_| None).collect();
    let mut for_good = before;
    for &kind in order {
        match held[kind].take() {
            None => held[kind] = Some(make(kind)),
            Some(Held::Guard(guard)) if kept[kind] => {
                guard.keep();
                for_good |= blocks(kind);
            }
            Some(ends) => drop(ends),
        }
        let holding = (0..KINDS.len()).filter(|&kind| held[kind].is_some());
        let model = holding.fold(for_good, |all, kind| all | blocks(kind));
        assert_eq!(raw_mask(), model, "{order:?} before {before} kept {kept:?}");
    }
    raw_unblock(for_good);
}

pub(crate) fn every_order() {
    let orders = orders(4);
    assert_eq!(orders.len(), 2520);
    for before in [SignalSet::EMPTY, USR2.into(), SignalSet::from([USR1, HUP])] {
        for order in &orders {
            raw_block(before);
            go_through(order, before, &[false; 4]);
        }
    }
}

pub(crate) fn every_order_with_keep() {
    for order in orders(4) {
        for kept in [[false, false, true, false], [false, false, false, true], [true; 4]] {
            go_through(&order, SignalSet::EMPTY, &kept);
        }
    }
}
