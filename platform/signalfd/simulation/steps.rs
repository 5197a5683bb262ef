//! What the random programs do with this crate, and what the law expects of each step.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use std::{io, mem};

use super::descriptors::wait_for;
use super::kernel::Simulated;
use super::program::random_set;
use super::receivers;
use super::world::{with, with_own};
use crate::platform::masks::{Guard, settle};
use crate::platform::signalfd::opening::Opened;
use crate::platform::simulation::program::take_any;
use crate::platform::simulation::scheduler::{self, chance};
use crate::{OpenError, SignalSet};

/// The receivers that any thread of the program may use next, with their numbers.
type Receivers = Vec<Receiver>;

type Receiver = (usize, Rc<Opened<Simulated>>);

pub(super) type Guards = Vec<(Guard<Simulated>, SignalSet)>;

thread_local! {
    static RECEIVERS: RefCell<Receivers> = const { RefCell::new(Vec::new()) };
}

/// How long a guard waits for a delegate, and an opening; and the giving back that undoes it.
const ANSWER: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(1).saturating_add(ANSWER);

/// Drops what the schedule has left.
pub(super) fn clear() {
    RECEIVERS.with_borrow_mut(Vec::clear);
}

fn is_unused((_, receiver): &Receiver) -> bool {
    Rc::strong_count(receiver) == 1
}

/// The receivers that no thread is using.
pub(super) fn numbers() -> Vec<usize> {
    let unused =
        |all: &Receivers| all.iter().filter(|one| is_unused(one)).map(|one| one.0).collect();
    RECEIVERS.with_borrow(unused)
}

/// To be dropped.
pub(super) fn take_receiver() -> Option<Receiver> {
    RECEIVERS.with_borrow_mut(|all| {
        let (mut unused, used) = mem::take(all).into_iter().partition(is_unused);
        let taken = take_any(&mut unused);
        *all = used;
        all.append(&mut unused);
        taken
    })
}

/// To be used, by other threads meanwhile too.
pub(super) fn any_receiver() -> Option<Receiver> {
    RECEIVERS.with_borrow(|all| {
        if all.is_empty() { None } else { Some(all[scheduler::random(all.len())].clone()) }
    })
}

pub(super) fn open() {
    let (set, is_audited) = (random_set(), chance(56));
    let number = with(|world| {
        world.law.numbers += 1;
        world.law.numbers
    });
    scheduler::trace(|| format!("-- opens receiver {number}: {set:?}, audit {is_audited}"));
    begin_opening(set);
    match Opened::open(Simulated, set, is_audited) {
        Ok(receiver) => {
            scheduler::trace(|| format!("-- receiver {number} is open"));
            with(|world| {
                let (generation, holds) = (world.generation, vec![(scheduler::current(), set)]);
                let excepted = world.threads[scheduler::current()].own.excepted;
                let receives = set;
                world.threads[scheduler::current()].own.received |= set;
                world.law.opened.push(receivers::Opened {
                    number,
                    generation,
                    receives,
                    possible: vec![set],
                    changing: 0,
                    done: Vec::new(),
                    is_blurred: false,
                    waiting: 0,
                    waited: 0,
                    holds,
                    is_audited,
                    excepted,
                });
                world.law.check_unclaimed(number);
            });
            RECEIVERS.with_borrow_mut(|all| all.push((number, Rc::new(receiver))));
        }
        Err(error) => failed(&error),
    }
}

fn begin_opening(set: SignalSet) {
    with_own(|own| {
        (own.own.may_yield, own.own.excepted) = (true, SignalSet::EMPTY);
        (own.own.opens, own.own.gives_back) = (set, set);
        own.waited = Duration::ZERO;
    });
}

/// An opening waits for no handler's end, and names the threads that it has waited for in vain.
fn failed(error: &OpenError) {
    scheduler::trace(|| format!("-- refused: {error}"));
    let waited = with_own(|own| own.waited);
    if waited > PATIENCE {
        scheduler::fail(format!("an opening waits for {waited:?}"));
    }
    if let OpenError::UnblockedThreads { threads, .. } = error {
        // 0 is a delegate that has not begun to run.
        let is_known =
            |tid| tid == 0 || with(|world| world.threads.iter().any(|thread| thread.tid == tid));
        if let Some(unknown) = threads.iter().find(|thread| !is_known(thread.tid)) {
            scheduler::fail(format!("an opening names {unknown}, which is no thread"));
        }
    }
}

