//! The words of the crate: `Signal`, `SignalSet`, what errors and records say.

mod harness;
#[path = "vocabulary/inputs.rs"]
mod inputs;
#[cfg(feature = "serde")]
#[path = "vocabulary/serde.rs"]
mod serde;
#[path = "vocabulary/sets.rs"]
mod sets;

use std::collections::{BTreeSet, HashSet};

use self::inputs::*;
#[cfg(feature = "serde")]
use self::serde::*;
use self::sets::*;
use harness::kernel::KERNEL;
use harness::{in_fork, send, set_counting, set_default, set_ignored};
use signal_source::{Disposition, OpenError, Signal, SignalSet, Signals};

fn main() {
    harness::main(
        cases![
            names_and_numbers,
            every_signal_reads_back,
            lenient_names,
            real_time_names,
            padding,
            order_and_hash,
            dispositions,
            nohup_is_seen,
            the_empty_set,
            set_algebra,
            sets_from_many_things,
            iteration,
            everything_receivable,
            sets_print,
            error_messages,
            a_record_prints_on_one_line,
            numbers_convert_or_are_named,
            signals_and_sets_combine,
            records_compare_and_hash,
            any_text_is_a_signal_or_an_error,
            any_numbers_make_a_set,
            #[cfg(feature = "serde")]
            signals_are_names,
            #[cfg(feature = "serde")]
            bad_names_are_named,
            #[cfg(feature = "serde")]
            records_are_objects,
        ],
        roles![],
    );
}

/// POSIX's numbers where they are the same everywhere.
fn names_and_numbers() {
    for (signal, name, number) in [
        (Signal::HUP, "SIGHUP", 1),
        (Signal::INT, "SIGINT", 2),
        (Signal::QUIT, "SIGQUIT", 3),
        (Signal::ABRT, "SIGABRT", 6),
        (Signal::KILL, "SIGKILL", 9),
        (Signal::ALRM, "SIGALRM", 14),
        (Signal::TERM, "SIGTERM", 15),
    ] {
        assert_eq!(signal.to_string(), name);
        assert_eq!(format!("{signal:?}"), name);
        assert_eq!(signal.as_raw(), number);
        assert_eq!(Signal::from_raw(number), Some(signal));
        assert_eq!(name.parse(), Ok(signal));
        assert_eq!(name[3..].parse(), Ok(signal));
        assert_eq!(name[3..].to_lowercase().parse(), Ok(signal));
        assert_eq!(number.to_string().parse(), Ok(signal));
    }
}

fn every_signal_reads_back() {
    let every: Vec<_> = (-2..=200).filter_map(Signal::from_raw).collect();
    assert!(every.len() >= 31);
    let mut names = HashSet::new();
    for signal in every {
        let name = signal.to_string();
        assert!(name.starts_with("SIG"), "{name}");
        assert_eq!(name.parse(), Ok(signal), "{name}");
        assert_eq!(signal.as_raw().to_string().parse(), Ok(signal));
        assert!(names.insert(name), "{signal} twice");
    }
}

fn lenient_names() {
    for name in ["term", "Term", "SIGTERM", "sigterm", "SigTerm", "15", "015"] {
        assert_eq!(name.parse(), Ok(Signal::TERM), "{name}");
    }
    for (other, signal) in
        [("SIGCLD", Signal::CHLD), ("IOT", Signal::ABRT), ("SIGPOLL", Signal::IO)]
    {
        assert_eq!(other.parse(), Ok(signal), "{other}");
        assert_ne!(signal.to_string(), other, "it prints by its first name");
    }
}

fn real_time_names() {
    assert_eq!(Signal::rt(0).is_some(), KERNEL.real_time);
    assert_eq!("RTMIN".parse().ok(), Signal::rt(0));
    let Some(first) = Signal::rt(0) else { return };
    let count = (0..=u8::MAX).filter_map(Signal::rt).count();
    let offset = u8::try_from(count - 1).expect("few");
    let last = Signal::rt(offset).expect("the last");
    assert_eq!(Signal::rt(offset + 1), None);
    assert_eq!(first.to_string(), "SIGRTMIN");
    assert_eq!(Signal::rt(3).expect("the fourth").to_string(), "SIGRTMIN+3");
    assert_eq!("RTMIN".parse(), Ok(first));
    assert_eq!("SIGRTMIN+0".parse(), Ok(first));
    assert_eq!("rtmax".parse(), Ok(last));
    assert_eq!("RTMAX-0".parse(), Ok(last));
    assert_eq!(format!("RTMAX-{offset}").parse(), Ok(first));
    assert_eq!(format!("SIGRTMIN+{offset}").parse(), Ok(last));
    assert!(format!("RTMIN+{}", offset + 1).parse::<Signal>().is_err());
    assert!(first.is_receivable() && last.is_receivable());
}

fn padding() {
    assert_eq!(format!("[{:>9}]", Signal::HUP), "[   SIGHUP]");
    assert_eq!(format!("[{:<9}]", Signal::HUP), "[SIGHUP   ]");
}

