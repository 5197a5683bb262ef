//! The simulated kernel, as this crate calls it. Another thread may go on at each call.

use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use super::world::{self, World, deliver, take_out, with, with_own};
use crate::platform::actions::Action;
use crate::platform::kernel::{Kernel, State};
use crate::platform::kqueue::dispositions::{self, Change};
use crate::platform::kqueue::opening::Queues;
use crate::platform::kqueue::shared::Shared;
use crate::platform::simulation::lock::locked;
use crate::platform::simulation::{program, scheduler};
use crate::platform::threads::Record;
use crate::{Signal, SignalSet};

#[derive(Clone, Debug)]
pub(super) struct Simulated;

pub(super) fn enter(call: impl FnOnce() -> String) {
    program::enter(deliver, call);
}

fn fails(call: &str) -> io::Result<()> {
    if scheduler::chance(with(|world| world.fails)) {
        scheduler::trace(|| format!("{call} fails"));
        return Err(io::ErrorKind::WouldBlock.into());
    }
    Ok(())
}

impl Kernel for Simulated {
    type Shared = Shared;

    const MASKED: bool = false;

    fn generation(&self) -> u64 {
        if scheduler::is_clearing() {
            return 1;
        }
        enter(|| "generation".into());
        with(|world| world.generation)
    }

    fn record(&self) -> Arc<Record> {
        if scheduler::is_clearing() {
            return Arc::default();
        }
        enter(|| "record".into());
        with_own(|own| own.record.clone())
    }

    fn forked_record(&self) -> Option<Arc<Record>> {
        with(|world| world.forked.clone())
    }

    fn tid(&self) -> u32 {
        0
    }

    fn with_state<T>(&self, change: impl FnOnce(&mut State<Shared>) -> T) -> T {
        if scheduler::is_clearing() {
            return change(&mut State::default());
        }
        enter(|| "lock".into());
        locked(|run| with(|world| run(&mut world.lock)), deliver, change)
    }

    fn set_mask(&self, mask: SignalSet) -> io::Result<SignalSet> {
        if scheduler::is_clearing() {
            return Ok(SignalSet::EMPTY);
        }
        enter(|| "sets its mask".into());
        let before = with_own(|own| {
            let kept_out = own.kept_out() - mask;
            if !kept_out.is_empty() {
                scheduler::fail(format!("{kept_out:?} is unblocked, which the program blocks"));
            }
            std::mem::replace(&mut own.mask, mask)
        });
        scheduler::pause();
        deliver();
        Ok(before)
    }

    fn everything(&self) -> SignalSet {
        SignalSet::from_bits(u128::MAX)
    }

    /// The simulated programs reserve nothing.
    fn note_reserved(&self, _: SignalSet, _: SignalSet) {}

    fn reserved_at_fork(&self) -> SignalSet {
        SignalSet::EMPTY
    }

    fn note_newly_blocked(&self, _: SignalSet) {}

    fn wait(&self, _: &AtomicU32, _: u32, _: Option<Duration>) {
        scheduler::fail("nothing is waited for here".into());
    }

    fn wake(&self, _: &AtomicU32) {}

    fn start_thread(&self, _: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        scheduler::fail("no thread is needed here".into());
    }

    fn now(&self) -> Duration {
        scheduler::clock()
    }
}

/// A kqueue.
pub(super) struct Queue(pub(super) usize);

impl Drop for Queue {
    fn drop(&mut self) {
        if !scheduler::is_clearing() {
            enter(|| format!("closes {}", self.0));
            with(|world| world.queues[self.0].is_open = false);
        }
    }
}

impl Queues for Simulated {
    type Queue = Queue;
    type Calls<'a> = &'a Queue;

    fn calls(queue: &Queue) -> &Queue {
        queue
    }

    fn open(&self) -> io::Result<Queue> {
        enter(|| "kqueue".into());
        fails("kqueue")?;
        with(|world| {
            let (is_open, generation) = (true, world.generation);
            world.queues.push(world::Queue { is_open, generation, ..world::Queue::default() });
            Ok(Queue(world.queues.len() - 1))
        })
    }

    fn descriptor(queue: &Queue) -> RawFd {
        RawFd::try_from(queue.0).expect("few queues")
    }

    /// The simulated programs do not stop.
    fn watch(_: RawFd, _: Signal, _: bool) {}

    fn keep(&self, changes: Vec<Change>) {
        if !scheduler::is_clearing() {
            with(|world| world.kept.extend(changes));
        }
    }

    fn take_kept(&self, set: SignalSet) -> Vec<Change> {
        if scheduler::is_clearing() {
            return Vec::new();
        }
        with(|world| {
            let kept = std::mem::take(&mut world.kept).into_iter();
            let (taken, rest) = kept.partition(|change| set.contains(change.signal()));
            world.kept = rest;
            taken
        })
    }
}

