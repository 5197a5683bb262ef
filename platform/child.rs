//! What a spawned child must undo, and the undoing between fork and exec.
//!
//! The child reads three sets out of the memory it was forked with. Each bit is set before the
//! parent changes anything and cleared after it has changed it back, so whenever the fork happens,
//! undoing is right or does nothing.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

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

    fn remove(&self, set: SignalSet) {
        self.0[0].fetch_and(!(set.bits() as u64), Ordering::SeqCst);
        self.0[1].fetch_and(!((set.bits() >> 64) as u64), Ordering::SeqCst);
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

/// What this crate has put from `SIG_IGN` to `SIG_DFL`.
static UNIGNORED: AtomicSet = AtomicSet::new();

/// Notes signals before or after this thread blocks them: no fork of this thread comes between.
pub(crate) fn note_newly_blocked(set: SignalSet) {
    NEWLY_BLOCKED.insert(set);
}

/// Notes a signal before it is put from `SIG_IGN` to `SIG_DFL`.
pub(crate) fn note_unignored(signal: Signal) {
    UNIGNORED.insert(signal.into());
}

/// Takes the note back, after the signal is at `SIG_IGN` again.
pub(crate) fn forget_unignored(signal: Signal) {
    UNIGNORED.remove(signal.into());
}

/// Puts mask and dispositions of the calling process to what they would be without this crate.
///
/// For a child between fork and exec: async-signal-safe, allocates nothing and takes no lock.
pub(crate) fn restore() -> io::Result<()> {
    for signal in UNIGNORED.get() {
        // Whoever has set another disposition meanwhile keeps it.
        if disposition(signal) == Some(Disposition::Default) {
            Action::ignore().set(signal)?;
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
