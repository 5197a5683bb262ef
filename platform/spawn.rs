//! What a spawned child must undo, and the undoing between fork and exec.
//!
//! Memory and dispositions are not copied at one moment, and other threads go on meanwhile: what the
//! child finds in its memory may say nothing about the dispositions that it got. So a changed
//! disposition carries its own mark, and memory holds one thing only: a set that never shrinks.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use super::backend;
use super::sigset::{self, Action};
use crate::{Disposition, Signal, SignalSet};

/// A `SignalSet` that threads share without a lock.
struct AtomicSet([AtomicU64; 2]);

#[allow(clippy::cast_possible_truncation)] // the halves of a 128-bit set
impl AtomicSet {
    const fn new() -> AtomicSet {
        AtomicSet([AtomicU64::new(0), AtomicU64::new(0)])
    }

    fn insert(&self, set: SignalSet) {
        self.0[0].fetch_or(set.bits() as u64, Ordering::SeqCst);
        self.0[1].fetch_or((set.bits() >> 64) as u64, Ordering::SeqCst);
    }

    fn get(&self) -> SignalSet {
        let low = u128::from(self.0[0].load(Ordering::SeqCst));
        let high = u128::from(self.0[1].load(Ordering::SeqCst));
        SignalSet::from_bits(low | high << 64)
    }
}

/// What this crate ever blocked newly in some thread. Never cleared: a thread that was born while
/// a receiver was open goes on blocking after the receiver has gone.
static NEWLY_BLOCKED: AtomicSet = AtomicSet::new();

/// Notes signals before or after this thread blocks them: no fork of this thread comes between.
pub(crate) fn note_newly_blocked(set: SignalSet) {
    NEWLY_BLOCKED.insert(set);
}

/// Puts mask and dispositions of the calling process to what they would be without this crate.
///
/// For a child between fork and exec: async-signal-safe, allocates nothing and takes no lock.
pub(crate) fn restore() -> io::Result<()> {
    for signal in backend::touched() {
        // As exec leaves it: a handled signal gets its default.
        match Action::of(signal).ok().and_then(|action| action.mark(signal)) {
            Some(Disposition::Ignore) => Action::ignore().set(signal)?,
            Some(Disposition::Default | Disposition::Handler) => Action::default().set(signal)?,
            None => {}
        }
    }
    let unblock = NEWLY_BLOCKED.get() & sigset::current()?;
    for signal in unblock {
        // exec would make it the default anyway; until then no handler of the parent's may run in
        // the child, should a signal have reached it already.
        if disposition(signal) == Some(Disposition::Handler) {
            Action::default().set(signal)?;
        }
    }
    sigset::unblock(unblock);
    Ok(())
}

/// `None` for the numbers that the C library keeps for itself: it does not tell.
fn disposition(signal: Signal) -> Option<Disposition> {
    Action::of(signal).ok().map(|action| action.disposition())
}
