//! `SignalSet`.

use crate::harness::kernel::KERNEL;
use signal_source::{Signal, SignalSet, Signals};

pub(crate) fn the_empty_set() {
    const EMPTY: SignalSet = SignalSet::EMPTY;
    assert!(EMPTY.is_empty());
    assert_eq!((EMPTY.len(), EMPTY.iter().next()), (0, None));
    assert_eq!(EMPTY, SignalSet::default());
    assert_eq!(format!("{EMPTY:?}"), "{}");
    assert_eq!(EMPTY, SignalSet::from([]));
    assert!(!EMPTY.contains(Signal::TERM));
}

/// Origin: mio-signals' set operations (R20)
pub(crate) fn set_algebra() {
    let [hup, int, term] = [Signal::HUP, Signal::INT, Signal::TERM];
    let (one, two) = (SignalSet::from([hup, int]), SignalSet::from([int, term]));
    assert_eq!(one | two, SignalSet::from([hup, int, term]));
    assert_eq!(one & two, SignalSet::from(int));
    assert_eq!(one - two, SignalSet::from(hup));
    assert_eq!(one.with(hup), one);
    assert_eq!(one.without(term), one);
    assert_eq!(one.without(hup), SignalSet::from(int));
    let mut set = one;
    set |= two;
    assert_eq!(set.len(), 3);
    set &= two;
    assert_eq!(set, two);
    set -= Signal::TERM.into();
    assert_eq!(set, int.into());
    set.extend([hup, hup, term]);
    assert_eq!(set, one | two);
    // The laws, over all pairs of signals.
    let every: Vec<_> = (1..=128).filter_map(Signal::from_raw).collect();
    for &a in &every {
        for &b in &every {
            let both = SignalSet::from([a, b]);
            assert_eq!(both.len(), if a == b { 1 } else { 2 });
            assert!(both.contains(a) && both.contains(b));
            assert_eq!(both - a.into(), if a == b { SignalSet::EMPTY } else { b.into() });
        }
    }
}

pub(crate) fn sets_from_many_things() {
    const STOP: SignalSet = SignalSet::EMPTY.with(Signal::INT).with(Signal::TERM);
    let slice: &[Signal] = &[Signal::TERM, Signal::INT];
    assert_eq!(SignalSet::from(slice), STOP);
    assert_eq!(SignalSet::from([Signal::INT, Signal::TERM, Signal::INT]), STOP);
    assert_eq!([Signal::INT, Signal::TERM].into_iter().collect::<SignalSet>(), STOP);
    assert_eq!(STOP.iter().collect::<SignalSet>(), STOP);
    assert_eq!(STOP.without(Signal::INT), Signal::TERM.into());
}

pub(crate) fn iteration() {
    let set = SignalSet::from([Signal::TERM, Signal::HUP, Signal::USR1]);
    let mut iter = set.iter();
    assert_eq!((iter.len(), iter.size_hint()), (3, (3, Some(3))));
    let numbers: Vec<_> = set.into_iter().map(Signal::as_raw).collect();
    assert!(numbers.is_sorted());
    assert_eq!(iter.next(), Some(Signal::HUP));
    assert_eq!(iter.len(), 2);
    assert_eq!(iter.clone().count(), 2);
    assert_eq!((iter.nth(1).is_some(), iter.next(), iter.next()), (true, None, None));
}

pub(crate) fn everything_receivable() {
    let all = SignalSet::all();
    for signal in (1..=128).filter_map(Signal::from_raw) {
        assert_eq!(all.contains(signal), signal.is_receivable(), "{signal}");
    }
    for signal in [Signal::HUP, Signal::TERM, Signal::CHLD, Signal::TSTP, Signal::ABRT] {
        assert!(all.contains(signal), "{signal}");
    }
    assert_eq!(all.contains(Signal::CONT), KERNEL.cont);
    for signal in [Signal::KILL, Signal::STOP, Signal::SEGV, Signal::ILL] {
        assert!(!all.contains(signal), "{signal}");
    }
    // Its length in numbers: nothing but the above is left out.
    #[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
    assert_eq!(all.len(), 31 - 8 + 31);
}

/// Origin: Go `TestNotifyContextStringer` (G15)
pub(crate) fn sets_print() {
    let set = SignalSet::from([Signal::TERM, Signal::HUP, Signal::INT]);
    assert_eq!(format!("{set:?}"), "{SIGHUP, SIGINT, SIGTERM}");
    assert_eq!(set.to_string(), "SIGHUP, SIGINT, SIGTERM");
    assert_eq!(SignalSet::EMPTY.to_string(), "");
    assert!(format!("{set:#?}").lines().count() > 3);
}

pub(crate) fn signals_and_sets_combine() {
    let [hup, int, term] = [Signal::HUP, Signal::INT, Signal::TERM];
    let all = SignalSet::from([hup, int, term]);
    assert_eq!(hup | int | term, all);
    assert_eq!(hup | SignalSet::from([int, term]), all);
    assert_eq!(SignalSet::from([int, term]) | hup, all);
    assert_eq!(SignalSet::from(vec![term, hup, int, hup]), all);
    assert_eq!(SignalSet::from(Vec::new()), SignalSet::EMPTY);
    let signals = Signals::new(vec![hup, term]).expect("open");
    assert_eq!(signals.set(), hup | term);
}
