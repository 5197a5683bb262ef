//! The steps, against a simulated kernel: a signal arrives, or a call fails, at each of them.

mod process;

use std::ops::Range;

use self::process::{Process, parts};
use super::*;

const TERM: SignalSet = SignalSet::EMPTY.with(Signal::TERM);
const ALL: SignalSet =
    TERM.with(Signal::HUP).with(Signal::USR1).with(Signal::TSTP).with(Signal::CHLD);

fn handler() -> Action {
    let mut action = Action::default();
    action.0.sa_sigaction = 0x1000;
    action.0.sa_flags = libc::SA_RESTART;
    action
}

fn flagged(disposition: Action, flags: libc::c_int) -> Action {
    let mut action = disposition;
    action.0.sa_flags = flags;
    action
}

/// The numbers of the steps that it takes.
fn steps(process: &Process, run: impl Fn(&mut Process)) -> Range<usize> {
    let mut after = process.clone();
    run(&mut after);
    assert!(after.step > process.step + 2, "there are some");
    process.step..after.step
}

fn take_all(process: &mut Process) -> Vec<Change> {
    let mut changes = Vec::new();
    take(process, ALL, &mut changes).expect("nothing fails");
    changes
}

/// Processes whose signals did different things before.
fn processes() -> Vec<Process> {
    let handled = ALL.iter().map(|signal| (signal, handler())).collect::<Vec<_>>();
    let ignored = ALL.iter().map(|signal| (signal, Action::ignore())).collect::<Vec<_>>();
    let mut all = vec![Process::default(), Process::with(&handled), Process::with(&ignored)];
    let blocking = all.iter().map(|process| Process { blocked: ALL, ..process.clone() });
    all.extend(blocking.collect::<Vec<_>>());
    all
}

#[test]
fn what_would_act_is_ignored_and_what_would_not_is_left() {
    use ByDefault::{Ends, Ignored, Stops};
    let put = |signal, by_default, earlier: Action| {
        while_received(signal, by_default, &earlier).as_ref().map(Action::disposition)
    };
    for by_default in [Ends, Stops] {
        let some = Signal::USR1;
        assert_eq!(put(some, by_default, Action::default()), Some(Disposition::Ignore));
        assert_eq!(put(some, by_default, handler()), Some(Disposition::Ignore));
        assert_eq!(put(some, by_default, Action::ignore()), None);
        // A child that is spawned puts it to the default.
        let mark =
            while_received(some, by_default, &handler()).and_then(|action| action.mark(some));
        assert_eq!(mark, Some(Disposition::Default));
    }
    assert_eq!(put(Signal::WINCH, Ignored, Action::default()), None);
    assert_eq!(put(Signal::WINCH, Ignored, Action::ignore()), None);
    assert_eq!(put(Signal::WINCH, Ignored, handler()), Some(Disposition::Default));
}

#[test]
fn children_are_neither_ignored_nor_reaped() {
    let put = |earlier| {
        let action = while_received(Signal::CHLD, ByDefault::Ignored, &earlier)?;
        Some(parts(Signal::CHLD, &action))
    };
    let default = |flags, before| Some((Disposition::Default, flags, Some(before)));
    assert_eq!(put(Action::default()), None);
    assert_eq!(put(flagged(Action::default(), libc::SA_NOCLDSTOP)), None);
    assert_eq!(put(Action::ignore()), default(0, Disposition::Ignore));
    assert_eq!(put(handler()), default(0, Disposition::Default));
    let both = libc::SA_NOCLDWAIT | libc::SA_NOCLDSTOP;
    let kept = default(libc::SA_NOCLDSTOP, Disposition::Default);
    assert_eq!(put(flagged(Action::default(), both)), kept);
}

#[test]
fn giving_back_leaves_nothing_behind() {
    for before in processes() {
        let mut process = before.clone();
        let mut changes = take_all(&mut process);
        give_back(&mut process, ALL, &mut changes);
        assert!(changes.is_empty());
        assert_eq!(process.seen(), before.seen());
        assert!(process.acted.is_empty());
    }
}

