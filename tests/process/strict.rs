//! Only async-signal-safe work happens between fork and exec.
#![allow(unsafe_code)] // `pre_exec`, and an allocator that refuses

use std::alloc::{GlobalAlloc, Layout, System};
use std::os::unix::process::CommandExt as _;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_source::process::CommandExt;
use signal_source::{Signal, SignalSet, mask};

use crate::harness::{open, role, set_counting, set_ignored};

/// Ends the process if it allocates while it must not.
struct Strict;

static STRICT: AtomicBool = AtomicBool::new(false);
const ALLOCATED: i32 = 97;

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Strict {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        refuse();
        // SAFETY: the caller's promise is the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        refuse();
        // SAFETY: the caller's promise is the system allocator's.
        unsafe { System.dealloc(memory, layout) }
    }
}

fn refuse() {
    if STRICT.load(Ordering::Relaxed) {
        // SAFETY: ends the process.
        unsafe { nix::libc::_exit(ALLOCATED) }
    }
}

#[global_allocator]
static ALLOCATOR: Strict = Strict;

pub fn nothing_is_allocated_between_fork_and_exec() {
    set_ignored(Signal::CHLD);
    let _receiver = open(Signal::CHLD);
    let every: SignalSet = SignalSet::all().without(Signal::CHLD);
    every.iter().filter(|&signal| signal != Signal::CONT).for_each(set_counting);
    let _guard = mask::block(every).expect("block");
    let strict = |on| {
        move || {
            STRICT.store(on, Ordering::Relaxed);
            Ok(())
        }
    };
    let mut command = role("report", &[]);
    // SAFETY: a store to an atomic of the child's own.
    unsafe { command.pre_exec(strict(true)) };
    command.restore_signals();
    // SAFETY: as above.
    unsafe { command.pre_exec(strict(false)) };
    let output = command.output().expect("a role starts");
    assert!(output.status.success(), "{}", output.status);
    // The allocator does refuse.
    let mut command = role("report", &[]);
    // SAFETY: as above, but for the allocation, which ends the child.
    unsafe {
        command.pre_exec(|| {
            STRICT.store(true, Ordering::Relaxed);
            drop(std::hint::black_box(Box::new(0)));
            Ok(())
        })
    };
    assert_eq!(command.output().expect("it starts").status.code(), Some(ALLOCATED));
}
