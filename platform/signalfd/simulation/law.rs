//! The law: what may act where, beside what the program would see without this crate.

use super::receivers::Opened;
use super::world::{Fate, Frame, Sent, Thread, World, used};
use crate::platform::simulation::lock::Lock;
use crate::platform::simulation::program::Guarded;
use crate::platform::simulation::scheduler;
use crate::platform::threads::Record;
use crate::{Signal, SignalSet};

/// What a thread's mask would be without this crate.
#[derive(Clone, Default)]
pub(super) struct Own {
    /// What the program blocks there.
    pub(super) blocked: SignalSet,
    /// What the thread has blocked since it was born, when a receiver had it: nothing tells that
    /// from what the program blocks.
    pub(super) loose: SignalSet,
    /// What guards have left blocked for good.
    pub(super) kept: SignalSet,
    /// The guards that are held.
    pub(super) guards: Guarded,
    /// What it left guarded when it ended.
    pub(super) forgotten: SignalSet,
    /// What receivers or guards have had here, or this crate has let in here.
    pub(super) received: SignalSet,
    /// What of that the program has blocked itself since: programs that it starts do so too.
    pub(super) blocked_since: SignalSet,
    /// Its mask before this crate blocked all there.
    pub(super) before: SignalSet,
    /// What this crate is unblocking there now: it has to tell the threads that open.
    pub(super) unblocks: SignalSet,
    /// What its audit can't know that other threads let in.
    pub(super) excepted: SignalSet,
    /// What it gives back just now, or would if what it does fails.
    pub(super) gives_back: SignalSet,
    /// What it opens just now.
    pub(super) opens: SignalSet,
    /// It is ending: it waits for nothing.
    pub(super) is_ending: bool,
    /// It is between two steps of the program.
    pub(super) is_busy: bool,
    /// It gives something back, and may let that in if there is no thread to be had.
    pub(super) may_yield: bool,
    /// So it was.
    pub(super) yields: bool,
}

impl Own {
    /// The program blocks what it has let in so far.
    pub(super) fn block(&mut self, set: SignalSet) {
        self.blocked |= set;
        self.blocked_since |= set & self.received;
    }

    /// Of a thread that this one starts with a mask.
    pub(super) fn of_new(&self, mask: SignalSet) -> Own {
        let blocked = self.kept_out();
        Own { blocked, loose: mask - blocked, ..Own::default() }
    }

    /// What must not act there.
    pub(super) fn kept_out(&self) -> SignalSet {
        self.blocked | self.guards.set()
    }
}

#[derive(Default)]
pub(super) struct Law {
    pub(super) generation: u64,
    pub(super) opened: Vec<Opened>,
    /// What threads let in that have ended while this crate blocked it there.
    pub(super) abandoned: SignalSet,
    /// The same and what may be so.
    pub(super) maybe_abandoned: SignalSet,
    /// In a forked child: what it inherited receivers of that no audit made sure of. What the child
    /// blocks itself of that, nothing tells from what it inherited blocked.
    pub(super) unsure: SignalSet,
    /// Receivers so far.
    pub(super) numbers: usize,
    /// What receivers have that a fork left to no thread.
    pub(super) lost: SignalSet,
    /// The same of receivers that were being opened: the action may have been changed.
    pub(super) unopened: SignalSet,
}

impl World {
    /// Each signal that was sent is received once, acts once, or goes where the kernel lets it.
    pub(super) fn settle(&mut self, number: usize, fate: Fate) {
        let before = std::mem::replace(&mut self.fates[number], fate);
        if before != Fate::OnItsWay {
            scheduler::fail(format!("no {number} is {fate:?} after it was {before:?}"));
        }
    }

    /// The kernel discards what is pending, as this crate sets an action. That has taken out before
    /// what there was, to put it back (`taken`).
    pub(super) fn check_discarded(&mut self, sent: Sent, taken: Option<(usize, bool)>) {
        let (signal, number) = (sent.signal, sent.number);
        if let Some(opened) = self.law.receiver(signal) {
            let receiver = opened.number;
            scheduler::fail(format!(
                "{signal} is lost to receiver {receiver}: an action discards it"
            ));
        }
        // What comes between the taking and the action, the kernel would have ignored without this
        // crate, too. Of two that were pending, one at a thread, one is left.
        let (until, is_another_left) = taken.unwrap_or((0, false));
        let is_unseen = number >= until && taken.is_some();
        if !self.own_actions.ignore(signal) || !(is_unseen || is_another_left || sent.is_directed) {
            scheduler::fail(format!("{signal} no {number} was pending, and an action discards it"));
        }
        self.settle(number, if is_another_left { Fate::Merged } else { Fate::Ignored });
    }