fn order_and_hash() {
    assert!(Signal::HUP < Signal::INT && Signal::INT < Signal::TERM);
    let set: BTreeSet<_> = [Signal::TERM, Signal::HUP, Signal::TERM].into();
    assert_eq!(set.into_iter().collect::<Vec<_>>(), [Signal::HUP, Signal::TERM]);
    let sets: HashSet<SignalSet> =
        [SignalSet::EMPTY, SignalSet::default(), Signal::HUP.into()].into_iter().collect();
    assert_eq!(sets.len(), 2);
}

/// Origin: Go `TestIgnored` (G4)
fn dispositions() {
    let of = |signal: Signal| signal.disposition().expect("a disposition");
    set_default(Signal::WINCH);
    assert_eq!(of(Signal::WINCH), Disposition::Default);
    set_ignored(Signal::WINCH);
    assert_eq!(of(Signal::WINCH), Disposition::Ignore);
    set_counting(Signal::WINCH);
    assert_eq!(of(Signal::WINCH), Disposition::Handler);
    assert_eq!(of(Signal::KILL), Disposition::Default);
}

/// Origin: Go `TestDetectNohup` (G5): what the program was started with can be seen.
fn nohup_is_seen() {
    for (ignored, expected) in [(true, Disposition::Ignore), (false, Disposition::Default)] {
        in_fork(|| {
            if ignored {
                set_ignored(Signal::HUP);
            }
            assert_eq!(Signal::HUP.disposition().expect("a disposition"), expected);
            drop(Signals::new(Signal::HUP).expect("open"));
            assert_eq!(Signal::HUP.disposition().expect("a disposition"), expected);
        });
    }
}

/// Each says what is wrong, of which signal, and what to do.
fn error_messages() {
    let message = |error: OpenError| error.to_string();
    let empty = message(Signals::new([]).expect_err("empty"));
    assert!(empty.contains("empty") && empty.contains("at least one"), "{empty}");
    for (signal, reason) in [
        (Signal::KILL, "no process"),
        (Signal::STOP, "no process"),
        (Signal::SEGV, "fault"),
        (Signal::TRAP, "fault"),
    ] {
        let error = message(Signals::new([Signal::HUP, signal]).expect_err("bad"));
        assert!(error.starts_with(&format!("{signal} cannot be received")), "{error}");
        assert!(error.contains(reason) && error.contains("take it out of the set"), "{error}");
    }
    let _signals = Signals::new([Signal::HUP, Signal::INT]).expect("open");
    let taken = message(Signals::new([Signal::INT, Signal::TERM]).expect_err("taken"));
    assert!(taken.starts_with("SIGINT: already received"), "{taken}");
    assert!(taken.contains("drop that one"), "{taken}");
    // One line each.
    assert!(!(empty + &taken).contains('\n'));
}

fn a_record_prints_on_one_line() {
    let signals = Signals::new([Signal::USR1, Signal::USR2]).expect("open");
    send(Signal::USR1);
    let info = signals.recv().expect("recv");
    let text = info.to_string();
    assert!(text.starts_with("SIGUSR1"), "{text}");
    assert!(!text.contains('\n') && !format!("{info:?}").is_empty());
    assert!(format!("{info:?}").contains("SIGUSR1"), "{info:?}");
    if KERNEL.sender {
        assert!(text.contains(&format!("from process {} (uid ", harness::pid())), "{text}");
    }
    for _ in 0..3 {
        send(Signal::USR2);
    }
    let text = signals.recv().expect("recv").to_string();
    assert_eq!(text.contains("3 times"), KERNEL.counts, "{text}");
    #[cfg(target_os = "linux")]
    {
        signal_source::send::sigqueue(harness::pid(), Signal::USR1, -7).expect("sigqueue");
        let text = signals.recv().expect("recv").to_string();
        assert!(
            text.starts_with("SIGUSR1 queued by process ")
                && text.ends_with("value -7 (unverified)"),
            "{text}"
        );
    }
}

fn numbers_convert_or_are_named() {
    for number in -2..=200 {
        let converted = Signal::try_from(number);
        assert_eq!(converted.ok(), Signal::from_raw(number));
        if let Err(error) = converted {
            assert_eq!(error.number(), number);
            let text = error.to_string();
            assert!(text.starts_with(&format!("{number} is not the number of a signal")), "{text}");
            let error = std::io::Error::from(error);
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        }
    }
    let last = (1..=128).rev().find_map(Signal::from_raw).expect("some").as_raw();
    let text = Signal::try_from(i32::MAX).expect_err("too large").to_string();
    assert!(text.ends_with(&format!("from 1 to {last}")), "{text}");
}

fn records_compare_and_hash() {
    let signals = Signals::new([Signal::USR1, Signal::USR2]).expect("open");
    let receive = |signal| {
        send(signal);
        signals.recv().expect("recv")
    };
    let (one, same, other) = (receive(Signal::USR1), receive(Signal::USR1), receive(Signal::USR2));
    assert_eq!(one, same);
    assert_ne!(one, other);
    assert_eq!(HashSet::from([one, same, other]).len(), 2);
    assert_eq!(one.is_verified(), KERNEL.sender);
    let origins = HashSet::from([one.origin(), same.origin(), other.origin()]);
    assert_eq!(origins.len(), 1);
}
