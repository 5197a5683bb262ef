//! The simulated kernel, as this crate calls it. Another thread may go on at each call.

use std::io;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::law::Own;
use super::world::{Thread, World, deliver, with, with_own};
use crate::platform::kernel::{Kernel, State};
use crate::platform::signalfd::delegate::Delegates;
use crate::platform::simulation::lock::locked;
use crate::platform::simulation::{program, scheduler};
use crate::platform::threads::Record;
use crate::{Signal, SignalSet};

#[derive(Clone, Debug)]
pub(super) struct Simulated;

pub(super) fn enter(call: impl FnOnce() -> String) {
    program::enter(deliver, call);
}

pub(super) fn fails(call: &str) -> io::Result<()> {
    if scheduler::chance(with(|world| world.fails)) {
        scheduler::trace(|| format!("{call} fails"));
        return Err(io::Error::from_raw_os_error(libc::EAGAIN));
    }
    Ok(())
}

/// A signal that the C library keeps for itself: in a mask, it tells of a thread that is being born.
pub(super) fn of_libc() -> Signal {
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
            waits_for: None,
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
        locked(|run| with(|world| run(&mut world.lock)), deliver, change)
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
                let yielded = kept_out - own.own.guards.set();
                own.own.blocked -= yielded;
                own.own.blocked_since -= yielded;
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
                own.own.received |= own.own.unblocks;
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
            if world.lock.holder == Some(current) {
                scheduler::fail("a thread waits with the lock".into());
            }
            if world.threads[current].own.is_ending {
                scheduler::fail("the end of a thread waits".into());
            }
        });
        if word.load(Ordering::Acquire) == seen {
            let address = ptr::from_ref(word).addr();
            let begin = scheduler::clock();
            let deadline = timeout.map(|timeout| begin + timeout);
            let is_late = scheduler::block(scheduler::State::Waiting { word: address, deadline });
            if is_late && word.load(Ordering::Acquire) != seen && with(|world| world.is_prompt) {
                scheduler::fail("a thread sleeps on, though its word has changed".into());
            }
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
