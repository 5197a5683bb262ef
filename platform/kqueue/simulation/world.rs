//! A process as the kernel sees it, and what became of each signal that was sent.
//!
//! The kernel records a signal, where a queue watches it, before it looks at what to do with it.
//! Signals are numbered as they are sent; a standard one that merges with another, or that is sent
//! again for others, stands for all of these.

use std::cell::RefCell;
use std::sync::Arc;

use crate::platform::actions::Action;
use crate::platform::kqueue::dispositions::Change;
use crate::platform::kqueue::shared::Shared;
use crate::platform::simulation::actions::Actions;
use crate::platform::simulation::lock::Lock;
use crate::platform::simulation::program::Guarded;
use crate::platform::simulation::scheduler;
use crate::platform::threads::Record;
use crate::{Disposition, Signal, SignalSet};

/// What the schedules are about.
pub(super) const USED: [Signal; 5] =
    [Signal::USR1, Signal::TERM, Signal::CHLD, Signal::WINCH, Signal::TSTP];

/// Numbers of signals that were sent.
pub(super) type Numbers = u64;

pub(super) struct Thread {
    pub(super) record: Arc<Record>,
    pub(super) mask: SignalSet,
    pub(super) is_alive: bool,
    /// What the program blocks there, for good and by guards.
    pub(super) blocked: SignalSet,
    pub(super) guards: Guarded,
    /// What it opens or closes just now.
    pub(super) concerned: SignalSet,
    /// What it watches since the last call, or the last but one, and whose action it has still to
    /// change: what comes now acts and is recorded.
    pub(super) taking_over: SignalSet,
    /// What came so.
    pub(super) doubtful: Numbers,
    /// Whose action it has put back by its last call: the next one reads what was recorded, and does
    /// not tell what came before from what came after.
    pub(super) putting_back: SignalSet,
    /// What did nothing then, because of an inherited receiver.
    pub(super) idle: SignalSet,
    /// What it has taken away unread, or pending, and may send again.
    pub(super) taken: Vec<(Signal, Numbers)>,
}

impl Thread {
    pub(super) fn kept_out(&self) -> SignalSet {
        self.blocked | self.guards.set()
    }
}

#[derive(Default)]
pub(super) struct Queue {
    pub(super) is_open: bool,
    pub(super) generation: u64,
    pub(super) watched: SignalSet,
    pub(super) records: Vec<(Signal, Numbers)>,
    /// What its receiver has, as its user sees it.
    pub(super) receives: SignalSet,
}

pub(super) struct World {
    pub(super) threads: Vec<Thread>,
    pub(super) queues: Vec<Queue>,
    pub(super) pending: Vec<(Signal, Numbers)>,
    pub(super) actions: Actions,
    /// What the program has set.
    pub(super) own_actions: Actions,
    pub(super) generation: u64,
    pub(super) lock: Lock<Shared>,
    pub(super) forked: Option<Arc<Record>>,
    pub(super) sends: usize,
    pub(super) fails: usize,
    pub(super) sent: u32,
    /// Of these, while a receiver of them was opened, changed or dropped.
    pub(super) sent_during: u32,
    pub(super) received: Numbers,
    pub(super) acted: Numbers,
    /// Ignored as without this crate.
    pub(super) ignored: Numbers,
    /// Sent between the two calls that take a signal over, or those that give it back: these may both
    /// act and be received, or act twice.
    pub(super) between: Numbers,
    /// Of these, what did both, or acted twice.
    pub(super) twice: Numbers,
    /// In a forked child: what inherited receivers have, so that it is ignored until they end; and
    /// what no thread is left to give back.
    pub(super) inherited: Vec<(usize, SignalSet)>,
    pub(super) lost: SignalSet,
    /// What inherited receivers have left for others to undo.
    pub(super) kept: Vec<Change>,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

pub(super) fn set_world(world: Option<World>) {
    let before = WORLD.with_borrow_mut(|all| std::mem::replace(all, world));
    drop(before);
}

/// Looks at the world, between two steps.
pub(super) fn with<T>(run: impl FnOnce(&mut World) -> T) -> T {
    WORLD.with_borrow_mut(|world| run(world.as_mut().expect("a schedule is running")))
}

pub(super) fn with_own<T>(run: impl FnOnce(&mut Thread) -> T) -> T {
    with(|world| run(&mut world.threads[scheduler::current()]))
}

/// Adds to what is there of the signal.
pub(super) fn add(all: &mut Vec<(Signal, Numbers)>, signal: Signal, numbers: Numbers) {
    match all.iter_mut().find(|(known, _)| *known == signal) {
        Some((_, known)) => *known |= numbers,
        None => all.push((signal, numbers)),
    }
}

/// Takes out what is there of the set.
pub(super) fn take_out(all: &mut Vec<(Signal, Numbers)>, set: SignalSet) -> Vec<(Signal, Numbers)> {
    let (taken, rest) = all.iter().copied().partition(|(signal, _)| set.contains(*signal));
    *all = rest;
    taken
}

impl World {
    /// Whether the signal would do nothing without this crate.
    fn does_nothing(&self, signal: Signal) -> bool {
        let inherited = self.inherited.iter().any(|(_, set)| set.contains(signal));
        inherited || self.lost.contains(signal) || self.own_actions.ignore(signal)
    }

