//! A process as the kernel sees it: threads, masks, dispositions, and what is pending.

use std::cell::RefCell;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use super::law::{Law, Own};
use super::plans::Plan;
use crate::platform::actions::Action;
use crate::platform::signalfd::delegate::Delegates;
use crate::platform::simulation::actions::Actions;
use crate::platform::simulation::lock::Lock;
use crate::platform::simulation::program::Habits;
use crate::platform::simulation::scheduler;
use crate::platform::threads::Record;
use crate::platform::{ByDefault, numbers};
use crate::{Disposition, Signal, SignalSet};

/// What the schedules are about.
pub(super) const USED: [Signal; 5] =
    [Signal::USR1, Signal::USR2, Signal::CHLD, Signal::WINCH, Signal::TERM];

pub(super) fn used() -> impl Iterator<Item = Signal> {
    USED.into_iter().chain(Signal::rt(1))
}

/// One signal on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) signal: Signal,
    pub(super) number: usize,
    /// At one thread, not at the process.
    pub(super) is_directed: bool,
}

/// What has become of a signal that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    OnItsWay,
    Received,
    Acted,
    /// The kernel keeps one of those that are pending.
    Merged,
    /// By the kernel, when it was sent or when an action was set.
    Ignored,
    /// It is pending in the process that forked.
    Elsewhere,
}

/// A handler that is running.
pub(super) struct Frame {
    /// The mask that its return puts back.
    pub(super) after: SignalSet,
    pub(super) signal: Signal,
    /// Whether it runs because this crate unblocks the signal.
    pub(super) is_unblocked: bool,
}

pub(super) struct Thread {
    pub(super) tid: u32,
    pub(super) record: Arc<Record>,
    pub(super) mask: SignalSet,
    pub(super) pending: Vec<Sent>,
    pub(super) frames: Vec<Frame>,
    pub(super) is_alive: bool,
    /// Of the crate's own.
    pub(super) is_delegate: bool,
    /// A delegate: what may act there although no thread wants it to any more, and for how many masks
    /// that it has still to set.
    pub(super) excused: SignalSet,
    pub(super) late: u8,
    /// How many signals had been sent when it took one out of the queue that it puts back later, and
    /// whether there was one.
    pub(super) taken: Option<(usize, bool)>,
    /// What it waits for in `rt_sigtimedwait(2)`, for a receiver of that number.
    pub(super) waits_for: Option<(usize, SignalSet)>,
    /// How long it has waited in this step of the program for others.
    pub(super) waited: Duration,
    pub(super) own: Own,
}

pub(super) struct Descriptor {
    pub(super) set: SignalSet,
    pub(super) is_open: bool,
    pub(super) generation: u64,
}

pub(super) struct World {
    pub(super) threads: Vec<Thread>,
    /// The thread whose mask decides what is ignored when it is sent.
    pub(super) leader: usize,
    pub(super) pending: Vec<Sent>,
    pub(super) sent: usize,
    pub(super) actions: Actions,
    /// What the program has set.
    pub(super) own_actions: Actions,
    /// Of all that was sent, by its number.
    pub(super) fates: Vec<Fate>,
    pub(super) descriptors: Vec<Descriptor>,
    pub(super) generation: u64,
    pub(super) lock: Lock<Delegates>,
    /// Of the thread that forked, if a hook told.
    pub(super) forked: Option<Arc<Record>>,
    /// Forked by a bare system call: the C library knows nothing of it, so it starts no thread.
    pub(super) is_bare_child: bool,
    pub(super) newly_blocked: SignalSet,
    /// How often of 64 something is sent, a call fails, a handler takes long.
    pub(super) sends: usize,
    pub(super) fails: usize,
    pub(super) slow: usize,
    /// No handler takes long, and no time passes while a thread could run.
    pub(super) is_prompt: bool,
    pub(super) habits: Habits,
    /// What the threads that are still to be started begin with.
    pub(super) plan: slice::Iter<'static, Plan>,
    /// Steps of one thread.
    pub(super) most_steps: usize,
    pub(super) law: Law,
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

/// As [`with`], for the running thread.
pub(super) fn with_own<T>(run: impl FnOnce(&mut Thread) -> T) -> T {
    with(|world| run(&mut world.threads[scheduler::current()]))
}

impl World {
    /// An action that this crate sets, on the running thread.
    pub(super) fn set_action(&mut self, signal: Signal, action: Action) {
        self.actions.set(signal, action);
        let taken = self.threads[scheduler::current()].taken.take();
        if action.disposition() == Disposition::Ignore {
            self.check_ignoring(signal);
        }
        if !self.actions.ignore(signal) {
            return;
        }
        let mut gone = Vec::new();
        let threads = self.threads.iter_mut().map(|thread| &mut thread.pending);
        for queue in threads.chain([&mut self.pending]) {
            gone.extend(queue.iter().filter(|sent| sent.signal == signal).copied());
            queue.retain(|sent| sent.signal != signal);
        }
        for sent in gone {
            self.check_discarded(sent, taken);
        }
    }

