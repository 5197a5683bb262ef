//! Bad input and refusals: a clear error, and everything as it was.

mod harness;
#[path = "errors/input.rs"]
mod input;
#[path = "errors/sending.rs"]
mod sending;

use std::error::Error;
use std::io;

use harness::{Everything, Worker, hits, open, raw_block, raw_mask, raw_unblock, received};
use harness::{send, set_counting, set_ignored, without_descriptors};
use input::*;
use nix::libc;
use sending::*;
use signal_source::{OpenError, Signal, SignalSet, Signals, mask};

fn main() {
    harness::main(
        cases![
            an_empty_set,
            what_cannot_be_received,
            a_bad_signal_in_the_middle,
            numbers_that_do_not_exist,
            names_that_do_not_parse,
            a_second_claim_names_what_is_common,
            claimed_on_another_thread,
            #[cfg(target_os = "linux", "no mask counts elsewhere")]
            a_thread_that_does_not_block,
            debug_says_what_to_do,
            #[cfg(target_os = "linux", "no mask counts elsewhere")]
            threads_that_do_not_block_name_the_ways_out,
            no_descriptor_left,
            a_refused_update_goes_on_receiving,
            a_refusal_loses_nothing_pending,
            a_refusal_after_a_drop_elsewhere,
            refused_a_thousand_times,
            errors_convert,
            limit_zero_reads_nothing,
            kill_of_what_is_no_process,
            kill_without_permission,
            #[cfg(target_os = "linux", "only Linux limits what is pending by a resource limit")]
            a_full_queue_would_block,
        ],
        roles![],
    );
}

/// Dispositions of every kind, some blocked signals, some pending ones: what a refusal could harm.
fn with_a_past() {
    set_ignored(Signal::CHLD);
    set_ignored(Signal::QUIT);
    set_counting(Signal::TERM);
    set_counting(Signal::WINCH);
    raw_block([Signal::USR2, Signal::ALRM]);
    send(Signal::ALRM);
}

/// Tries to open or change what `tries` does, which must fail as `expected` says and change nothing:
/// after it, a receiver of the same set can be opened, and gets what is sent.
fn refuses(
    set: impl Into<SignalSet>,
    tries: impl FnOnce() -> OpenError,
    expected: impl FnOnce(&OpenError) -> bool,
) {
    let set = set.into();
    let before = Everything::now();
    let error = tries();
    assert!(expected(&error), "{error:?}");
    assert!(error.to_string().len() > 20, "it says what to do: {error}");
    assert_eq!(Everything::now(), before, "{error}");
    let receivable: SignalSet = set.iter().filter(|signal| signal.is_receivable()).collect();
    if receivable.is_empty() {
        return;
    }
    let signals = Signals::builder().audit(false).open(receivable).expect("nothing is claimed");
    drop(signals);
    assert_eq!(Everything::now(), before, "opened and dropped after: {error}");
}

/// Origin: sd_event_add_signal, "twice" (E16)
fn a_second_claim_names_what_is_common() {
    with_a_past();
    let [hup, usr1, usr2, term] = [Signal::HUP, Signal::USR1, Signal::USR2, Signal::TERM];
    let one = open([hup, usr1]);
    let two = open(usr2);
    let before = Everything::now();
    for (set, common) in [
        (SignalSet::from(hup), SignalSet::from(hup)),
        ([hup, usr1].into(), [hup, usr1].into()),
        ([hup, usr2, term].into(), [hup, usr2].into()),
        (SignalSet::all(), [hup, usr1, usr2].into()),
    ] {
        let error = Signals::new(set).expect_err("taken");
        assert!(matches!(error, OpenError::AlreadyReceived(names) if names == common), "{error:?}");
        assert!(error.to_string().starts_with(&format!("{common}: already")), "{error}");
        // A receiver may keep its own.
        let error = two.update(set.with(usr2)).expect_err("taken");
        let common = common - usr2.into();
        assert!(matches!(error, OpenError::AlreadyReceived(names) if names == common), "{error:?}");
        assert_eq!((two.set(), Everything::now().mask), (usr2.into(), before.mask));
    }
    assert_eq!(Everything::now(), before);
    [hup, usr1, usr2].into_iter().for_each(send);
    assert_eq!((received(&one).len(), received(&two)), (2, vec![usr2]));
    drop(one);
    drop(open([hup, usr1, term]));
}

fn claimed_on_another_thread() {
    let guard = mask::block([Signal::HUP, Signal::TERM]).expect("block");
    let worker = Worker::start("worker");
    let signals = worker.run(|| Signals::new(Signal::HUP)).expect("open");
    let taken = |error: &OpenError| matches!(error, OpenError::AlreadyReceived(_));
    refuses(Signal::TERM, || Signals::new([Signal::HUP, Signal::TERM]).expect_err("taken"), taken);
    worker.run(|| drop(signals));
    drop(open([Signal::HUP, Signal::TERM]));
    drop(guard);
    assert_eq!(raw_mask(), SignalSet::EMPTY);
}