impl Queue {
    /// Before each call on a queue. What was in doubt until this one is so no longer.
    fn enter(&self, call: impl FnOnce() -> String) {
        enter(call);
        self.check();
        with_own(|own| {
            (own.taking_over, own.putting_back) = (SignalSet::EMPTY, SignalSet::EMPTY);
        });
    }

    fn check(&self) {
        with(|world| {
            let queue = &world.queues[self.0];
            if !queue.is_open || queue.generation != world.generation {
                scheduler::fail("a queue is used that this process does not have".into());
            }
        });
    }

    /// What `kevent(2)` gives, of one signal.
    pub(super) fn read(&self) {
        enter(|| format!("reads {}", self.0));
        self.check();
        with(|world| {
            let records = &mut world.queues[self.0].records;
            if !records.is_empty() {
                let (signal, numbers) = records.remove(0);
                scheduler::trace(|| format!("received {signal} {numbers:#b}"));
                world.receive(signal, numbers);
            }
        });
    }
}

impl dispositions::Kernel for &Queue {
    fn watch(&mut self, signal: Signal) -> io::Result<()> {
        if scheduler::is_clearing() {
            return Ok(());
        }
        self.enter(|| format!("{} watches {signal}", self.0));
        fails("watching")?;
        let watched = SignalSet::from(signal);
        with(|world| world.queues[self.0].watched |= watched);
        with_own(|own| (own.taking_over, own.doubtful) = (watched, 0));
        Ok(())
    }

    fn unwatch(&mut self, set: SignalSet) {
        if scheduler::is_clearing() {
            return;
        }
        for signal in set {
            self.enter(|| format!("{} does not watch {signal}", self.0));
            with(|world| {
                let queue = &mut world.queues[self.0];
                queue.watched = queue.watched.without(signal);
                let forgotten = take_out(&mut queue.records, signal.into());
                world.forget(forgotten);
            });
        }
    }

    fn take_unread(&mut self) -> SignalSet {
        if scheduler::is_clearing() {
            return SignalSet::EMPTY;
        }
        self.enter(|| format!("takes what is unread of {}", self.0));
        let current = scheduler::current();
        with(|world| {
            let records = std::mem::take(&mut world.queues[self.0].records);
            world.threads[current].taken.extend(&records);
            records.into_iter().map(|(signal, _)| signal).collect()
        })
    }

    fn pending(&mut self) -> SignalSet {
        if scheduler::is_clearing() {
            return SignalSet::EMPTY;
        }
        enter(|| "pending".into());
        with(|world| {
            let own = &mut world.threads[scheduler::current()];
            let blocked = world.pending.iter().filter(|(signal, _)| own.mask.contains(*signal));
            let pending: Vec<_> = blocked.copied().collect();
            for &(signal, numbers) in &pending {
                if own.taking_over.contains(signal) {
                    // Another thread may let it in, and act on it, before it is discarded here.
                    own.doubtful |= numbers & !world.between;
                    world.between |= numbers;
                    world::add(&mut own.taken, signal, numbers);
                }
            }
            pending.into_iter().map(|(signal, _)| signal).collect()
        })
    }

    fn action(&self, signal: Signal) -> io::Result<Action> {
        if scheduler::is_clearing() {
            return Ok(Action::default());
        }
        enter(|| format!("action of {signal}"));
        with_own(|own| own.putting_back = SignalSet::EMPTY);
        Ok(with(|world| world.actions.get(signal)))
    }

    fn set_action(&mut self, signal: Signal, action: &Action) -> io::Result<()> {
        if scheduler::is_clearing() {
            return Ok(());
        }
        // In a forked child the queue is not there, and there is nothing to be recorded.
        enter(|| format!("sets action of {signal}: {:?}", action.disposition()));
        with_own(|own| own.putting_back = SignalSet::EMPTY);
        if action.mark(signal).is_some() {
            // If it fails, the signal acts still: nothing is in doubt.
            fails("setting an action").inspect_err(|_| with(World::end_doubt))?;
        }
        with(|world| {
            world.set_action(signal, *action);
            world.note_change(signal, action.mark(signal).is_some());
        });
        Ok(())
    }

    fn send(&mut self, signal: Signal) {
        if scheduler::is_clearing() {
            return;
        }
        self.enter(|| format!("sends {signal} to itself"));
        let current = scheduler::current();
        with(|world| {
            let taken = take_out(&mut world.threads[current].taken, signal.into());
            let numbers = taken.into_iter().fold(0, |all, (_, numbers)| all | numbers);
            // Once for all that have not acted yet. For nothing else it must not be sent.
            let owed = numbers & (world.between | !world.acted);
            world.send(signal, if owed == 0 { numbers } else { owed });
        });
    }
}
