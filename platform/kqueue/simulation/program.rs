//! Random programs, and the random world in which they run.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::kernel::{Simulated, enter};
use super::world::{self, Thread, USED, World, with, with_own};
use crate::SignalSet;
use crate::platform::actions::Action;
use crate::platform::kqueue::opening::Opened;
use crate::platform::masks::{Guard, settle};
use crate::platform::process::end_thread;
use crate::platform::simulation::actions::Actions;
use crate::platform::simulation::lock::Lock;
use crate::platform::simulation::program::{Guarded, take_any, wait_for_all};
use crate::platform::simulation::scheduler::{self, chance, random};

/// Signals that were sent in all schedules so far while a receiver of them was opened, changed or
/// dropped, and those that were seen twice.
pub(super) static SENT_IN_ALL: AtomicU64 = AtomicU64::new(0);
pub(super) static TWICE_IN_ALL: AtomicU64 = AtomicU64::new(0);

type Guards = Vec<(Guard<Simulated>, SignalSet)>;

thread_local! {
    /// The receivers that any thread of the program may use next.
    static RECEIVERS: RefCell<Vec<Opened<Simulated>>> = const { RefCell::new(Vec::new()) };
}

/// Signals that are sent at most.
const SENT: u32 = 12;

/// One schedule: makes the world and its first threads.
pub(super) fn schedule() {
    scheduler::set_hooks(before_step, at_end);
    let actions: Actions = USED.map(|signal| (signal, random_action())).into_iter().collect();
    let (sends, fails) = ([0, 1, 4, 8][random(4)], [0, 0, 8][random(3)]);
    world::set_world(Some(World {
        threads: Vec::new(),
        queues: Vec::new(),
        pending: Vec::new(),
        actions: actions.clone(),
        own_actions: actions,
        generation: 1,
        lock: Lock::default(),
        forked: None,
        sends,
        fails,
        sent: 0,
        sent_during: 0,
        received: 0,
        acted: 0,
        ignored: 0,
        between: 0,
        twice: 0,
        inherited: Vec::new(),
        lost: SignalSet::EMPTY,
        kept: Vec::new(),
    }));
    for _ in 0..1 + random(3) {
        let blocked = if random(2) == 0 { SignalSet::EMPTY } else { random_set() };
        add_thread(scheduler::spawn(false, run_thread), blocked);
    }
}

fn add_thread(index: usize, blocked: SignalSet) {
    with(|world| {
        assert_eq!(index, world.threads.len(), "the scheduler numbers them too");
        world.threads.push(Thread {
            record: Arc::default(),
            mask: blocked,
            is_alive: true,
            blocked,
            guards: Guarded::default(),
            concerned: SignalSet::EMPTY,
            taking_over: SignalSet::EMPTY,
            doubtful: 0,
            putting_back: SignalSet::EMPTY,
            idle: SignalSet::EMPTY,
            taken: Vec::new(),
        });
    });
}

fn random_action() -> Action {
    let mut action = match random(8) {
        0 | 1 => Action::default(),
        2 => Action::ignore(),
        _ => Action::default(),
    };
    if random(2) == 0 {
        action.0.sa_sigaction = 0x1000;
    }
    if random(4) == 0 {
        action.0.sa_flags = [libc::SA_NOCLDWAIT, libc::SA_NOCLDSTOP, libc::SA_RESTART][random(3)];
    }
    action
}

/// Signals come from outside, at any time.
fn before_step() {
    let sends = with(|world| if world.sent < SENT { world.sends } else { 0 });
    if chance(sends) {
        let signal = USED[random(USED.len())];
        with(|world| world.send_new(signal));
    }
}

fn at_end() {
    RECEIVERS.with_borrow_mut(Vec::clear);
    with(|world| {
        SENT_IN_ALL.fetch_add(world.sent_during.into(), Ordering::Relaxed);
        TWICE_IN_ALL.fetch_add(world.twice.count_ones().into(), Ordering::Relaxed);
    });
    world::set_world(None);
}

