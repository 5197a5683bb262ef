//! Sets, numbers and names that are refused for what they are.

use std::io::{self, ErrorKind};

use nix::libc;
use signal_source::{OpenError, Signal, SignalSet, Signals};

#[cfg(target_os = "linux")]
use crate::harness::Worker;
use crate::harness::kernel::KERNEL;
use crate::harness::{open, received, send, without_descriptors};
use crate::{refuses, with_a_past};

/// Origin: Trio `test_open_signal_receiver_empty_fail` (P7)
pub(crate) fn an_empty_set() {
    with_a_past();
    let empty = |error: &OpenError| matches!(error, OpenError::Empty);
    refuses(SignalSet::EMPTY, || Signals::new([]).expect_err("empty"), empty);
    refuses(SignalSet::EMPTY, || Signals::new(SignalSet::EMPTY).expect_err("empty"), empty);
    let signals = open(Signal::USR1);
    refuses(SignalSet::EMPTY, || signals.update([]).expect_err("empty"), empty);
    send(Signal::USR1);
    assert_eq!(received(&signals), [Signal::USR1]);
}

const FAULTS: [Signal; 6] =
    [Signal::ILL, Signal::TRAP, Signal::BUS, Signal::FPE, Signal::SEGV, Signal::SYS];

/// Every signal of this system that no receiver may have.
fn not_receivable() -> Vec<Signal> {
    let every = (1..=128).filter_map(Signal::from_raw);
    every.filter(|signal| !signal.is_receivable()).collect()
}

/// Origin: uvloop `signals_invalid_signal` (P29), asyncio `test_add_signal_handler` (P16),
/// own probes 13, 14 and E: the kernel takes them without a word.
pub(crate) fn what_cannot_be_received() {
    with_a_past();
    for signal in [Signal::KILL, Signal::STOP].into_iter().chain(FAULTS) {
        assert!(!signal.is_receivable(), "{signal}");
    }
    // glibc keeps 32 and 33 for itself.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for number in [32, 33] {
        assert!(!Signal::from_raw(number).expect("it exists").is_receivable(), "{number}");
    }
    let signals = open(Signal::USR1);
    for bad in not_receivable() {
        let named = |error: &OpenError| {
            assert!(error.to_string().contains(&bad.to_string()), "{error}");
            matches!(error, OpenError::NotReceivable(signal) if *signal == bad)
        };
        refuses(bad, || Signals::new(bad).expect_err("bad"), named);
        refuses(bad, || signals.update(bad).expect_err("bad"), named);
    }
    let message = Signals::new(Signal::KILL).expect_err("bad").to_string();
    assert!(message.contains("cannot be received"), "{message}");
}

/// Origin: Trio `restore_handler_after_one_bad_signal` (P6)
pub(crate) fn a_bad_signal_in_the_middle() {
    with_a_past();
    for bad in not_receivable() {
        // The neighbours by number, and all there is.
        for set in [
            [bad.as_raw() - 1, bad.as_raw(), bad.as_raw() + 1]
                .into_iter()
                .filter_map(Signal::from_raw)
                .collect(),
            SignalSet::all().with(bad),
            SignalSet::from([Signal::CHLD, bad, Signal::TERM, bad]),
        ] {
            let named = |error: &OpenError| matches!(error, OpenError::NotReceivable(signal) if !signal.is_receivable());
            refuses(set, || Signals::new(set).expect_err("bad"), named);
            let signals = open(Signal::USR1);
            refuses(set - Signal::USR1.into(), || signals.update(set).expect_err("bad"), named);
        }
    }
    // Named twice is named once (P8).
    let signals = open([Signal::HUP, Signal::HUP]);
    assert_eq!(signals.set().len(), 1);
}

/// Origin: libkqueue `invalid_signum_rejected` (K26), libevent `event_new` (E12)
pub(crate) fn numbers_that_do_not_exist() {
    for number in [0, -1, 129, 999, 4096, 9999, 10_000, 1_234_567, i32::MAX, i32::MIN] {
        assert_eq!(Signal::from_raw(number), None, "{number}");
    }
    assert_eq!(Signal::from_raw(KERNEL.highest).map(Signal::as_raw), Some(KERNEL.highest));
    assert_eq!(Signal::from_raw(KERNEL.highest + 1), None);
    assert_eq!(Signal::rt(u8::MAX), None);
}

