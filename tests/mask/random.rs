//! At random, on three threads.

use signal_source::{Signal, SignalSet, Signals, mask};

use crate::harness::{Worker, raw_block, raw_mask, send, set_counting};
use crate::{HUP, USR1, USR2, blocked_by};

/// A small generator of numbers (xorshift), so that a failure can be repeated.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).expect("small")
    }
}

thread_local! {
    static GUARDS: std::cell::RefCell<Vec<mask::MaskGuard>> =
        const { std::cell::RefCell::new(Vec::new()) };
}

/// Receivers are opened on any of three threads and dropped on any other; guards come and go. What
/// a thread holds is blocked there; what it did not block before is so only while a holder needs
/// it; in the end all masks are as they were.
pub(crate) fn at_random_on_three_threads() {
    let signals = [HUP, USR1, USR2, Signal::ALRM];
    signals.into_iter().for_each(set_counting);
    for seed in 1..=40 {
        let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15 ^ seed);
        let workers: Vec<_> = (0..3).map(|_| Worker::start("worker")).collect();
        let before: Vec<SignalSet> =
            (0..3).map(|_| SignalSet::from(signals[numbers.below(4)])).collect();
        for (worker, &before) in workers.iter().zip(&before) {
            worker.run(move || raw_block(before));
        }
        let mut open_ones: Vec<(usize, SignalSet, Signals)> = Vec::new();
        let mut guards: Vec<(usize, SignalSet)> = Vec::new();
        for step in 0..100 {
            let thread = numbers.below(3);
            let set: SignalSet = (0..2).map(|_| signals[numbers.below(4)]).collect();
            match numbers.below(6) {
                0 | 1 => {
                    let opened =
                        workers[thread].run(move || Signals::builder().audit(false).open(set));
                    let taken = open_ones.iter().any(|(_, other, _)| !(*other & set).is_empty());
                    assert_eq!(opened.is_err(), taken);
                    open_ones.extend(opened.ok().map(|opened| (thread, set, opened)));
                }
                2 | 3 if !open_ones.is_empty() => {
                    let (.., one) = open_ones.swap_remove(numbers.below(open_ones.len()));
                    workers[thread].run(move || drop(one));
                }
                4 => {
                    workers[thread].run(move || {
                        let guard = mask::block(set).expect("block");
                        GUARDS.with_borrow_mut(|guards| guards.push(guard));
                    });
                    guards.push((thread, set));
                }
                5 if guards.iter().any(|(there, _)| *there == thread) => {
                    let mine = guards.iter().position(|(there, _)| *there == thread);
                    guards.remove(mine.expect("there is one"));
                    workers[thread].run(|| {
                        // The oldest, as above.
                        drop(GUARDS.with_borrow_mut(|guards| guards.remove(0)));
                    });
                }
                _ => send(signals[numbers.below(4)]),
            }
            let claimed = open_ones.iter().fold(SignalSet::EMPTY, |all, (_, set, _)| all | *set);
            for (thread, worker) in workers.iter().enumerate() {
                let receivers = open_ones.iter().filter(|(there, ..)| *there == thread);
                let held = receivers.fold(SignalSet::EMPTY, |all, (_, set, _)| all | *set);
                let guarded = guards.iter().filter(|(there, _)| *there == thread);
                let held = guarded.fold(blocked_by(held), |all, (_, set)| all | *set);
                let mask = worker.run(|| (mask::current().expect("mask"), raw_mask()));
                assert_eq!(mask.0, mask.1);
                let least = before[thread] | held;
                let most = least | blocked_by(claimed);
                assert!((least - mask.0).is_empty(), "seed {seed} step {step}: {mask:?}, {least}");
                assert!((mask.0 - most).is_empty(), "seed {seed} step {step}: {mask:?}, {most}");
            }
        }
        drop(open_ones);
        for (worker, before) in workers.iter().zip(before) {
            worker.run(|| GUARDS.with_borrow_mut(Vec::clear));
            assert_eq!(worker.run(|| mask::current().expect("mask")), before, "seed {seed}");
        }
    }
    assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
}
