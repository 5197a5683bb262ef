//! The simulated kernel, as this crate calls it. Another thread may go on at each call.

use std::cell::RefCell;
use std::io;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::law::{self, Own};
use super::world::{Descriptor, Fate, Sent, Thread, World, deliver, with, with_own};
use crate::mask::ThreadInfo;
use crate::platform::actions::Action;
use crate::platform::kernel::Kernel;
use crate::platform::kernel::State;
use crate::platform::signalfd::delegate::Delegates;
use crate::platform::signalfd::opening::Descriptors;
use crate::platform::simulation::scheduler;
use crate::platform::threads::Record;
use crate::{Signal, SignalSet};

#[derive(Clone, Debug)]
pub(super) struct Simulated;

/// Before each call: others may go on, and what is pending may interrupt.
pub(super) fn enter(call: impl FnOnce() -> String) {
    scheduler::pause();
    deliver();
    scheduler::trace(call);
}

fn fails(call: &str) -> io::Result<()> {
    if scheduler::chance(with(|world| world.fails)) {
        scheduler::trace(|| format!("{call} fails"));
        return Err(io::Error::from_raw_os_error(libc::EAGAIN));
    }
    Ok(())
}

/// A signal that the C library keeps for itself: in a mask, it tells of a thread that is being born.
fn of_libc() -> Signal {
    Signal::from_raw(32).expect("every system with signalfd has it")
}

pub(super) fn everything() -> SignalSet {
    SignalSet::from_bits(u128::MAX)
}

impl World {
    /// A new thread of the process.
    pub(super) fn add_thread(&mut self, index: usize, mask: SignalSet, is_delegate: bool) {
        let tid = 4_000_000 + u32::try_from(index).expect("few threads");
        assert_eq!(index, self.threads.len(), "the scheduler numbers them too");
        self.threads.push(Thread {
            tid,
            record: Arc::default(),
            mask,
            pending: Vec::new(),
            frames: Vec::new(),
            is_alive: true,
            is_delegate,
            excused: SignalSet::EMPTY,
            late: 0,
            taken: None,
            waited: Duration::ZERO,
            own: Own::default(),
        });
    }
}

impl Kernel for Simulated {
    type Shared = Delegates;

    const MASKED: bool = true;

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
        if scheduler::is_clearing() {
            return None;
        }
        enter(|| "forked_record".into());
        with(|world| world.forked.clone())
    }

    fn tid(&self) -> u32 {
        if scheduler::is_clearing() {
            return 0;
        }
        enter(|| "tid".into());
        with_own(|own| own.tid)
    }

    fn with_state<T>(&self, change: impl FnOnce(&mut State<Delegates>) -> T) -> T {
        if scheduler::is_clearing() {
            return change(&mut State::default());
        }
        enter(|| "lock".into());
        let current = scheduler::current();
        while with(|world| world.lock.is_some()) {
            scheduler::block(scheduler::State::Lock);
            deliver();
        }
        let state: Rc<RefCell<State<Delegates>>> = with(|world| {
            world.lock = Some(current);
            world.state.clone()
        });
        scheduler::trace(|| "has the lock".into());
        let result = change(&mut state.borrow_mut());
        scheduler::trace(|| "unlocks".into());
        with(|world| world.lock = None);
        scheduler::wake(|state| state == scheduler::State::Lock);
        scheduler::pause();
        deliver();
        result
    }

    fn set_mask(&self, mask: SignalSet) -> io::Result<SignalSet> {
        if scheduler::is_clearing() {
            return Ok(SignalSet::EMPTY);
        }
        enter(|| if mask == everything() { "blocks all".into() } else { format!("mask {mask:?}") });
        let before = with_own(|own| {
            let mut kept_out = own.own.kept_out() - mask;
            if std::mem::take(&mut own.own.yields) {
                // There was no thread for it: better this one than none.
                let yielded = kept_out - own.own.guarded();
                own.own.blocked -= yielded;
                kept_out -= yielded;
            }
            if !own.is_delegate && !kept_out.is_empty() {
                scheduler::fail(format!("{kept_out:?} is unblocked, which the program blocks"));
            }
            own.late = own.late.saturating_sub(1);
            own.excused = if own.late == 0 { SignalSet::EMPTY } else { own.excused - mask };
            own.own.loose &= mask;
            if mask == everything() {
                own.own.before = own.mask;
            } else {
                own.own.unblocks = own.own.before - mask;
            }
            std::mem::replace(&mut own.mask, mask)
        });
        scheduler::pause();
        deliver();
        with_own(|own| own.own.unblocks = SignalSet::EMPTY);
        Ok(before)
    }

    fn everything(&self) -> SignalSet {
        everything().without(of_libc())
    }

    /// The simulated programs reserve nothing.
    fn note_reserved(&self, _: SignalSet, _: SignalSet) {}

    fn reserved_at_fork(&self) -> SignalSet {
        SignalSet::EMPTY
    }

    fn note_newly_blocked(&self, set: SignalSet) {
        if scheduler::is_clearing() {
            return;
        }
        enter(|| format!("notes newly blocked {set:?}"));
        with(|world| world.newly_blocked |= set);
    }

    fn wait(&self, word: &AtomicU32, seen: u32, timeout: Option<Duration>) {
        if scheduler::is_clearing() {
            return;
        }
        enter(|| format!("waits {timeout:?}"));
        with(|world| {
            let current = scheduler::current();
            if world.lock == Some(current) {
                scheduler::fail("a thread waits with the lock".into());
            }
            if world.threads[current].own.is_ending {
                scheduler::fail("the end of a thread waits".into());
            }
        });
        if word.load(Ordering::Acquire) == seen {
            let word = ptr::from_ref(word).addr();
            let begin = scheduler::clock();
            let deadline = timeout.map(|timeout| begin + timeout);
            scheduler::block(scheduler::State::Waiting { word, deadline });
            // It may have been ready long before it goes on.
            let waited = (scheduler::clock() - begin).min(timeout.unwrap_or_default());
            with_own(|own| own.waited += waited);
            deliver();
        }
    }

    fn wake(&self, word: &AtomicU32) {
        if scheduler::is_clearing() {
            return;
        }
        enter(|| "wakes".into());
        let woken = ptr::from_ref(word).addr();
        scheduler::wake(
            |state| matches!(state, scheduler::State::Waiting { word, .. } if word == woken),
        );
    }

    fn start_thread(&self, run: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        if scheduler::is_clearing() {
            return Err(io::ErrorKind::Other.into());
        }
        enter(|| "starts a thread".into());
        fails("starting a thread").inspect_err(|_| {
            with_own(|own| own.own.yields = own.own.may_yield);
        })?;
        let mask = with_own(|own| own.mask);
        let index = scheduler::spawn(true, run);
        with(|world| world.add_thread(index, mask, true));
        scheduler::trace(|| format!("started thread {index}"));
        Ok(())
    }

    fn now(&self) -> Duration {
        if scheduler::is_clearing() {
            return Duration::MAX / 2;
        }
        enter(|| "now".into());
        scheduler::clock()
    }
}

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
        Ok(with(|world| world.action(signal)))
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
