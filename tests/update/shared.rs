//! Through a shared reference, while other threads use the receiver too.

use std::thread;
use std::time::Duration;

use signal_source::{Disposition, OpenError, Signal, SignalSet, Signals, mask};

use crate::harness::kernel::KERNEL;
use crate::harness::{eventually, hits, open, received, receives, send, set_counting, set_ignored};
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

/// Where threads wait for the set that they were given (Linux), a change is refused and says why, until
/// they have returned; threads that come later are not in the way, and learn of it. So does elsewhere
/// every thread.
pub(crate) fn while_threads_are_in_recv() {
    set_counting(USR1);
    let guard = mask::block(USR2).expect("block");
    let signals = open(USR1);
    let recv = || signals.recv().expect("recv").signal();
    thread::scope(|scope| {
        let first = [(); 2].map(|()| scope.spawn(recv));
        if KERNEL.masked {
            let waiting = || mask::unblocked_threads(USR1).expect("/proc").len();
            eventually("both wait", || waiting() == 2);
            for set in [SignalSet::from([USR1, USR2]), USR2.into()] {
                let error = signals.update(set).expect_err("they wait for USR1");
                assert!(matches!(error, OpenError::Waiting(2)), "{error}");
                assert!(error.to_string().contains("in recv"), "{error}");
                assert_eq!(signals.set(), USR1.into());
            }
            signals.update(USR1).expect("the same set");
        }
        let later = scope.spawn(|| while recv() != USR2 {});
        send(USR2); // not received, and blocked
        eventually("the first have received one", || {
            send(USR1);
            first.iter().all(|thread| thread.is_finished())
        });
        for thread in first {
            assert_eq!(thread.join().expect("no panic"), USR1);
        }
        signals.update([USR1, USR2]).expect("no thread waits for USR1 alone");
        later.join().expect("no panic");
    });
    received(&signals);
    signals.update(USR2).expect("no thread waits");
    receives(&signals);
    assert_eq!(hits(USR1), 0);
    drop(signals);
    drop(guard);
}

/// Threads that wait for a moment again and again, while the set changes: what a thread has received
/// it was in the set for, and what is removed acts.
pub(crate) fn between_the_waits_of_others() {
    set_counting(USR1);
    let guard = mask::block([USR1, USR2, Signal::HUP]).expect("block");
    let signals = open(USR1);
    let (mut changed, mut refused) = (0, 0);
    thread::scope(|scope| {
        let wait = || {
            while signals.set() != Signal::HUP.into() {
                signals.recv_timeout(Duration::from_micros(100)).expect("recv");
            }
        };
        let threads: [_; 2] = [(); 2].map(|()| scope.spawn(wait));
        while changed < 100 {
            let set = if changed % 2 == 0 { USR2 } else { USR1 };
            match signals.update(set) {
                Ok(()) => changed += 1,
                Err(OpenError::Waiting(threads)) => refused += u32::from(threads > 0),
                Err(error) => panic!("{error}"),
            }
            thread::yield_now();
        }
        eventually("the last change", || signals.update(Signal::HUP).is_ok());
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    });
    assert!(refused > 0 || !KERNEL.masked, "{refused}");
    drop(signals);
    drop(guard);
    send(USR1);
    assert_eq!(hits(USR1), 1);
}