#[test]
fn whatever_fails_is_undone_and_what_was_pending_still_is() {
    for mut before in processes() {
        if before.blocked == ALL && before.now(Signal::TERM).disposition() != Disposition::Ignore {
            before.pending = [(Signal::TERM, 1), (Signal::USR1, 1)].into();
        }
        let all = steps(&before, |process| drop(take_all(process)));
        for step in all {
            let mut process = Process { fails: Some(step), ..before.clone() };
            let mut changes = Vec::new();
            if take(&mut process, ALL, &mut changes).is_ok() {
                continue; // what sends a signal does not fail
            }
            give_back(&mut process, ALL, &mut changes);
            assert_eq!(process.seen(), before.seen(), "failed at step {step}");
            assert!(process.acted.is_empty(), "failed at step {step}");
        }
    }
}

#[test]
fn what_was_pending_before_is_received() {
    let mut process = Process { blocked: ALL, ..Process::default() };
    process.arrive(Signal::TERM);
    let mut changes = take_all(&mut process);
    assert_eq!(process.recorded(Signal::TERM), 1);
    assert!(process.pending.is_empty());
    // Unread, it is pending again; read, it is not.
    let mut unread = process.clone();
    give_back(&mut unread, ALL, &mut changes.clone());
    assert_eq!(unread.pending, [(Signal::TERM, 1)].into());
    process.take_unread();
    give_back(&mut process, ALL, &mut changes);
    assert!(process.pending.is_empty());
}

#[test]
fn what_is_unread_acts_once_as_it_would_have_before() {
    for before in processes() {
        for signal in ALL {
            let mut process = before.clone();
            let mut changes = take_all(&mut process);
            for _ in 0..3 {
                process.arrive(signal);
            }
            assert_eq!((process.recorded(signal), process.acted(signal)), (3, 0));
            give_back(&mut process, ALL, &mut changes);
            let blocked = before.blocked.contains(signal);
            let expected = u32::from(acts(&before, signal) && !blocked);
            assert_eq!(process.acted(signal), expected, "{signal}");
            assert_eq!(process.pending.contains_key(&signal), acts(&before, signal) && blocked);
        }
    }
}

/// What arrives between the calls that take a signal over, or give it back, may act twice: there is
/// one such moment for each call between them. All else is met once.
#[test]
fn a_signal_that_arrives_at_any_step_is_not_lost() {
    for before in processes() {
        for signal in ALL.iter().filter(|&signal| acts(&before, signal)) {
            let met = |process: &Process| {
                let pending = process.pending.get(&signal).copied().unwrap_or(0);
                process.acted(signal) + process.recorded(signal) + pending
            };
            let how_often = |process: &Process, run: &dyn Fn(&mut Process)| {
                let mut twice = 0;
                for step in steps(process, run) {
                    let mut process = Process { arrives: Some((step, signal)), ..process.clone() };
                    run(&mut process);
                    assert!((1..=2).contains(&met(&process)), "{signal} at {step}");
                    twice += met(&process) - 1;
                }
                twice
            };
            let take_all = |process: &mut Process| drop(take_all(process));
            // Looking for what is pending, and changing the action. If the signal is blocked, it is
            // pending instead of acting, until the action changes: then it is sent again.
            let taken = how_often(&before, &take_all);
            assert_eq!(taken, if before.blocked.contains(signal) { 1 } else { 2 }, "{signal}");

            let mut open = before.clone();
            let changes = self::take_all(&mut open);
            let undo = |process: &mut Process| give_back(process, ALL, &mut changes.clone());
            // Taking the records.
            let given_back = how_often(&open, &undo);
            assert_eq!(given_back, 1, "{signal}");
        }
    }
}

#[test]
fn giving_back_a_part_keeps_the_rest_unread() {
    let mut process = Process::default();
    let mut changes = take_all(&mut process);
    process.arrive(Signal::TERM);
    process.arrive(Signal::CHLD);
    process.arrive(Signal::HUP);
    give_back(&mut process, TERM, &mut changes);
    assert_eq!((process.acted(Signal::TERM), process.recorded(Signal::TERM)), (1, 0));
    assert_eq!((process.acted(Signal::HUP), process.recorded(Signal::HUP)), (0, 1));
    assert_eq!((process.acted(Signal::CHLD), process.recorded(Signal::CHLD)), (0, 1));
    assert_eq!(process.watched, ALL - TERM);
    give_back(&mut process, ALL - TERM, &mut changes);
    assert_eq!(process.seen(), Process::default().seen());
}

