//! Random programs, and the random world in which they run.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::kernel::{Simulated, enter, everything};
use super::law::{self, Law};
use super::world::{self, USED, World, used, with, with_own};
use crate::platform::actions::Action;
use crate::platform::kernel::State;
use crate::platform::masks::{Guard, settle};
use crate::platform::process::end_thread;
use crate::platform::signalfd::opening::Opened;
use crate::platform::simulation::scheduler::{self, chance, random};
use crate::{OpenError, Signal, SignalSet};

/// The receivers that any thread of the program may use next, with their numbers.
type Receivers = Vec<(usize, Opened<Simulated>)>;

thread_local! {
    static RECEIVERS: RefCell<Receivers> = const { RefCell::new(Vec::new()) };
    /// The guards of threads that ended without dropping them.
    static FORGOTTEN: RefCell<Vec<Guards>> = const { RefCell::new(Vec::new()) };
}

/// Threads of the program at most.
const MOST: usize = 5;

/// How long a guard waits for a delegate, and an opening; and the giving back that undoes it.
const ANSWER: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(1).saturating_add(ANSWER);

/// Signals that are sent at most.
const SENT: usize = 10;

/// One schedule: makes the world and its first threads.
pub(super) fn schedule() {
    scheduler::set_hooks(before_step, at_end);
    let sends = [0, 1, 4, 8][random(4)];
    let (fails, slow) = ([0, 0, 16][random(3)], [0, 0, 8, 32][random(4)]);
    let actions: Vec<_> = used().map(|signal| (signal, random_action(signal))).collect();
    world::set_world(Some(World {
        threads: Vec::new(),
        leader: 0,
        pending: Vec::new(),
        sent: 0,
        own_actions: actions.clone(),
        actions,
        fates: Vec::new(),
        descriptors: Vec::new(),
        generation: 1,
        lock: None,
        state: Rc::new(RefCell::new(State::default())),
        forked: None,
        is_bare_child: false,
        newly_blocked: SignalSet::EMPTY,
        sends,
        fails,
        slow,
        law: Law { generation: 1, ..Law::default() },
    }));
    let threads = 1 + random(3);
    let all: SignalSet = used().collect();
    let mut blocked = vec![SignalSet::EMPTY; threads];
    for signal in all {
        // Blocked by all, by none, or by all but one.
        let exception = match random(8) {
            0 => continue,
            1 => threads,
            _ => random(threads),
        };
        for (thread, blocked) in blocked.iter_mut().enumerate() {
            if thread != exception {
                *blocked = blocked.with(signal);
            }
        }
    }
    for blocked in blocked {
        let index = scheduler::spawn(false, run_thread);
        with(|world| {
            world.add_thread(index, blocked, false);
            world.threads[index].own.blocked = blocked;
        });
    }
}

fn random_action(signal: Signal) -> Action {
    let mut handler = Action::default();
    handler.0.sa_sigaction = 0x1000;
    match (signal, random(16)) {
        (Signal::CHLD, 0..8) => Action::ignore(),
        (Signal::CHLD, 8..12) | (Signal::WINCH, 0..12) | (_, 0) => Action::default(),
        (_, 1) => Action::ignore(),
        _ => handler,
    }
}

/// Signals come from outside, at any time.
fn before_step() {
    let sends = with(|world| if world.sent < SENT { world.sends } else { 0 });
    if chance(sends) {
        let signal = random_signal();
        with(|world| {
            let to_thread = chance(4).then(|| random(world.threads.len()));
            world.send(signal, to_thread.filter(|&thread| world.threads[thread].is_alive));
        });
    }
}

fn at_end() {
    RECEIVERS.with_borrow_mut(Vec::clear);
    FORGOTTEN.with_borrow_mut(Vec::clear);
    world::set_world(None);
}

fn random_signal() -> Signal {
    let all = USED.len() + 1;
    used().nth(random(all)).expect("one of them")
}

fn random_set() -> SignalSet {
    let count = [1, 1, 1, 2, 3][random(5)];
    (0..count).map(|_| random_signal()).collect()
}

type Guards = Vec<(Guard<Simulated>, SignalSet)>;