pub(crate) fn names_that_do_not_parse() {
    for name in [
        "",
        " ",
        "SIG",
        "SIGSIG",
        "SIGSIGTERM",
        "TERM ",
        " TERM",
        "TERM\n",
        "TERM,HUP",
        "FOO",
        "0",
        "-1",
        "+15",
        "15 ",
        "0x0f",
        "1e1",
        "99999999999999999999",
        "129",
        "999",
        "RTMIN-1",
        "RTMIN+",
        "RTMIN+-1",
        "RTMIN++1",
        "RTMIN+99",
        "RTMIN+99999999999",
        "RTMAX+1",
        "RTMAX-99",
        "RTMIN 1",
        "RT",
        "RT1",
        "ТERM",
        "T\u{0}ERM",
        "SIGSIG15",
        "%15",
        "-TERM",
    ] {
        let error = name.parse::<Signal>().expect_err(name);
        assert!(error.to_string().contains(&format!("{name:?}")), "{name:?}: {error}");
        assert!(error.to_string().contains("TERM, SIGTERM"), "it says what would do: {error}");
        let error = io::Error::from(error);
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

pub(crate) fn limit_zero_reads_nothing() {
    let signals = open(Signal::USR1);
    send(Signal::USR1);
    let mut infos = Vec::new();
    for _ in 0..3 {
        assert_eq!(signals.try_recv_many(&mut infos, 0).expect("nothing to do"), 0);
    }
    assert!(infos.is_empty());
    assert_eq!(signals.try_recv_many(&mut infos, usize::MAX).expect("read"), 1);
}

pub(crate) fn errors_convert() {
    let _taken = open(Signal::HUP);
    let kind = |error: OpenError| io::Error::from(error).kind();
    assert_eq!(kind(Signals::new([]).expect_err("empty")), ErrorKind::InvalidInput);
    assert_eq!(kind(Signals::new(Signal::KILL).expect_err("bad")), ErrorKind::InvalidInput);
    assert_eq!(kind(Signals::new(Signal::HUP).expect_err("taken")), ErrorKind::ResourceBusy);
    without_descriptors(0, || {
        let error = Signals::builder().audit(false).open(Signal::TERM).expect_err("none left");
        // It says which call was refused, and the system's own error is behind it.
        let error = io::Error::from(error);
        assert!(error.to_string().contains("signalfd") || !KERNEL.masked, "{error}");
        let cause = error.get_ref().and_then(|inner| inner.source());
        let cause = cause.and_then(|cause| cause.downcast_ref::<io::Error>());
        assert_eq!(cause.and_then(io::Error::raw_os_error), Some(libc::EMFILE), "{error:?}");
    });
    let error = io::Error::from(Signals::new(Signal::HUP).expect_err("taken"));
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<OpenError>());
    assert!(matches!(inner, Some(OpenError::AlreadyReceived(_))), "{error:?}");
}

/// `expect`, and Rust's runtime for what `main` returns, print by `Debug`.
pub(crate) fn debug_says_what_to_do() {
    let _taken = open(Signal::HUP);
    for (set, variant) in [
        (SignalSet::EMPTY, "Empty: "),
        (Signal::KILL.into(), "NotReceivable: "),
        (Signal::HUP.into(), "AlreadyReceived: "),
    ] {
        let error = Signals::new(set).expect_err("refused");
        assert_eq!(format!("{error:?}"), format!("{variant}{error}"));
        let error = io::Error::from(error);
        assert!(format!("{error:?}").contains(&error.to_string()), "{error:?}");
    }
    without_descriptors(0, || {
        let error = Signals::builder().audit(false).open(Signal::TERM).expect_err("none left");
        let shown = format!("{error:?}");
        assert!(shown.contains(&format!("code: {}", libc::EMFILE)), "{shown}");
    });
}

/// Each way out is named, and the macro's line can be pasted.
#[cfg(target_os = "linux")]
pub(crate) fn threads_that_do_not_block_name_the_ways_out() {
    let worker = Worker::start("worker");
    let error = Signals::new([Signal::TERM, Signal::HUP]).expect_err("the worker lets them in");
    for way in [
        "in main before starting threads",
        "before building the runtime",
        "signal_source::reserve_at_start!(HUP, TERM);",
        "signal_source::reserve first in main",
        "mask::block",
        "worker",
    ] {
        assert!(format!("{error:?}").contains(way), "{way}: {error:?}");
    }
    // A real-time signal has no constant.
    let set = SignalSet::from(Signal::TERM).with(Signal::rt(1).expect("Linux has some"));
    let error = Signals::new(set).expect_err("the worker lets them in");
    assert!(!error.to_string().contains("reserve_at_start!"), "{error}");
    assert!(error.to_string().contains("reserve first in main"), "{error}");
    drop(worker);
}