#[test]
fn an_action_that_the_program_set_later_is_kept() {
    let mut process = Process::default();
    let mut changes = take_all(&mut process);
    process.actions.insert(Signal::TERM, handler());
    process.actions.insert(Signal::USR1, Action::ignore());
    give_back(&mut process, ALL, &mut changes);
    assert_eq!(process.now(Signal::TERM).disposition(), Disposition::Handler);
    assert_eq!(process.now(Signal::USR1).disposition(), Disposition::Ignore);
    assert_eq!(process.now(Signal::HUP).disposition(), Disposition::Default);
    assert!(process.acted.is_empty());
}

#[test]
fn a_forked_child_puts_back_what_it_inherited() {
    let parent = Process::with(&[(Signal::USR1, handler()), (Signal::CHLD, Action::ignore())]);
    let mut child = parent.clone();
    let changes = take_all(&mut child);
    child.watched = SignalSet::EMPTY; // no kqueue survives a fork
    let earlier = parent.seen();

    // Nothing of its own.
    let (mut alone, mut mine, mut inherited) = (child.clone(), changes.clone(), Vec::new());
    end_inherited(&mut alone, SignalSet::EMPTY, &mut mine, &mut inherited);
    assert_eq!(alone.seen(), earlier);
    assert!(mine.is_empty() && inherited.is_empty());

    // A receiver of its own, which ends first or last.
    for own_ends_first in [true, false] {
        let (mut process, mut theirs, mut inherited) = (child.clone(), changes.clone(), Vec::new());
        let mut own = Vec::new();
        let set = TERM.with(Signal::USR1);
        take(&mut process, set, &mut own).expect("nothing fails");
        if !own_ends_first {
            end_inherited(&mut process, set, &mut theirs, &mut inherited);
            assert_eq!(process.now(Signal::USR1).disposition(), Disposition::Ignore);
            assert_eq!(process.now(Signal::HUP).disposition(), Disposition::Default);
        }
        process.arrive(Signal::USR1);
        take_inherited(&mut inherited, set, &mut own);
        give_back(&mut process, set, &mut own);
        if own_ends_first {
            end_inherited(&mut process, SignalSet::EMPTY, &mut theirs, &mut inherited);
        } else {
            assert_eq!(process.acted(Signal::USR1), 1, "under the earliest action");
        }
        assert_eq!(process.seen(), earlier);
    }
}

/// A program was started, without `restore_signals`, by one that received its signals.
#[test]
fn a_mark_that_survived_exec_is_not_trusted() {
    let mut parent = Process::with(&[(Signal::USR1, handler()), (Signal::CHLD, Action::ignore())]);
    take_all(&mut parent);
    assert_eq!(parent.for_child(Signal::TERM), Disposition::Default);
    assert_eq!(parent.for_child(Signal::CHLD), Disposition::Ignore);

    let started = parent.exec();
    assert!(started.now(Signal::TERM).mark(Signal::TERM).is_some(), "it is there still");
    let mut program = started.clone();
    let as_started = |program: &Process| {
        for signal in ALL {
            assert_eq!(program.for_child(signal), program.now(signal).disposition(), "{signal}");
        }
    };
    as_started(&program);
    let mut changes = take_all(&mut program);
    as_started(&program);
    give_back(&mut program, ALL, &mut changes);
    as_started(&program);
    assert_eq!(program.seen(), started.seen());

    // Where this program has an action of its own, the mark is this crate's.
    program.actions.insert(Signal::TERM, handler());
    take(&mut program, TERM, &mut changes).expect("nothing fails");
    assert_eq!(program.now(Signal::TERM).disposition(), Disposition::Ignore);
    assert_eq!(program.for_child(Signal::TERM), Disposition::Default);
    assert_eq!(program.for_child(Signal::HUP), Disposition::Ignore, "as it was started");
}
