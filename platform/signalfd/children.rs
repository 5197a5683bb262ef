//! `CHLD`, of which Linux makes none while it is ignored: its action while a receiver has it.

use std::io;

use super::opening::Descriptors;
use crate::platform::actions::Action;
use crate::{Disposition, Signal};

/// Puts CHLD to its default if it is ignored. Returns what to put back, if anything.
pub(super) fn unignore_children<K: Descriptors>(kernel: &K) -> io::Result<Option<Box<Action>>> {
    let earlier = kernel.action(Signal::CHLD)?;
    if earlier.disposition() != Disposition::Ignore {
        // In a forked child an inherited receiver may have seen to it. Should that go first, this one
        // has CHLD ignored again.
        let is_unignored = earlier.mark(Signal::CHLD) == Some(Disposition::Ignore);
        return Ok(is_unignored.then(|| Box::new(Action::ignore())));
    }
    let action = Action::default().marked(Disposition::Ignore);
    set_keeping_pending(kernel, Signal::CHLD, &action)?;
    Ok(Some(Box::new(earlier)))
}

pub(super) fn reignore_children<K: Descriptors>(kernel: &K, earlier: &Action) {
    // Another disposition was set by the program meanwhile, and stays.
    if kernel.action(Signal::CHLD).is_ok_and(|action| action.mark(Signal::CHLD).is_some()) {
        // There is nothing to be done about a refusal: the system allowed it before.
        let _ = set_keeping_pending(kernel, Signal::CHLD, earlier);
    }
}

/// Sets the action of a blocked signal. The kernel discards a pending one if the new action ignores
/// it, so it is taken out before and put back after.
fn set_keeping_pending<K: Descriptors>(
    kernel: &K,
    signal: Signal,
    action: &Action,
) -> io::Result<()> {
    let pending = kernel.take_pending(signal);
    let done = kernel.set_action(signal, action);
    if let Some(record) = pending {
        kernel.put_back(record);
    }
    done
}
