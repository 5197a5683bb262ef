//! The simulated kernel's descriptors, what is pending, and the audit of masks.

use std::io;
use std::time::Duration;

use super::kernel::{Simulated, enter, fails, of_libc};
use super::law;
use super::world::{Descriptor, Fate, Sent, Thread, World, deliver, with, with_own};
use crate::mask::ThreadInfo;
use crate::platform::actions::Action;
use crate::platform::signalfd::opening::Descriptors;
use crate::platform::simulation::scheduler;
use crate::{Signal, SignalSet};

/// A signalfd.
pub(super) struct Fd(usize);

impl Drop for Fd {
    fn drop(&mut self) {
        if scheduler::is_clearing() {
            return;
        }
        enter(|| format!("closes {}", self.0));
        with(|world| world.descriptors[self.0].is_open = false);
    }
}

impl Fd {
    /// What `read(2)` gives.
    pub(super) fn read(&self) -> Option<Sent> {
        enter(|| format!("reads {}", self.0));
        let sent = with(|world| {
            let set = world.descriptors[self.0].set;
            let sent = take(world, set)?;
            world.settle(sent.number, Fate::Received);
            Some(sent)
        });
        scheduler::trace(|| format!("received {sent:?}"));
        sent
    }
}

/// `rt_sigtimedwait(2)`, by which a thread waits for the set that a receiver of this number has.
pub(super) fn wait_for(number: usize, set: SignalSet, timeout: Duration) -> Option<Sent> {
    enter(|| format!("rt_sigtimedwait {set:?}, {timeout:?}"));
    let take = |world: &mut World| {
        let sent = take(world, set)?;
        world.settle(sent.number, Fate::Received);
        Some(sent)
    };
    let sent = with(|world| {
        world.law.check_waiting(number, set);
        take(world)
    });
    let sent = sent.or_else(|| {
        with_own(|own| own.waits_for = Some((number, set)));
        let deadline = Some(scheduler::clock() + timeout);
        scheduler::block(scheduler::State::Waiting { word: 0, deadline });
        with_own(|own| own.waits_for = None);
        with(take)
    });
    scheduler::trace(|| format!("received {sent:?}"));
    with(|world| world.law.check_received(number, sent));
    deliver();
    sent
}

/// Out of the queue of the running thread or the process.
fn take(world: &mut World, set: SignalSet) -> Option<Sent> {
    let wanted = |sent: &Sent| set.contains(sent.signal);
    let own = &mut world.threads[scheduler::current()].pending;
    if let Some(index) = own.iter().position(wanted) {
        return Some(own.remove(index));
    }
    world.pending.iter().position(wanted).map(|index| world.pending.remove(index))
}

impl Descriptors for Simulated {
    type Fd = Fd;
    type Record = Sent;

    fn open(&self, set: SignalSet) -> io::Result<Fd> {
        if scheduler::is_clearing() {
            return Err(io::ErrorKind::Other.into());
        }
        enter(|| format!("signalfd {set:?}"));
        fails("signalfd")?;
        with(|world| {
            let generation = world.generation;
            world.descriptors.push(Descriptor { set, is_open: true, generation });
            Ok(Fd(world.descriptors.len() - 1))
        })
    }

    fn change(&self, fd: &Fd, set: SignalSet) -> io::Result<()> {
        if scheduler::is_clearing() {
            return Err(io::ErrorKind::Other.into());
        }
        enter(|| format!("signalfd {} {set:?}", fd.0));
        fails("signalfd")?;
        with(|world| {
            let descriptor = &mut world.descriptors[fd.0];
            if descriptor.generation != world.generation {
                scheduler::fail("a child changes its parent's descriptor".into());
            }
            descriptor.set = set;
            Ok(())
        })
    }

    /// As the audit does it: thread by thread, of one whole list.
    fn unblocked_threads(
        &self,
        set: SignalSet,
        own: &[u32],
    ) -> io::Result<Option<Vec<ThreadInfo>>> {
        if scheduler::is_clearing() {
            return Ok(None);
        }
        enter(|| "audits".into());
        fails("the audit")?;
        let (current, deadline) = (scheduler::current(), scheduler::clock() + PATIENCE);
        let mut blocking = vec![current];
        loop {
            let list = with(|world| {
                let leader = world.leader;
                let listed = |(index, thread): &(usize, &Thread)| {
                    (thread.is_alive || *index == leader) && !own.contains(&thread.tid)
                };
                let all = world.threads.iter().enumerate().filter(listed);
                let all = all.map(|(index, _)| index).filter(|index| !blocking.contains(index));
                all.collect::<Vec<_>>()
            });
            if list.is_empty() {
                return Ok(Some(Vec::new()));
            }
            let mut offenders = Vec::new();
            for index in list {
                let unblocked = loop {
                    enter(|| format!("looks at thread {index}"));
                    let (mask, is_alive) = with(|world| {
                        let hidden = law::lets_in_after_handlers(&world.threads[index]);
                        world.threads[current].own.excepted |= hidden;
                        let thread = &world.threads[index];
                        (thread.mask, thread.is_alive || index == world.leader)
                    });
                    if !is_alive {
                        break SignalSet::EMPTY;
                    }
                    if !mask.contains(of_libc()) {
                        blocking.push(index);
                        break set - mask;
                    }
                    if scheduler::clock() > deadline {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                    let deadline = Some(scheduler::clock() + Duration::from_millis(1));
                    scheduler::block(scheduler::State::Waiting { word: 0, deadline });
                    deliver();
                };
                if !unblocked.is_empty() {
                    let tid = with(|world| world.threads[index].tid);
                    offenders.push(ThreadInfo { tid, name: String::new(), unblocked });
                }
            }
            if !offenders.is_empty() {
                return Ok(Some(offenders));
            }
            enter(|| "lists again".into());
        }
    }

    fn action(&self, signal: Signal) -> io::Result<Action> {
        if scheduler::is_clearing() {
            return Ok(Action::default());
        }
        enter(|| format!("action of {signal}"));
        Ok(with(|world| world.actions.get(signal)))
    }

    fn set_action(&self, signal: Signal, action: &Action) -> io::Result<()> {
        if scheduler::is_clearing() {
            return Ok(());
        }
        enter(|| format!("sets action of {signal}: {:?}", action.disposition()));
        with(|world| world.set_action(signal, *action));
        Ok(())
    }

    fn take_pending(&self, signal: Signal) -> Option<Sent> {
        if scheduler::is_clearing() {
            return None;
        }
        enter(|| format!("takes pending {signal}"));
        with(|world| {
            let (sent, taken) = (world.sent, take(world, signal.into()));
            world.threads[scheduler::current()].taken = Some((sent, taken.is_some()));
            taken
        })
    }

    fn put_back(&self, sent: Sent) {
        if scheduler::is_clearing() {
            return;
        }
        enter(|| format!("puts back {} no {}", sent.signal, sent.number));
        with(|world| world.put(sent, None));
    }
}

/// How long the audit looks at a thread that blocks all.
const PATIENCE: Duration = Duration::from_secs(1);