/// A thread of the program.
fn run_thread() {
    let mut guards = Guards::new();
    for _ in 0..1 + random(6) {
        with_own(|own| own.own.is_busy = true);
        act(&mut guards);
        with_own(|own| {
            (own.own.is_busy, own.own.may_yield) = (false, false);
            own.own.opens = SignalSet::EMPTY;
        });
    }
    let others = with(|world| world.program().count() - 1);
    if others > 0 && chance(32) {
        return end(guards);
    }
    wait_for_all();
    with(|world| (world.fails, world.slow) = (0, world.slow / 2));
    while let Some(receiver) = take_receiver() {
        drop_receiver(receiver);
    }
    while let Some((guard, set)) = guards.pop() {
        drop_guard(guard, set);
    }
    wait_for_all();
    current();
    wait_for_all();
    // The last threads of the program wait until the crate's own have done all.
    with(|world| world.sends = 0);
    wait_for_all();
    with(|world| world.check_end());
    scheduler::finish();
}

/// Waits until all threads of the program have come here, and those of the crate's own are idle.
fn wait_for_all() {
    let phase = scheduler::phase();
    while scheduler::phase() == phase {
        scheduler::block(scheduler::State::Barrier);
        world::deliver();
    }
}

fn act(guards: &mut Guards) {
    match random(32) {
        0..7 => open(),
        7..12 => take_receiver().into_iter().for_each(drop_receiver),
        12..15 => take_receiver().into_iter().for_each(update),
        15..17 => take_receiver().into_iter().for_each(read),
        17..21 => guard(guards),
        21..24 if !guards.is_empty() => {
            let (guard, set) = guards.swap_remove(random(guards.len()));
            drop_guard(guard, set);
        }
        24 if !guards.is_empty() => {
            let (guard, set) = guards.swap_remove(random(guards.len()));
            keep(guard, set);
        }
        25..27 => current(),
        27 => block_without_crate(),
        28 => spawn_child(),
        29 => fork(chance(48)),
        30 => start_thread(),
        _ => enter(|| "does nothing".into()),
    }
}

fn take_receiver() -> Option<(usize, Opened<Simulated>)> {
    RECEIVERS.with_borrow_mut(|all| {
        let index = if all.is_empty() { return None } else { random(all.len()) };
        Some(all.swap_remove(index))
    })
}

fn put_receiver(number: usize, receiver: Opened<Simulated>) {
    RECEIVERS.with_borrow_mut(|all| all.push((number, receiver)));
}

impl Law {
    fn opened(&mut self, number: usize) -> &mut law::Opened {
        self.opened.iter_mut().find(|opened| opened.number == number).expect("it is open")
    }
}

fn open() {
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
                world.law.check_unclaimed(set);
                world.law.opened.push(law::Opened {
                    number,
                    generation,
                    receives,
                    holds,
                    is_audited,
                    excepted,
                });
            });
            put_receiver(number, receiver);
        }
        Err(error) => failed(&error),
    }
}

