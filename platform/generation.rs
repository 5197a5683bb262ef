//! Which process this is, as far as forks go.
//!
//! A process id does not tell: parent and child of a nested pid namespace can both be 1, and ids
//! are used again. So each process has a *generation*, a number that none of its ancestors has. It
//! stands in a cell that a fork sets to 0 in the child, and the thread that finds 0 there draws the
//! next.
//!
//! A page that the kernel itself wipes does so whatever way the process was forked, by a bare
//! system call too. Where the kernel knows no such page, a `pthread_atfork(3)` hook writes the 0.

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use super::backend;

/// Where the generation stands; null before the first call.
static CELL: AtomicPtr<AtomicU64> = AtomicPtr::new(ptr::null_mut());

/// The cell, where the kernel does not offer one.
static PLAIN: AtomicU64 = AtomicU64::new(0);

/// The last number drawn by this process or an ancestor. A fork copies it, so a child never draws
/// its parent's. Relaxed: only that each number is drawn once counts.
static LAST: AtomicU64 = AtomicU64::new(0);

/// The number of this process; never 0.
#[inline]
pub(crate) fn generation() -> u64 {
    let cell = cell();
    loop {
        // Relaxed: the number stands for itself. What belongs to it is found behind other locks.
        match cell.load(Ordering::Relaxed) {
            0 => draw(cell),
            number => return number,
        }
    }
}

#[cold]
fn draw(cell: &AtomicU64) {
    let new = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    // Another thread may have been faster: then its number counts.
    let _ = cell.compare_exchange(0, new, Ordering::Relaxed, Ordering::Relaxed);
}

#[inline]
fn cell() -> &'static AtomicU64 {
    // Acquire, with the Release below: the page is mapped before its address is seen.
    let seen = CELL.load(Ordering::Acquire);
    // SAFETY: null, or the address of a cell that is never freed.
    match unsafe { seen.as_ref() } {
        Some(cell) => cell,
        None => new_cell(),
    }
}

#[cold]
fn new_cell() -> &'static AtomicU64 {
    let new = backend::wiped_on_fork().unwrap_or(&PLAIN);
    // Two threads may register the hook twice, and lose one page for ever: both are harmless.
    // SAFETY: the hook does what a forked child of many threads may do: it writes an integer.
    unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    let raced = CELL.compare_exchange(
        ptr::null_mut(),
        ptr::from_ref(new).cast_mut(),
        Ordering::AcqRel,
        Ordering::Acquire,
    );
    match raced {
        Ok(_) => new,
        // SAFETY: not null, so the address of a cell that is never freed.
        Err(other) => unsafe { &*other },
    }
}

extern "C" fn in_child() {
    // SAFETY: null, or the address of a cell that is never freed.
    if let Some(cell) = unsafe { CELL.load(Ordering::Acquire).as_ref() } {
        cell.store(0, Ordering::Relaxed); // the child has one thread
    }
}