    pub(super) fn set_action(&mut self, signal: Signal, action: Action) {
        self.actions.set(signal, action);
        if self.actions.ignore(signal) {
            for (signal, numbers) in take_out(&mut self.pending, signal.into()) {
                scheduler::trace(|| format!("({signal} {numbers:#b} is discarded)"));
                add(&mut self.threads[scheduler::current()].taken, signal, numbers);
            }
        }
    }

    pub(super) fn is_concerned(&self, signal: Signal) -> bool {
        self.threads.iter().any(|thread| thread.is_alive && thread.concerned.contains(signal))
    }

    /// A thread begins to open or close something of the set.
    pub(super) fn concern(&mut self, set: SignalSet) {
        let idle = self.inherited.iter().fold(SignalSet::EMPTY, |all, (_, set)| all | *set);
        let own = &mut self.threads[scheduler::current()];
        (own.concerned, own.idle) = (set, idle);
    }

    /// The running thread has taken a signal over, or has put its action back.
    pub(super) fn note_change(&mut self, signal: Signal, is_taken_over: bool) {
        let own = &mut self.threads[scheduler::current()];
        if is_taken_over {
            own.taking_over = SignalSet::EMPTY;
        } else {
            own.putting_back = signal.into();
        }
    }

    /// The running thread does not take over what it has begun to.
    pub(super) fn end_doubt(&mut self) {
        let own = &mut self.threads[scheduler::current()];
        self.between &= !own.doubtful;
        own.taking_over = SignalSet::EMPTY;
    }

    pub(super) fn send_new(&mut self, signal: Signal) {
        let number = 1 << self.sent;
        self.sent += 1;
        self.sent_during += u32::from(self.is_concerned(signal));
        for thread in self.threads.iter_mut().filter(|thread| thread.is_alive) {
            if thread.taking_over.contains(signal) {
                thread.doubtful |= number & !self.between;
            }
            if (thread.taking_over | thread.putting_back).contains(signal) {
                self.between |= number;
            }
        }
        self.send(signal, number);
    }

    pub(super) fn send(&mut self, signal: Signal, numbers: Numbers) {
        scheduler::trace(|| format!("({signal} {numbers:#b} is sent)"));
        let generation = self.generation;
        let watches = |queue: &&mut Queue| {
            queue.is_open && queue.generation == generation && queue.watched.contains(signal)
        };
        let mut is_recorded = false;
        for queue in self.queues.iter_mut().filter(watches) {
            is_recorded = true;
            add(&mut queue.records, signal, numbers);
        }
        if self.actions.ignore(signal) {
            if !is_recorded && self.does_nothing(signal) {
                self.ignored |= numbers;
            } else if !is_recorded && numbers & !self.done() != 0 {
                scheduler::fail(format!("{signal} {numbers:#b} is neither recorded nor acts"));
            }
            return;
        }
        add(&mut self.pending, signal, numbers);
        for (index, thread) in self.threads.iter().enumerate() {
            if thread.is_alive && !thread.mask.contains(signal) {
                scheduler::interrupt(index);
            }
        }
    }

