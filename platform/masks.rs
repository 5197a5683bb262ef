//! Holding signals blocked in threads, and putting every thread's mask back.

use std::io;
use std::mem;

use super::generation::generation;
use super::state::{self, State};
use super::threads::{self, ThreadKey};
use super::{backend, sigset, spawn};
use crate::SignalSet;

/// Signals that one holder (a receiver or a guard) keeps blocked in one thread.
#[derive(Debug)]
pub(crate) struct Hold {
    thread: ThreadKey,
    /// What is left of it; nothing once it is over.
    pub(super) set: SignalSet,
    /// What this holder blocked newly.
    newly: SignalSet,
    /// The thread's mask before.
    pub(crate) before: SignalSet,
}

impl Hold {
    /// Takes the part that `set` names out of the hold.
    #[allow(dead_code)] // where a receiver blocks nothing
    pub(super) fn split(&mut self, set: SignalSet) -> Hold {
        let set = self.set & set;
        self.set -= set;
        Hold { thread: self.thread, set, newly: self.newly, before: self.before }
    }
}

/// Blocks the set in the calling thread and holds it there.
pub(crate) fn hold(state: &mut State, set: SignalSet) -> io::Result<Hold> {
    // What this thread still owes is none of its mask before.
    settle(state);
    let thread = this_thread();
    let before = sigset::block(set)?;
    let newly = state.holds.add(thread, set, before);
    spawn::note_newly_blocked(newly);
    settle(state);
    Ok(Hold { thread, set, newly, before })
}

/// Ends the part of `hold` that `set` names.
///
/// If the calling thread is the one that blocks the signals, it unblocks them at once. Otherwise
/// that thread does so at its next call into this crate, and [`backend::act_for`] sees to it that
/// they find a thread until then. Signals that a receiver still needs blocked wait for its end;
/// the caller unclaims its own before.
pub(crate) fn release(state: &mut State, hold: &mut Hold, set: SignalSet) {
    let set = hold.set & set;
    hold.set -= set;
    state.holds.remove(hold.thread, set);
    settle(state);
}

/// Ends the whole hold.
pub(crate) fn release_all(state: &mut State, hold: &mut Hold) {
    release(state, hold, hold.set);
}

/// Ends a hold in a forked child that inherited it. If nothing is known of the thread it was made
/// on, the calling one stands in for it: it unblocks what no holder of the child's own needs, now
/// or after the last of them.
pub(crate) fn release_inherited(state: &mut State, hold: &mut Hold) {
    if state.holds.inherited(hold.thread) {
        return release_all(state, hold);
    }
    state.holds.adopt(this_thread(), hold.newly & hold.set);
    hold.set = SignalSet::EMPTY;
    settle(state);
}

/// Makes the held signals count as blocked before, and ends the hold.
pub(crate) fn keep(state: &mut State, hold: &mut Hold) {
    state.holds.keep(hold.thread, hold.set);
    release_all(state, hold);
}

/// Unblocks what is due in the calling thread, and has somebody act for the threads that do not
/// come by.
pub(crate) fn settle(state: &mut State) {
    let thread = this_thread();
    let due = state.holds.due(thread) - needed(state);
    if !due.is_empty() {
        state.holds.settled(thread, due);
        sigset::unblock(due);
    }
    let owed = state.holds.owed() - needed(state);
    backend::act_for(state, owed);
}

fn this_thread() -> ThreadKey {
    threads::this_thread(end_thread)
}

/// Notes that a thread ends.
pub(super) fn end_thread(key: ThreadKey) {
    // Under the lock pending signals act. An earlier handler may exit the process, tidily even, and
    // must not wait here for itself.
    if state::is_busy() {
        return;
    }
    let mut state = state::lock();
    if state.holds.knows(key) {
        state.holds.exit(key);
        settle(&mut state);
    }
}

/// What has to stay blocked for the sake of receivers.
fn needed(state: &State) -> SignalSet {
    if backend::MASKED { state.claimed() } else { SignalSet::EMPTY }
}

/// Signals that a guard keeps blocked in the thread that made it; dropping it ends that.
#[derive(Debug)]
pub(crate) struct Block {
    hold: Hold,
    generation: u64,
}

impl Block {
    /// Blocks the set in the calling thread.
    pub(crate) fn new(set: SignalSet) -> io::Result<Block> {
        let hold = hold(&mut state::lock(), set)?;
        Ok(Block { hold, generation: generation() })
    }

    /// The thread's mask before.
    pub(crate) fn before(&self) -> SignalSet {
        self.hold.before
    }

    /// Leaves the signals blocked for good.
    pub(crate) fn keep(mut self) {
        keep(&mut state::lock(), &mut self.hold);
        mem::forget(self);
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let mut state = state::lock();
        if self.generation == generation() {
            release_all(&mut state, &mut self.hold);
        } else {
            release_inherited(&mut state, &mut self.hold);
        }
    }
}

/// The calling thread's mask, after what it owes has been undone.
pub(crate) fn current() -> io::Result<SignalSet> {
    settle(&mut state::lock());
    sigset::current()
}