fn random_set() -> SignalSet {
    let count = [1, 1, 2, 3][random(4)];
    (0..count).map(|_| USED[random(USED.len())]).collect()
}

/// A thread of the program.
fn run_thread() {
    let mut guards = Guards::new();
    for _ in 0..1 + random(6) {
        act(&mut guards);
    }
    let others = with(|world| world.threads.iter().filter(|thread| thread.is_alive).count() - 1);
    if others > 0 && chance(32) {
        while let Some((guard, set)) = guards.pop() {
            drop_guard(guard, set);
        }
        let record = with_own(|own| own.record.clone());
        end_thread(&Simulated, &record);
        enter(|| "-- has ended".into());
        return with_own(|own| own.is_alive = false);
    }
    wait_for_all(world::deliver);
    with(|world| world.fails = 0);
    while let Some(receiver) = take_receiver() {
        drop_receiver(receiver);
    }
    while let Some((guard, set)) = guards.pop() {
        drop_guard(guard, set);
    }
    wait_for_all(world::deliver);
    let _ = settle(&Simulated);
    with(|world| world.sends = 0);
    wait_for_all(world::deliver);
    with(|world| world.check_end());
    scheduler::finish();
}

fn act(guards: &mut Guards) {
    match random(32) {
        0..8 => open(),
        8..13 => take_receiver().into_iter().for_each(drop_receiver),
        13..17 => take_receiver().into_iter().for_each(update),
        17..20 => take_receiver().into_iter().for_each(read),
        20..23 => {
            let set = random_set();
            if let Ok(guard) = Guard::new(Simulated, set) {
                with_own(|own| own.guards.add(set));
                guards.push((guard, set));
            }
        }
        23..25 if !guards.is_empty() => {
            let (guard, set) = guards.swap_remove(random(guards.len()));
            drop_guard(guard, set);
        }
        25 if !guards.is_empty() => {
            let (guard, set) = guards.swap_remove(random(guards.len()));
            with_own(|own| own.blocked |= set);
            with_own(|own| own.guards.forget(set));
            guard.keep();
        }
        26 => drop(settle(&Simulated)),
        27 => set_own_action(),
        28 => fork(),
        29 => {
            let blocked = with_own(|own| own.kept_out());
            enter(|| "-- starts a thread".into());
            if with(|world| world.threads.len()) < 6 {
                add_thread(scheduler::spawn(false, run_thread), blocked);
            }
        }
        _ => enter(|| "does nothing".into()),
    }
}

fn take_receiver() -> Option<Opened<Simulated>> {
    RECEIVERS.with_borrow_mut(take_any)
}

fn put_receiver(receiver: Opened<Simulated>) {
    RECEIVERS.with_borrow_mut(|all| all.push(receiver));
}

fn open() {
    let set = random_set();
    scheduler::trace(|| format!("-- opens {set:?}"));
    with(|world| world.concern(set));
    match Opened::open(Simulated, set) {
        Ok(receiver) => {
            let queue = receiver.queue.0;
            scheduler::trace(|| format!("-- receiver {queue} is open"));
            with(|world| {
                world.check_unclaimed(set);
                world.queues[queue].receives = set;
            });
            put_receiver(receiver);
        }
        Err(error) => scheduler::trace(|| format!("-- refused: {error}")),
    }
    forget_concern();
}

/// What was taken away and not sent again does nothing, or has come again in between.
fn forget_concern() {
    with(|world| {
        let own = &mut world.threads[scheduler::current()];
        (own.concerned, own.taking_over) = (SignalSet::EMPTY, SignalSet::EMPTY);
        own.putting_back = SignalSet::EMPTY;
        let taken = std::mem::take(&mut own.taken);
        world.forget(taken);
        world.threads[scheduler::current()].idle = SignalSet::EMPTY;
    });
}

