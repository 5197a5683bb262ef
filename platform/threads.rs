//! Which thread this is.
//!
//! A key is a thread's own for its whole life, and longer: a destructor of a thread-local value that
//! runs after this module's own still finds it. The first thread of a forked child keeps the key of
//! the thread that forked.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// A thread that has used this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ThreadKey(pub(crate) u64);

thread_local! {
    /// The thread's key, or 0. It needs no destructor, so it can be read at any time.
    static KEY: Cell<u64> = const { Cell::new(0) };

    /// Notes the thread's end.
    static END: End = const { End(Cell::new(None)) };
}

struct End(Cell<Option<fn(ThreadKey)>>);

impl Drop for End {
    fn drop(&mut self) {
        if let Some(at_end) = self.0.take() {
            at_end(ThreadKey(KEY.get()));
        }
    }
}

/// The last key given to a thread.
static LAST: AtomicU64 = AtomicU64::new(0);

/// The calling thread's key. `at_end` is called with it when the thread ends, unless it has come
/// past that point already.
pub(crate) fn this_thread(at_end: fn(ThreadKey)) -> ThreadKey {
    if KEY.get() == 0 {
        // Relaxed: all that counts is that no number is given twice.
        KEY.set(LAST.fetch_add(1, Ordering::Relaxed) + 1);
        let _ = END.try_with(|end| end.0.set(Some(at_end)));
    }
    ThreadKey(KEY.get())
}

/// In a forked child: the key that its first thread brought along; `u64::MAX`, which is no
/// thread's, if it had none. 0 where the hook did not run.
static FORKED: AtomicU64 = AtomicU64::new(0);

/// The forking thread's half of a fork, in the child.
pub(crate) fn note_fork() {
    let key = KEY.get();
    FORKED.store(if key == 0 { u64::MAX } else { key }, Ordering::Relaxed);
}

/// The thread that forked this process, as far as is known: where no hook ran (a bare system
/// call), the first one that asks.
pub(crate) fn forked_thread(at_end: fn(ThreadKey)) -> ThreadKey {
    match FORKED.load(Ordering::Relaxed) {
        0 => this_thread(at_end),
        key => ThreadKey(key),
    }
}