fn begin_opening(set: SignalSet) {
    with_own(|own| {
        (own.own.may_yield, own.own.excepted) = (true, SignalSet::EMPTY);
        own.own.opens = set;
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

fn update((number, receiver): (usize, Opened<Simulated>)) {
    let set = random_set();
    let (before, is_own, audits) = with(|world| {
        let generation = world.generation;
        let opened = world.law.opened(number);
        let before = opened.receives;
        opened.receives = before & set;
        (before, opened.generation == generation, chance(56))
    });
    scheduler::trace(|| format!("-- updates receiver {number} to {set:?}, audit {audits}"));
    begin_opening(set - before);
    let result = if chance(32) {
        receiver.update(set, audits)
    } else {
        receiver.change(set, audits).map(drop)
    };
    match result {
        Ok(()) if !is_own => scheduler::fail("a child updates its parent's receiver".into()),
        Ok(()) => with(|world| {
            let excepted = world.threads[scheduler::current()].own.excepted;
            world.law.check_unclaimed(set - before);
            let current = scheduler::current();
            let opened = world.law.opened(number);
            opened.receives = set;
            opened.holds.iter_mut().for_each(|hold| hold.1 &= set);
            opened.holds.push((current, set - before));
            opened.excepted |= excepted & (set - before);
            opened.is_audited &= audits || (set - before).is_empty();
        }),
        Err(error) => {
            failed(&error);
            with(|world| world.law.opened(number).receives = before);
        }
    }
    put_receiver(number, receiver);
}

fn drop_receiver((number, receiver): (usize, Opened<Simulated>)) {
    scheduler::trace(|| format!("-- drops receiver {number}"));
    with(|world| world.law.opened(number).receives = SignalSet::EMPTY);
    with_own(|own| own.own.may_yield = true);
    drop(receiver);
    with(|world| world.law.opened.retain(|opened| opened.number != number));
    scheduler::trace(|| format!("-- dropped receiver {number}"));
}

fn read((number, receiver): (usize, Opened<Simulated>)) {
    scheduler::trace(|| format!("-- reads receiver {number}"));
    receiver.fd.read();
    put_receiver(number, receiver);
}

fn guard(guards: &mut Guards) {
    let set = random_set();
    scheduler::trace(|| format!("-- guards {set:?}"));
    let begin = scheduler::clock();
    if let Ok(guard) = Guard::new(Simulated, set) {
        with(|world| {
            let own = &mut world.threads[scheduler::current()].own;
            own.guards.push(set);
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

fn drop_guard(guard: Guard<Simulated>, set: SignalSet) {
    scheduler::trace(|| format!("-- drops the guard of {set:?}"));
    with_own(|own| own.own.forget_guard(set));
    drop(guard);
    scheduler::trace(|| format!("-- dropped the guard of {set:?}"));
}

fn keep(guard: Guard<Simulated>, set: SignalSet) {
    scheduler::trace(|| format!("-- keeps {set:?}"));
    with_own(|own| {
        own.own.blocked |= set;
        own.own.kept |= set;
        own.own.loose -= set;
        own.own.forget_guard(set);
    });
    guard.keep();
}

fn current() {
    scheduler::trace(|| "-- settles".into());
    let mask = settle(&Simulated);
    let own = with_own(|own| own.mask);
    assert_eq!(mask.ok(), Some(own), "the mask now");
}

/// The program blocks something itself, which it lets in so far.
fn block_without_crate() {
    enter(|| "-- blocks without this crate".into());
    let set = random_set();
    with(|world| {
        let unsure = world.law.unsure;
        let own = &mut world.threads[scheduler::current()];
        let set = set - own.mask;
        own.mask |= set;
        own.own.block(set - unsure);
        own.own.loose |= set & unsure;
        scheduler::trace(|| format!("-- blocked {set:?} without this crate"));
    });
}

/// What another program that is started now inherits.
fn spawn_child() {
    enter(|| "-- starts a program".into());
    with(|world| {
        let thread = &world.threads[scheduler::current()];
        let mask = law::spawned_mask(thread, world.newly_blocked);
        let surplus = mask - thread.own.blocked - thread.own.loose - world.law.lost;
        if !surplus.is_empty() {
            scheduler::fail(format!("a program that is started blocks {surplus:?}"));
        }
        let missing = thread.own.blocked_since - mask;
        if !missing.is_empty() {
            scheduler::fail(format!("a program that is started does not block {missing:?}"));
        }
    });
}

/// The child goes on, with this thread alone.
fn fork(has_hook: bool) {
    enter(|| format!("-- forks, hook {has_hook}: the child goes on"));
    let kept =
        RECEIVERS.with_borrow(|all| all.iter().map(|(number, _)| *number).collect::<Vec<_>>());
    with(|world| world.fork(scheduler::current(), has_hook, &kept));
}

/// With all blocked, the C library makes a thread; which unblocks what it should then.
fn start_thread() {
    if with(|world| world.program().count() >= MOST || world.is_bare_child) {
        return;
    }
    enter(|| "-- starts a thread".into());
    let before = with_own(|own| std::mem::replace(&mut own.mask, everything()));
    scheduler::pause();
    let index = scheduler::spawn(false, move || {
        scheduler::pause();
        with_own(|own| own.mask = before);
        run_thread();
    });
    with(|world| {
        let own = world.threads[scheduler::current()].own.of_new(before);
        world.add_thread(index, everything(), false);
        world.threads[index].own = own;
    });
    scheduler::trace(|| format!("-- started thread {index}"));
    scheduler::pause();
    with_own(|own| own.mask = before);
    world::deliver();
}

/// The end of the thread. Guards that it forgot are never dropped.
fn end(mut guards: Guards) {
    scheduler::trace(|| "-- ends".into());
    with_own(|own| own.own.is_busy = true);
    if chance(32) {
        while let Some((guard, set)) = guards.pop() {
            drop_guard(guard, set);
        }
    }
    let record = with(|world| {
        let unsure = world.law.unsure;
        let thread = &mut world.threads[scheduler::current()];
        thread.own.is_ending = true;
        thread.own.guards.clear();
        let unblocked = (thread.mask | unsure) - thread.own.blocked;
        world.law.abandoned |= (unblocked & thread.mask) - thread.own.loose;
        world.law.maybe_abandoned |= unblocked;
        thread.record.clone()
    });
    end_thread(&Simulated, &record);
    enter(|| "-- has ended".into());
    with(|world| {
        let own = &mut world.threads[scheduler::current()];
        (own.is_alive, own.own.is_busy) = (false, false);
        let let_in = everything() - own.own.blocked;
        world.excuse_unanswered(let_in);
    });
    FORGOTTEN.with_borrow_mut(|all| all.push(guards));
}
