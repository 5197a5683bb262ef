//! A static that each process has for itself: a forked child starts with a new one.
//!
//! What a child inherits may be locked by a thread that it has not. So nothing of the parent's is
//! used in the child, and no lock stands between a child and a value of its own.

use std::fmt;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::generation::generation;

struct Entry<T> {
    generation: u64,
    value: T,
}

/// A value of each process, made when it is first asked for and never dropped: one is left behind
/// for each fork whose child goes on using this crate.
pub(crate) struct PerProcess<T: 'static> {
    newest: AtomicPtr<Entry<T>>,
}

impl<T: Send + Sync + 'static> PerProcess<T> {
    pub(crate) const fn new() -> PerProcess<T> {
        PerProcess { newest: AtomicPtr::new(ptr::null_mut()) }
    }

    /// The value of this process.
    pub(crate) fn get(&self, make: impl Fn() -> T) -> &'static T {
        let generation = generation();
        // Acquire, with the Release of the exchange below: the value is written before it is seen.
        let mut seen = self.newest.load(Ordering::Acquire);
        loop {
            // SAFETY: null, or an entry that was leaked below and is never freed.
            let entry: Option<&'static Entry<T>> = unsafe { seen.as_ref() };
            if let Some(entry) = entry.filter(|entry| entry.generation == generation) {
                return &entry.value;
            }
            let new = Box::into_raw(Box::new(Entry { generation, value: make() }));
            let swap = self.newest.compare_exchange(seen, new, Ordering::AcqRel, Ordering::Acquire);
            match swap {
                Ok(_) => seen = new,
                Err(other) => {
                    // SAFETY: `new` came from `Box::into_raw`, and no other thread has seen it.
                    drop(unsafe { Box::from_raw(new) });
                    seen = other;
                }
            }
        }
    }
}

impl<T> fmt::Debug for PerProcess<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerProcess").finish_non_exhaustive()
    }
}
