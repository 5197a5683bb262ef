//! Atomic integers of handshakes: another simulated thread may go on before each use. Orderings are
//! as weak as sequential consistency here: what they have to be is said where they stand.

use std::ops::Deref;
use std::sync::atomic;

use super::scheduler;

#[derive(Debug, Default)]
pub(in crate::platform) struct AtomicU32(atomic::AtomicU32);

/// As the word of a futex.
impl Deref for AtomicU32 {
    type Target = atomic::AtomicU32;

    fn deref(&self) -> &atomic::AtomicU32 {
        if scheduler::is_running() {
            scheduler::pause();
        }
        &self.0
    }
}