    /// What was taken away unread or pending and is not sent again: it has been received or has acted,
    /// or would do nothing.
    pub(super) fn forget(&mut self, taken: Vec<(Signal, Numbers)>) {
        for (signal, numbers) in taken {
            let did_nothing = self.threads[scheduler::current()].idle.contains(signal);
            if did_nothing || self.does_nothing(signal) {
                self.ignored |= numbers;
            }
        }
    }

    fn done(&self) -> Numbers {
        self.received | self.acted | self.ignored
    }

    pub(super) fn receive(&mut self, signal: Signal, numbers: Numbers) {
        let twice = numbers & self.acted & !self.between;
        if twice != 0 {
            scheduler::fail(format!("{signal} {twice:#b} is received and has acted"));
        }
        self.twice |= numbers & self.acted;
        self.received |= numbers;
    }

    fn act(&mut self, thread: usize, signal: Signal, numbers: Numbers) {
        if self.lock.holder == Some(thread) {
            scheduler::fail(format!("{signal} acts while its thread has the lock"));
        }
        if self.threads[thread].kept_out().contains(signal) {
            scheduler::fail(format!("{signal} acts where the program blocks it"));
        }
        let generation = self.generation;
        let receives =
            |queue: &Queue| queue.generation == generation && queue.receives.contains(signal);
        let late = numbers & !self.between;
        if late != 0 && self.queues.iter().any(receives) {
            scheduler::fail(format!("{signal} {late:#b} acts, but a receiver has it"));
        }
        let twice = late & (self.acted | self.received);
        if twice != 0 {
            scheduler::fail(format!("{signal} {twice:#b} acts for a second time"));
        }
        self.twice |= numbers & (self.acted | self.received);
        self.acted |= numbers;
    }

    /// What a program can see when nothing of this crate is left.
    pub(super) fn check_end(&self) {
        for thread in self.threads.iter().filter(|thread| thread.is_alive) {
            if thread.mask != thread.blocked {
                let (mask, own) = (thread.mask, thread.blocked);
                scheduler::fail(format!("a thread blocks {mask:?} in the end, not {own:?}"));
            }
        }
        for signal in USED.into_iter().filter(|signal| !self.lost.contains(*signal)) {
            self.actions.check(signal, &self.own_actions).unwrap_or_else(|e| scheduler::fail(e));
        }
        let pending = self.pending.iter().fold(0, |all, (_, numbers)| all | numbers);
        let lost = ((1 << self.sent) - 1) & !(self.done() | pending);
        if lost != 0 {
            scheduler::fail(format!("{lost:#b} are lost"));
        }
        let generation = self.generation;
        if self.queues.iter().any(|queue| queue.is_open && queue.generation == generation) {
            scheduler::fail("a queue is open in the end".into());
        }
        let claimed = self.lock.state.borrow().claimed();
        if !claimed.is_empty() {
            scheduler::fail(format!("{claimed:?} is claimed in the end"));
        }
    }
}

/// What a thread lets in acts when it comes back from the kernel.
pub(super) fn deliver() {
    let current = scheduler::current();
    loop {
        let acts = with(|world| {
            let mask = world.threads[current].mask;
            let index = world.pending.iter().position(|(signal, _)| !mask.contains(*signal))?;
            let (signal, numbers) = world.pending.remove(index);
            world.act(current, signal, numbers);
            Some((signal, numbers, world.actions.get(signal).disposition()))
        });
        let Some((signal, numbers, disposition)) = acts else { return };
        scheduler::trace(|| format!("{signal} {numbers:#b} acts: {disposition:?}"));
        if disposition == Disposition::Default && signal != Signal::TSTP {
            scheduler::finish();
        }
        if disposition == Disposition::Handler {
            let after = with_own(|own| {
                let after = own.mask;
                own.mask = after.with(signal);
                after
            });
            for _ in 0..scheduler::random(3) {
                scheduler::pause();
                deliver();
            }
            with_own(|own| own.mask = after);
        }
    }
}
