//! Random programs, and the random world in which they run.

use std::cell::RefCell;

use super::kernel::{Simulated, enter, everything};
use super::law::{self, Law};
use super::plans::{self, STEPS};
use super::steps::{self, Guards, current, drop_guard, drop_receiver, take_receiver};
use super::world::{self, World, used, with, with_own};
use crate::platform::actions::Action;
use crate::platform::process::end_thread;
use crate::platform::simulation::actions::Actions;
use crate::platform::simulation::lock::Lock;
use crate::platform::simulation::program::wait_for_all;
use crate::platform::simulation::scheduler::{self, chance, random};
use crate::{Signal, SignalSet};

thread_local! {
    /// The guards of threads that ended without dropping them.
    static FORGOTTEN: RefCell<Vec<Guards>> = const { RefCell::new(Vec::new()) };
}

/// Threads of the program at most.
const MOST: usize = 5;

/// Signals that are sent at most.
const SENT: usize = 10;

/// One schedule: makes the world and its first threads.
pub(super) fn schedule() {
    scheduler::set_hooks(before_step, at_end);
    let sends = [0, 1, 4, 8][random(4)];
    let (fails, slow) = ([0, 0, 16][random(3)], [0, 0, 8, 32][random(4)]);
    let actions: Actions = used().map(|signal| (signal, random_action(signal))).collect();
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
        lock: Lock::default(),
        forked: None,
        is_bare_child: false,
        newly_blocked: SignalSet::EMPTY,
        sends,
        fails,
        slow,
        is_prompt: slow == 0 && scheduler::is_patient(),
        habits: plans::random_habits(),
        plan: plans::random_plan(),
        most_steps: [6, 6, 12][random(3)],
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
    steps::clear();
    FORGOTTEN.with_borrow_mut(Vec::clear);
    world::set_world(None);
}

fn random_signal() -> Signal {
    with(|world| world.habits.signal())
}

pub(super) fn random_set() -> SignalSet {
    let count = [1, 1, 1, 2, 3][random(5)];
    (0..count).map(|_| random_signal()).collect()
}

/// A thread of the program.
fn run_thread() {
    let mut guards = Guards::new();
    let planned = with(|world| world.plan.next());
    let (steps, ends) = planned.copied().unwrap_or_default();
    steps.iter().for_each(|step| run_step(*step, &mut guards));
    if !ends {
        for _ in 0..1 + random(with(|world| world.most_steps)) {
            run_step(STEPS[with(|world| world.habits.step())].1, &mut guards);
        }
    }
    let others = with(|world| world.program().count() - 1);
    if others > 0 && (ends || chance(32)) {
        return end(guards);
    }
    wait_for_all(world::deliver);
    with(|world| (world.fails, world.slow) = (0, world.slow / 2));
    while let Some(receiver) = take_receiver() {
        drop_receiver(receiver);
    }
    while let Some((guard, set)) = guards.pop() {
        drop_guard(guard, set);
    }
    wait_for_all(world::deliver);
    current();
    wait_for_all(world::deliver);
    // The last threads of the program wait until the crate's own have done all.
    with(|world| world.sends = 0);
    wait_for_all(world::deliver);
    with(|world| world.check_end());
    scheduler::finish();
}

fn run_step(step: fn(&mut Guards), guards: &mut Guards) {
    with_own(|own| own.own.is_busy = true);
    step(guards);
    with_own(|own| {
        (own.own.is_busy, own.own.may_yield) = (false, false);
        own.own.opens = SignalSet::EMPTY;
    });
}

/// The program blocks something itself, which it lets in so far.
pub(super) fn block_without_crate() {
    enter(|| "-- blocks without this crate".into());
    let set = random_set();
    with(|world| {
        let unsure = world.law.unsure;
        let own = &mut world.threads[scheduler::current()];
        let set = set - own.mask;
        own.mask |= set;
        own.own.block(set - unsure);
        own.own.loose |= set & unsure;
        // As documented of a guard, which waits for no handler's end; this waits for nothing at all.
        world.excuse_unanswered(set);
        scheduler::trace(|| format!("-- blocked {set:?} without this crate"));
    });
}

/// What another program that is started now inherits.
pub(super) fn spawn_child() {
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
pub(super) fn fork(has_hook: bool) {
    enter(|| format!("-- forks, hook {has_hook}: the child goes on"));
    let kept = steps::numbers();
    with(|world| {
        world.fork(scheduler::current(), has_hook, &kept);
        world.habits = plans::random_habits();
    });
}

/// With all blocked, the C library makes a thread; which unblocks what it should then.
pub(super) fn start_thread() {
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
        thread.own.forgotten = thread.own.guards.set();
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
        let unblocked = everything() - own.own.blocked;
        world.excuse_unanswered(unblocked);
    });
    FORGOTTEN.with_borrow_mut(|all| all.push(guards));
}
