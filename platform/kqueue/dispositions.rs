//! Taking signals over and giving them back where a disposition keeps them from acting: on kqueue.
//!
//! The kernel records a signal whatever its disposition is, so what would end or stop the process
//! is ignored while it is received. The one exception is CHLD: no kernel makes any while that is
//! ignored, and it would reap the children.
//!
//! All decisions and the order of all steps stand here, and no system call: those are the
//! [`Kernel`]'s. The tests put a simulated one in its place, in which a signal arrives, or a call
//! fails, at every single step.

use std::io;

use crate::platform::actions::Action;
use crate::platform::{ByDefault, numbers};
use crate::{Disposition, Signal, SignalSet};

/// What the backend calls.
pub(super) trait Kernel {
    /// Records the signal from now on.
    fn watch(&mut self, signal: Signal) -> io::Result<()>;
    /// Records them no longer. What is not watched is left alone.
    fn unwatch(&mut self, set: SignalSet);
    /// Takes all records; under a flood, those of one moment.
    fn take_unread(&mut self) -> SignalSet;
    /// What is blocked in the calling thread and pending.
    fn pending(&mut self) -> SignalSet;
    fn action(&self, signal: Signal) -> io::Result<Action>;
    fn set_action(&mut self, signal: Signal, action: &Action) -> io::Result<()>;
    /// Sends a signal to this process.
    fn send(&mut self, signal: Signal);
}

/// A disposition that this crate has changed, and what it was.
#[derive(Clone, Copy)]
pub(super) struct Change {
    signal: Signal,
    earlier: Action,
}

impl Change {
    pub(super) fn signal(&self) -> Signal {
        self.signal
    }
}

/// The action that a signal needs in order to be received and not to act; `None` if the one it has
/// will do.
fn while_received(signal: Signal, by_default: ByDefault, earlier: &Action) -> Option<Action> {
    let disposition = earlier.disposition();
    if signal == Signal::CHLD {
        let reaps = earlier.0.sa_flags & libc::SA_NOCLDWAIT != 0;
        if disposition == Disposition::Default && !reaps {
            return None;
        }
        let mut action = Action::default();
        // Whether a child that stops sends one is the program's choice still.
        action.0.sa_flags = earlier.0.sa_flags & libc::SA_NOCLDSTOP;
        return Some(action.marked(disposition));
    }
    let action = match (disposition, by_default) {
        (Disposition::Ignore, _) | (Disposition::Default, ByDefault::Ignored) => return None,
        (Disposition::Handler, ByDefault::Ignored) => Action::default(),
        (_, ByDefault::Ends | ByDefault::Stops) => Action::ignore(),
    };
    Some(action.marked(disposition))
}

/// Takes the set over, and notes in `changes` what has to be undone; also when it fails, and then
/// [`give_back`] undoes it.
///
/// One signal after the other. One that arrives between the two calls that watch it and change its
/// action acts, and is recorded as well: which of the two came first, no call tells.
pub(super) fn take<K: Kernel>(
    kernel: &mut K,
    set: SignalSet,
    changes: &mut Vec<Change>,
) -> io::Result<()> {
    let mut pending = SignalSet::EMPTY;
    let taken = set.iter().try_for_each(|signal| {
        let earlier = kernel.action(signal)?;
        let action = while_received(signal, numbers::by_default(signal.as_raw()), &earlier);
        // First, so that a signal is recorded before it can be ignored.
        kernel.watch(signal)?;
        // What was pending before is not recorded, and ignoring it discards it. Looked up after
        // watching: what became pending in between counts once too often, but is not lost.
        let is_pending = kernel.pending().contains(signal);
        if let Some(action) = action {
            // Without a change all that was recorded acts: it is not to be sent once more.
            let done = kernel.set_action(signal, &action);
            done.inspect_err(|_| kernel.unwatch(signal.into()))?;
            changes.push(Change { signal, earlier });
        }
        pending.extend(is_pending.then_some(signal));
        Ok(())
    });
    if taken.is_err() {
        pending &= signals(changes);
    }
    // They are recorded now, and if this failed, given back as unread.
    pending.iter().for_each(|signal| kernel.send(signal));
    taken
}