#[cfg(target_os = "linux")]
fn a_thread_that_does_not_block() {
    with_a_past();
    let worker = Worker::start("worker");
    let set = [Signal::CHLD, Signal::TERM, Signal::USR2];
    let unblocked = |error: &OpenError| {
        let expected = SignalSet::from([Signal::CHLD, Signal::TERM]);
        matches!(error, OpenError::UnblockedThreads { signals, .. } if *signals == expected)
    };
    refuses(set, || Signals::new(set).expect_err("it lets two in"), unblocked);
    // Also on update, and on a thread that is not the first.
    raw_block(Signal::USR1);
    worker.run(|| raw_block(Signal::USR1));
    let signals = open(Signal::USR1);
    let all = SignalSet::from(set).with(Signal::USR1);
    refuses(set, || signals.update(all).expect_err("it lets two in"), unblocked);
    assert_eq!(signals.set(), Signal::USR1.into());
    let refused = worker.run(move || {
        let before = raw_mask();
        let refused = signals.update(all).expect_err("main lets two in");
        assert_eq!((raw_mask(), signals.set()), (before, Signal::USR1.into()));
        refused
    });
    assert!(unblocked(&refused), "{refused:?}");
}

/// The system's number, which an error of the audit has in its source.
fn number(error: &io::Error) -> Option<i32> {
    let inner = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    inner.unwrap_or(error).raw_os_error()
}

fn no_descriptor_left() {
    with_a_past();
    let set = [Signal::CHLD, Signal::TERM, Signal::USR2, Signal::ALRM];
    let _ = open(Signal::USR1); // whatever is made once
    let mut refusals = 0;
    for spare in 0..=3 {
        for audit in [true, false] {
            let signals = Signals::builder().audit(audit).open(Signal::USR1).expect("open");
            let before = Everything::now();
            without_descriptors(spare, || {
                let mask = raw_mask();
                match Signals::builder().audit(audit).open(set) {
                    Ok(signals) => assert!(spare > 0, "{signals:?} without a descriptor"),
                    Err(OpenError::Os(error)) => {
                        assert_eq!(number(&error), Some(libc::EMFILE), "{error}");
                        refusals += 1;
                    }
                    Err(error) => panic!("{error}"),
                }
                assert_eq!(raw_mask(), mask);
                // `update` needs none for itself, but to look at the threads.
                match signals.update(SignalSet::from(set).with(Signal::USR1)) {
                    Ok(()) => signals.update(Signal::USR1).expect("less needs no audit"),
                    Err(OpenError::Os(error)) => {
                        assert_eq!(number(&error), Some(libc::EMFILE), "{error}");
                    }
                    Err(error) => panic!("{error}"),
                }
                assert_eq!(signals.set(), Signal::USR1.into());
            });
            assert_eq!(Everything::now(), before, "{spare} spare, audit {audit}");
            send(Signal::USR1);
            assert_eq!(received(&signals), [Signal::USR1]);
            drop(signals);
            drop(open(set));
        }
    }
    assert!(refusals >= 2, "without a descriptor, audited or not");
    // Pending since before, blocked by the program: still there.
    assert_eq!(received(&open(Signal::ALRM)), [Signal::ALRM]);
}

fn a_refused_update_goes_on_receiving() {
    let taken = open(Signal::HUP);
    let signals = open([Signal::USR1, Signal::USR2]);
    send(Signal::USR2);
    for bad in [
        SignalSet::EMPTY,
        SignalSet::from([Signal::USR1, Signal::KILL]),
        SignalSet::from([Signal::USR1, Signal::HUP]),
    ] {
        signals.update(bad).expect_err("refused");
        assert_eq!(signals.set(), SignalSet::from([Signal::USR1, Signal::USR2]));
    }
    send(Signal::USR1);
    let mut both = received(&signals);
    both.sort();
    assert_eq!(both, [Signal::USR1, Signal::USR2]);
    signals.update(Signal::USR1).expect("update");
    drop(taken);
    signals.update([Signal::USR1, Signal::HUP]).expect("free now");
}

/// While a call that fails had the signals blocked, some may have come: they act.
fn a_refusal_loses_nothing_pending() {
    set_counting(Signal::TERM);
    let taken = open(Signal::HUP);
    raw_block(Signal::TERM);
    send(Signal::TERM);
    Signals::new([Signal::HUP, Signal::TERM]).expect_err("taken");
    assert_eq!(hits(Signal::TERM), 0, "blocked by the program: still pending");
    raw_unblock(Signal::TERM);
    assert_eq!(hits(Signal::TERM), 1);
    drop(taken);
}

fn a_refusal_after_a_drop_elsewhere() {
    set_counting(Signal::TERM);
    let signals = open([Signal::TERM, Signal::USR1]);
    std::thread::spawn(move || drop(signals)).join().expect("no panic");
    let _taken = open(Signal::HUP);
    Signals::new([Signal::HUP, Signal::TERM]).expect_err("taken");
    Signals::new([Signal::KILL, Signal::TERM]).expect_err("bad");
    send(Signal::TERM);
    harness::eventually("it acts", || hits(Signal::TERM) == 1);
    without_descriptors(0, || drop(Signals::new(Signal::TERM).expect_err("no descriptor")));
    send(Signal::TERM);
    harness::eventually("it acts", || hits(Signal::TERM) == 2);
}

fn refused_a_thousand_times() {
    with_a_past();
    let taken = open([Signal::HUP, Signal::IO]);
    let before = Everything::now();
    for _ in 0..1000 {
        Signals::new([Signal::HUP, Signal::CHLD]).expect_err("taken");
        Signals::new([Signal::SEGV, Signal::CHLD]).expect_err("bad");
    }
    assert_eq!(Everything::now(), before);
    drop(taken);
}