    /// A thread waits for no handler for as long as that takes, but for one of a signal that it gives
    /// back itself.
    pub(super) fn check_waiting(&self) {
        let Ok(state) = self.lock.state.try_borrow() else { return };
        for (word, tid) in state.backend.words() {
            let delegate = self.threads.iter().find(|thread| thread.tid == tid);
            let frames = delegate.map_or(&[][..], |delegate| &delegate.frames);
            for (index, thread) in self.program().filter(|_| !frames.is_empty()) {
                let waits =
                    scheduler::state(index) == scheduler::State::Waiting { word, deadline: None };
                // Of several changes at once, which gives back what, nothing tells.
                let is_blurred = |opened: &Opened| opened.is_blurred && opened.changing > 0;
                let is_own = |frame: &Frame| {
                    thread.own.gives_back.contains(frame.signal)
                        || self.law.opened.iter().any(is_blurred)
                };
                if waits && !frames.iter().any(is_own) {
                    let signal = frames[0].signal;
                    scheduler::fail(format!("thread {index} waits for the handler of {signal}"));
                }
            }
        }
    }

    /// Before a signal acts on a thread.
    pub(super) fn check_act(&self, thread: usize, sent: Sent) {
        let (signal, number) = (sent.signal, sent.number);
        let on = &self.threads[thread];
        if self.lock.holder == Some(thread) {
            scheduler::fail(format!("{signal} no {number} acts while its thread has the lock"));
        }
        if let Some(opened) = self.law.receiver(signal) {
            let receiver = opened.number;
            scheduler::fail(format!("{signal} no {number} acts, but receiver {receiver} has it"));
        }
        let may = if on.is_delegate {
            let mut program = self.program();
            let lets_in = program.any(|(_, own)| !own.own.kept_out().contains(signal));
            let guarded = self.program().any(|(_, own)| own.own.guards.set().contains(signal));
            let is_abandoned = self.law.maybe_abandoned.contains(signal);
            lets_in || on.excused.contains(signal) || (is_abandoned && !guarded)
        } else {
            !on.own.kept_out().contains(signal)
        };
        if !may {
            scheduler::fail(format!("{signal} no {number} acts where the program blocks it"));
        }
        let [now, own] =
            [&self.actions, &self.own_actions].map(|all| all.get(signal).disposition());
        if now != own && !self.own_actions.ignore(signal) {
            scheduler::fail(format!("{signal} no {number} acts as {now:?}, not as {own:?}"));
        }
    }

    /// The delegates that have not answered may go on letting in what they do of the set, until they
    /// have: a thread that blocks it waits for them, but not for ever, and one that ends not at all.
    pub(super) fn excuse_unanswered(&mut self, set: SignalSet) {
        let state = self.lock.state.clone();
        let unanswered = match state.try_borrow() {
            Ok(state) => state.backend.unanswered().collect::<Vec<_>>(),
            // A thread that has the lock looks at them just now: it may be any.
            Err(_) => self.threads.iter().map(|thread| (thread.tid, set)).collect(),
        };
        for (tid, may_unblock) in unanswered {
            let delegates = self.threads.iter_mut().filter(|thread| thread.is_delegate);
            for thread in delegates.filter(|thread| thread.tid == tid) {
                (thread.excused, thread.late) = (thread.excused | (may_unblock & set), 2);
            }
        }
    }