    pub(super) fn living(&self) -> impl Iterator<Item = (usize, &Thread)> {
        self.threads.iter().enumerate().filter(|(_, thread)| thread.is_alive)
    }

    /// The threads of the program that live.
    pub(super) fn program(&self) -> impl Iterator<Item = (usize, &Thread)> {
        self.living().filter(|(_, thread)| !thread.is_delegate)
    }

    /// A signal for the process, or for one thread.
    pub(super) fn send(&mut self, signal: Signal, thread: Option<usize>) {
        let number = self.sent;
        self.sent += 1;
        self.fates.push(Fate::OnItsWay);
        let looked_at = &self.threads[thread.unwrap_or(self.leader)];
        if self.actions.ignore(signal) && !looked_at.mask.contains(signal) {
            scheduler::trace(|| format!("({signal} no {number} is sent and ignored)"));
            self.law.check_ignored(signal);
            self.settle(number, Fate::Ignored);
            return;
        }
        scheduler::trace(|| format!("({signal} no {number} is sent to {thread:?})"));
        self.put(Sent { signal, number, is_directed: thread.is_some() }, thread);
    }

    /// Into the queue, if it does not merge.
    pub(super) fn put(&mut self, sent: Sent, thread: Option<usize>) {
        let queue = match thread {
            Some(thread) => &mut self.threads[thread].pending,
            None => &mut self.pending,
        };
        let merges = !sent.signal.is_real_time();
        if merges && queue.iter().any(|other| other.signal == sent.signal) {
            return self.settle(sent.number, Fate::Merged);
        }
        queue.push(sent);
        for (index, other) in self.living() {
            let concerned = thread.is_none_or(|thread| thread == index);
            let waits = other.waits_for.is_some_and(|(_, set)| set.contains(sent.signal));
            if concerned && (waits || !other.mask.contains(sent.signal)) {
                scheduler::interrupt(index);
            }
        }
    }

    /// The next signal that acts on the thread.
    fn take_unblocked(&mut self, thread: usize) -> Option<Sent> {
        let mask = self.threads[thread].mask;
        let acts = |sent: &Sent| !mask.contains(sent.signal);
        let own = &mut self.threads[thread].pending;
        if let Some(index) = own.iter().position(acts) {
            return Some(own.remove(index));
        }
        self.pending.iter().position(acts).map(|index| self.pending.remove(index))
    }
}

/// What the kernel does when a thread comes back from it: all that the thread lets in acts.
pub(super) fn deliver() {
    let current = scheduler::current();
    while let Some(sent) = with(|world| world.take_unblocked(current)) {
        let signal = sent.signal;
        let disposition = with(|world| {
            world.check_act(current, sent);
            world.settle(sent.number, Fate::Acted);
            world.actions.get(signal).disposition()
        });
        let by_default = numbers::by_default(signal.as_raw());
        scheduler::trace(|| format!("{signal} no {} acts: {disposition:?}", sent.number));
        match disposition {
            Disposition::Handler => handle(signal),
            Disposition::Default if by_default != ByDefault::Ignored => scheduler::finish(),
            Disposition::Default | Disposition::Ignore => {}
        }
    }
}

/// A handler of the program.
fn handle(signal: Signal) {
    with_own(|own| {
        let (after, is_unblocked) = (own.mask, own.own.unblocks.contains(signal));
        own.frames.push(Frame { after, signal, is_unblocked });
        own.mask = own.mask.with(signal);
    });
    for _ in 0..scheduler::random(3) {
        scheduler::pause();
        deliver();
    }
    let slow = with(|world| world.slow);
    if scheduler::chance(slow) {
        if scheduler::random(2) == 0 {
            scheduler::trace(|| format!("the handler of {signal} waits for all others"));
            scheduler::block(scheduler::State::Stuck);
            deliver();
        } else {
            let end =
                scheduler::clock() + Duration::from_millis([5, 200, 3000][scheduler::random(3)]);
            scheduler::trace(|| format!("the handler of {signal} sleeps until {end:?}"));
            while scheduler::clock() < end {
                scheduler::block(scheduler::State::Waiting { word: 0, deadline: Some(end) });
                deliver();
            }
        }
    }
    with(|world| world.check_waiting());
    scheduler::trace(|| format!("the handler of {signal} returns"));
    with_own(|own| {
        let frame = own.frames.pop().expect("the handler runs");
        own.mask = frame.after;
    });
}
