//! Forks by a thread that did not open: what the child inherited and what it made itself goes in
//! every order, on any of its threads, and then the child is as it would be without the crate.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use signal_source::{Signal, SignalSet, Signals, mask};

use crate::harness::{Worker, eventually, hits, in_fork, open, raw_mask, receives, send};
use crate::harness::{raw_block, set_counting};

const USR1: Signal = Signal::USR1;
const USR2: Signal = Signal::USR2;

/// What a child lets go of.
enum Held {
    Receiver(Signals),
    Guard(mask::MaskGuard),
}

impl Held {
    /// Lets go of it, on a thread of its own where the round says so.
    fn end(self, elsewhere: bool) {
        match self {
            Held::Receiver(signals) if elsewhere => {
                thread::spawn(move || drop(signals)).join().expect("no panic");
            }
            Held::Receiver(signals) => drop(signals),
            Held::Guard(guard) => drop(guard),
        }
    }
}

/// The orders of four things.
fn orders() -> Vec<[usize; 4]> {
    let all = (0..256).map(|code| [code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6 & 3]);
    all.filter(|order| (0..4).all(|thing| order.contains(&thing))).collect()
}

/// Main has a receiver. Another thread makes a guard and forks; the child opens its own receiver
/// and makes its own guard, where the round says so.
fn rounds(worker: &Worker) {
    [USR1, USR2].into_iter().for_each(set_counting);
    let orders = orders();
    assert_eq!(orders.len(), 24);
    for round in 0..384 {
        let order = orders[round % 24];
        let (elsewhere, with_own) = (round / 24 % 4, round / 96 % 4);
        let signals = open(USR1);
        let signals = worker.run(move || {
            let inherited = std::cell::RefCell::new(Some((signals, mask::block(USR1).expect("b"))));
            in_fork(|| {
                let (signals, guard) = inherited.take().expect("inherited");
                let mut held =
                    [Some(Held::Receiver(signals)), Some(Held::Guard(guard)), None, None];
                if with_own & 1 != 0 {
                    held[2] = Some(Held::Receiver(open([USR1, USR2])));
                }
                if with_own & 2 != 0 {
                    held[3] = Some(Held::Guard(mask::block([USR1, USR2]).expect("block")));
                }
                for thing in order {
                    if let Some(held) = held[thing].take() {
                        held.end(elsewhere >> (thing >> 1) & 1 != 0);
                    }
                }
                let all = format!("round {round}: {order:?}, {elsewhere}, {with_own}");
                assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY, "{all}");
                assert_eq!(raw_mask(), SignalSet::EMPTY, "{all}");
                for signal in [USR1, USR2] {
                    send(signal);
                    assert_eq!(hits(signal), 1, "{all}");
                }
                receives(&open([USR1, USR2]));
            });
            inherited.take().expect("the parent's own").0
        });
        receives(&signals);
        drop(signals);
        assert_eq!((hits(USR1), hits(USR2)), (0, 0));
    }
}

/// The worker is born while a receiver has the signal: it inherits the block.
fn inheriting_worker() -> Worker {
    let signals = open(USR1);
    let worker = Worker::start("worker");
    drop(signals);
    worker
}

pub(crate) fn what_was_inherited_goes_in_every_order() {
    rounds(&inheriting_worker());
}

/// Another thread opens and drops all the while: it has the crate's lock at many a fork.
pub(crate) fn what_was_inherited_goes_in_every_order_beside_a_busy_thread() {
    let worker = inheriting_worker();
    let (stop, count) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
    let busy = {
        let (stop, count) = (stop.clone(), count.clone());
        thread::spawn(move || {
            raw_block([USR1, USR2]);
            while !stop.load(Ordering::SeqCst) {
                drop(Signals::builder().audit(false).open(Signal::HUP).expect("open"));
                count.fetch_add(1, Ordering::SeqCst);
            }
        })
    };
    eventually("it is busy", || count.load(Ordering::SeqCst) > 10);
    rounds(&worker);
    stop.store(true, Ordering::SeqCst);
    busy.join().expect("no panic");
}