/// Undoes [`take`] for the set, in the opposite order. What is unread acts as it would have before.
///
/// Actions come back while the signals are still recorded, so that none is lost, and the records are
/// taken just before and just after each: what came before has not acted, and is sent once more; what
/// comes after acts, and its record is dropped. What arrives between the two readings may have acted
/// or not, so it is sent once more, and may act twice.
pub(super) fn give_back<K: Kernel>(kernel: &mut K, set: SignalSet, changes: &mut Vec<Change>) {
    if set.is_empty() {
        return;
    }
    let (mut unread, mut back) = (kernel.take_unread(), SignalSet::EMPTY);
    let mut undone = split_off(changes, set);
    while let Some(change) = undone.pop() {
        if is_ours(kernel, &change) {
            unread |= kernel.take_unread() - back;
            put_back(kernel, &change);
        }
        unread |= kernel.take_unread() - back;
        back = back.with(change.signal);
    }
    kernel.unwatch(set);
    for signal in unread {
        // What would do nothing is not sent: another kqueue of the program may watch the signal and
        // would count it twice. What is not of the set was read only because a kqueue can't be read
        // by signal: it is recorded anew, as sent once.
        if !set.contains(signal) || acts(kernel, signal) {
            kernel.send(signal);
        }
    }
}

/// An action without this crate's mark was set by the program since the change, and stays.
fn is_ours<K: Kernel>(kernel: &K, change: &Change) -> bool {
    kernel.action(change.signal).is_ok_and(|now| now.mark(change.signal).is_some())
}

/// Puts the action back that was there before the change.
fn put_back<K: Kernel>(kernel: &mut K, change: &Change) {
    let done = kernel.set_action(change.signal, &change.earlier);
    debug_assert!(done.is_ok(), "the action of {} was set before", change.signal);
}

/// In a forked child, the end of a receiver that it inherited: a fork takes dispositions along, but
/// nothing that is watched. What the child's own receivers have `claimed` goes to `inherited`, and
/// [`take_inherited`] hands it to the one that ends last. Touches nothing but actions.
pub(super) fn end_inherited<K: Kernel>(
    kernel: &mut K,
    claimed: SignalSet,
    changes: &mut Vec<Change>,
    inherited: &mut Vec<Change>,
) {
    inherited.append(&mut split_off(changes, claimed));
    // The last one first.
    while let Some(change) = changes.pop() {
        if is_ours(kernel, &change) {
            put_back(kernel, &change);
        }
    }
}

/// Gives a receiver that is about to end what was inherited for its signals: the earliest changes,
/// so the last to be undone.
pub(super) fn take_inherited(
    inherited: &mut Vec<Change>,
    set: SignalSet,
    changes: &mut Vec<Change>,
) {
    changes.splice(0..0, split_off(inherited, set));
}

/// Takes out the changes of the set.
fn split_off(changes: &mut Vec<Change>, set: SignalSet) -> Vec<Change> {
    let (of_set, rest) =
        changes.iter().copied().partition(|change: &Change| set.contains(change.signal));
    *changes = rest;
    of_set
}

fn signals(changes: &[Change]) -> SignalSet {
    changes.iter().map(|change| change.signal).collect()
}

/// Whether sending the signal would do anything.
fn acts<K: Kernel>(kernel: &K, signal: Signal) -> bool {
    match kernel.action(signal).map(|action| action.disposition()) {
        Ok(Disposition::Ignore) => false,
        Ok(Disposition::Default) => numbers::by_default(signal.as_raw()) != ByDefault::Ignored,
        Ok(Disposition::Handler) | Err(_) => true,
    }
}

#[cfg(test)]
mod tests;