pub(super) fn update((number, receiver): Receiver) {
    let set = random_set();
    let (before, is_own, audits) = with(|world| {
        let generation = world.generation;
        let opened = world.law.opened(number);
        opened.begin_change(set);
        (opened.possible[0], opened.generation == generation, chance(56))
    });
    scheduler::trace(|| format!("-- updates receiver {number} to {set:?}, audit {audits}"));
    begin_opening(set - before);
    with_own(|own| own.own.gives_back |= before - set);
    let result = if chance(32) {
        receiver.update(set, audits)
    } else {
        receiver.change(set, audits).map(drop)
    };
    let excepted = with_own(|own| own.own.excepted);
    match &result {
        Ok(()) if !is_own => scheduler::fail("a child updates its parent's receiver".into()),
        Ok(()) => with(|world| {
            let opened = world.law.opened(number);
            // What another change has removed meanwhile, this one may have added.
            let added = set - opened.receives;
            opened.holds.push((scheduler::current(), added));
            opened.excepted |= excepted & added;
            opened.is_audited &= audits || added.is_empty();
        }),
        Err(error) if is_own => check_refused(number, error),
        Err(_) => {}
    }
    with(|world| {
        world.law.opened(number).end_change(set, result.is_ok(), receiver.set());
        if is_own {
            world.law.check_unclaimed(number);
        }
        world.check_waiters(number);
    });
}

/// A change is refused for others that change or wait only if there are such; and waits for no
/// handler's end.
fn check_refused(number: usize, error: &OpenError) {
    let (is_alone, nobody_waits) = with(|world| {
        let opened = world.law.opened(number);
        (opened.possible.len() == 2, opened.waited == 0)
    });
    let is_busy = matches!(error, OpenError::Os(e) if e.kind() == io::ErrorKind::ResourceBusy);
    if is_busy && is_alone || nobody_waits && matches!(error, OpenError::Waiting(_)) {
        scheduler::fail(format!("a change of receiver {number}: {error}"));
    }
    if is_alone {
        failed(error);
    }
}

pub(super) fn drop_receiver((number, receiver): Receiver) {
    scheduler::trace(|| format!("-- drops receiver {number}"));
    let set = with(|world| std::mem::take(&mut world.law.opened(number).receives));
    with_own(|own| (own.own.may_yield, own.own.gives_back) = (true, set));
    drop(receiver);
    with(|world| world.law.opened.retain(|opened| opened.number != number));
    scheduler::trace(|| format!("-- dropped receiver {number}"));
}

pub(super) fn read((number, receiver): Receiver) {
    scheduler::trace(|| format!("-- reads receiver {number}"));
    let sent = receiver.fd.read();
    with(|world| world.law.check_received(number, sent));
}

/// Waits for a signal, as [`Receiver::wait_one`](crate::platform::backend::Receiver::wait_one) does.
pub(super) fn wait((number, receiver): Receiver) {
    scheduler::trace(|| format!("-- waits for receiver {number}"));
    with(|world| {
        let opened = world.law.opened(number);
        (opened.waiting, opened.waited) = (opened.waiting + 1, opened.waited + 1);
    });
    if let Some((waiting, set)) = receiver.wait() {
        wait_for(number, set, Duration::from_millis([1, 300, 3000][scheduler::random(3)]));
        drop(waiting);
    } else {
        read((number, receiver.clone()));
    }
    with(|world| world.law.opened(number).waiting -= 1);
    scheduler::trace(|| format!("-- has waited for receiver {number}"));
}

pub(super) fn guard(guards: &mut Guards) {
    let set = random_set();
    scheduler::trace(|| format!("-- guards {set:?}"));
    let begin = scheduler::clock();
    if let Ok(guard) = Guard::new(Simulated, set) {
        with(|world| {
            let own = &mut world.threads[scheduler::current()].own;
            own.guards.add(set);
            own.received |= set;
            // As documented: it waits so long for a delegate, and for no handler's end.
            if scheduler::clock() - begin >= ANSWER {
                world.excuse_unanswered(set);
            }
        });
        scheduler::trace(|| format!("-- has guarded {set:?}"));
        guards.push((guard, set));
    }
}

pub(super) fn drop_guard(guard: Guard<Simulated>, set: SignalSet) {
    scheduler::trace(|| format!("-- drops the guard of {set:?}"));
    with_own(|own| own.own.guards.forget(set));
    drop(guard);
    scheduler::trace(|| format!("-- dropped the guard of {set:?}"));
}

pub(super) fn keep(guard: Guard<Simulated>, set: SignalSet) {
    scheduler::trace(|| format!("-- keeps {set:?}"));
    with_own(|own| {
        own.own.blocked |= set;
        own.own.kept |= set;
        own.own.loose -= set;
        own.own.guards.forget(set);
    });
    guard.keep();
}

pub(super) fn current() {
    scheduler::trace(|| "-- settles".into());
    let mask = settle(&Simulated);
    let own = with_own(|own| own.mask);
    assert_eq!(mask.ok(), Some(own), "the mask now");
}