    /// The child goes on, with one thread. What the receivers in `kept` have, it can give back.
    pub(super) fn fork(&mut self, forking: usize, has_hook: bool, kept: &[usize]) {
        self.generation += 1;
        self.law.generation = self.generation;
        let abandoned = self.law.maybe_abandoned;
        (self.law.abandoned, self.law.maybe_abandoned) = (SignalSet::EMPTY, SignalSet::EMPTY);
        self.pending.clear();
        self.threads.iter_mut().for_each(|thread| thread.pending.clear());
        for fate in self.fates.iter_mut().filter(|fate| **fate == Fate::OnItsWay) {
            *fate = Fate::Elsewhere;
        }
        self.lock = Lock::default();
        // Without a hook the child's only thread is known to be the one.
        self.forked = Some(self.threads[forking].record.clone());
        self.is_bare_child = !has_hook;
        self.leader = forking;
        for (index, thread) in self.threads.iter_mut().enumerate() {
            if index != forking {
                self.law.unopened |= thread.own.opens;
                thread.is_alive = false;
                scheduler::set_state(index, scheduler::State::Gone);
            }
        }
        let mut own = self.threads[forking].own.clone();
        for opened in &self.law.opened {
            for &(opener, set) in &opened.holds {
                // An audit is of the threads of its own process. In a child the thread that forked lets
                // in what this crate had blocked there for the program, and starts others.
                let is_sure = opened.is_audited && opened.generation + 1 == self.generation;
                self.law.unsure |= if is_sure { set & opened.excepted } else { set };
                if !kept.contains(&opened.number) {
                    self.law.lost |= set;
                    continue;
                }
                let by = &self.threads[opener].own;
                if opener == forking && !opened.is_blurred {
                    continue;
                }
                if by.is_busy || opened.is_blurred {
                    let unsure = (own.blocked - own.kept - own.blocked_since) & set;
                    own.blocked -= unsure;
                    own.loose |= unsure;
                    continue;
                }
                // What is blocked because of this receiver is let in after its end; unless the opener
                // had ended, whose part was a delegate's then. What may be so because of it, may.
                let newly = set - by.kept_out() - by.loose;
                let maybe = newly | (by.loose - by.kept_out()) & set;
                let unsure = (own.blocked - own.kept - own.blocked_since) & maybe;
                own.blocked -= unsure;
                own.loose = (own.loose - (newly - abandoned)) | unsure;
                // A thread that the opener started under a guard, and left, blocks for that or for
                // the receiver: nothing tells.
                let unsure = (set & by.forgotten) - own.kept - own.blocked_since;
                own.blocked -= unsure;
                own.loose |= unsure;
            }
        }
        self.threads[forking].own = own;
    }

    /// What a program can see when nothing of this crate is left.
    pub(super) fn check_end(&self) {
        let lost = self.law.lost;
        for (index, thread) in self.program() {
            let (own, mask) = (&thread.own, thread.mask);
            let missing = own.blocked - mask;
            let surplus = mask - own.blocked - own.loose - lost;
            if !missing.is_empty() || !surplus.is_empty() {
                scheduler::fail(format!(
                    "thread {index} blocks {mask:?} in the end, {surplus:?} too much, {missing:?} \
                     too little"
                ));
            }
        }
        for signal in used().filter(|signal| !lost.contains(*signal)) {
            let lets_in = |(_, thread): (usize, &Thread)| !thread.mask.contains(signal);
            if self.law.abandoned.contains(signal) && !self.living().any(lets_in) {
                scheduler::fail(format!("{signal} is dead: no thread lets it in any more"));
            }
            let by_delegate = self.living().filter(|(_, thread)| thread.is_delegate).any(lets_in);
            if by_delegate && !self.law.maybe_abandoned.contains(signal) {
                scheduler::fail(format!("a delegate lets {signal} in without a need"));
            }
        }
        let is_given_up = |signal: &Signal| (lost | self.law.unopened).contains(*signal);
        for signal in used().filter(|signal| !is_given_up(signal)) {
            self.actions.check(signal, &self.own_actions).unwrap_or_else(|e| scheduler::fail(e));
        }
        let queues = self.threads.iter().map(|thread| &thread.pending).chain([&self.pending]);
        let pending: Vec<_> = queues.flatten().map(|sent| sent.number).collect();
        for (number, fate) in self.fates.iter().enumerate() {
            if *fate == Fate::OnItsWay && !pending.contains(&number) {
                scheduler::fail(format!("no {number} is lost"));
            }
        }
        if self.descriptors.iter().any(|fd| fd.is_open && fd.generation == self.generation) {
            scheduler::fail("a descriptor is open in the end".into());
        }
        if let Ok(state) = self.lock.state.try_borrow() {
            if !state.claimed().is_empty() {
                scheduler::fail(format!("{:?} is claimed in the end", state.claimed()));
            }
        } else {
            scheduler::fail("the lock is held in the end".into());
        }
    }
}

/// What a thread blocks only for as long as its handlers run: the audit can't see through them.
pub(super) fn lets_in_after_handlers(thread: &Thread) -> SignalSet {
    if thread.is_delegate {
        return SignalSet::EMPTY;
    }
    let frames = thread.frames.iter().filter(|frame| !frame.is_unblocked);
    frames.fold(SignalSet::EMPTY, |all, frame| all.with(frame.signal))
        & thread.frames.first().map_or(SignalSet::EMPTY, |frame| thread.mask - frame.after)
}

/// What a child that is spawned now would block, after what this crate did is undone.
pub(super) fn spawned_mask(thread: &Thread, newly_blocked: SignalSet) -> SignalSet {
    let record: &Record = &thread.record;
    thread.mask - (newly_blocked - record.restored())
}