fn update(receiver: Opened<Simulated>) {
    let (queue, set) = (receiver.queue.0, random_set());
    let (before, is_own) = with(|world| {
        let before = world.queues[queue].receives;
        world.concern((before - set) | (set - before));
        world.queues[queue].receives = before & set;
        (before, world.queues[queue].generation == world.generation)
    });
    scheduler::trace(|| format!("-- updates receiver {queue} to {set:?}"));
    let result = receiver.update(set);
    scheduler::trace(|| format!("-- updated receiver {queue}: {result:?}"));
    if result.is_ok() && !is_own {
        scheduler::fail("a child updates its parent's receiver".into());
    }
    with(|world| {
        if result.is_ok() {
            world.check_unclaimed(set - before);
        }
        world.queues[queue].receives = if result.is_ok() { set } else { before };
    });
    forget_concern();
    put_receiver(receiver);
}

fn drop_receiver(receiver: Opened<Simulated>) {
    let queue = receiver.queue.0;
    scheduler::trace(|| format!("-- drops receiver {queue}"));
    with(|world| {
        let set = std::mem::take(&mut world.queues[queue].receives);
        world.concern(set);
    });
    drop(receiver);
    with(|world| {
        world.inherited.retain(|(number, _)| *number != queue);
    });
    forget_concern();
    scheduler::trace(|| format!("-- dropped receiver {queue}"));
}

fn read(receiver: Opened<Simulated>) {
    if receiver.check_owner().is_ok() {
        receiver.queue.read();
    }
    put_receiver(receiver);
}

fn drop_guard(guard: Guard<Simulated>, set: SignalSet) {
    with_own(|own| own.guards.forget(set));
    drop(guard);
}

/// The program sets an action, of what nothing of this crate has.
fn set_own_action() {
    enter(|| "-- sets an action".into());
    let (signal, action) = (USED[random(USED.len())], random_action());
    with(|world| {
        let has = |set: SignalSet| set.contains(signal);
        let is_received = world.queues.iter().any(|queue| has(queue.receives));
        let is_inherited = world.inherited.iter().any(|(_, set)| has(*set));
        if !is_received && !is_inherited && !has(world.lost) && !world.is_concerned(signal) {
            scheduler::trace(|| format!("-- sets {signal}: {:?}", action.disposition()));
            world.own_actions.set(signal, action);
            world.set_action(signal, action);
            let taken = std::mem::take(&mut world.threads[scheduler::current()].taken);
            world.forget(taken);
        }
    });
}

/// The child goes on, with this thread alone.
fn fork() {
    enter(|| "-- forks: the child goes on".into());
    let kept = RECEIVERS
        .with_borrow(|all| all.iter().map(|receiver| receiver.queue.0).collect::<Vec<_>>());
    with(|world| world.fork(scheduler::current(), &kept));
}

impl World {
    fn check_unclaimed(&self, set: SignalSet) {
        let own = |queue: &&world::Queue| queue.generation == self.generation;
        if self.queues.iter().filter(own).any(|queue| !(queue.receives & set).is_empty()) {
            scheduler::fail(format!("two receivers have some of {set:?}"));
        }
    }

    fn fork(&mut self, forking: usize, kept: &[usize]) {
        self.generation += 1;
        let is_new = |number: &usize| !self.inherited.iter().any(|(known, _)| known == number);
        let new = self.queues.iter().enumerate().filter(|(number, _)| is_new(number));
        let new = new.map(|(number, queue)| (number, queue.receives)).collect::<Vec<_>>();
        self.inherited.extend(new);
        self.inherited.retain(|(number, _)| kept.contains(number));
        let lost = self.queues.iter().enumerate().filter(|(number, _)| !kept.contains(number));
        self.lost |= lost.fold(SignalSet::EMPTY, |all, (_, queue)| all | queue.receives);
        self.pending.clear();
        self.lock = Lock::default();
        self.forked = Some(self.threads[forking].record.clone());
        // What was sent before was sent to the parent.
        self.ignored = (1 << self.sent) - 1;
        for (index, thread) in self.threads.iter_mut().enumerate() {
            if index != forking {
                self.lost |= thread.concerned;
                thread.is_alive = false;
                scheduler::set_state(index, scheduler::State::Gone);
            }
        }
    }
}
