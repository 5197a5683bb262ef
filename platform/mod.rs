//! The platform layer: the only code that knows operating systems.
//!
//! # The backends
//!
//! A backend is a folder, named after the kernel facility that it stands on, with everything that
//! only it needs; exactly one is compiled. Its `mod.rs` provides
//!
//! - `Receiver`: an open receiver, which threads share. `open(set, audit)` takes a set whose signals
//!   are all receivable, claims it and undoes everything if anything fails; `update(set, audit)`
//!   changes the set and keeps the descriptor, one call of several at once after the other;
//!   `read_one` and `read_many` take records out of the kernel's queue without blocking;
//!   `wait` sleeps until there is one, which it takes, and `wait_one(timeout)` until the time is over
//!   as well, or for no reason at all; `AsFd`. Dropping it puts mask and dispositions back, so that what was left unread
//!   acts as it would have before. `change(set, audit)` is `update` in two steps: the signals that it
//!   removes are not received any more, and act when the `Release` that it returns is dropped.
//!   `Acquired::new(set, audit)` is the part of opening, and of adding to a set, that may wait for
//!   other threads; `open_acquired` and `widen` are the rest. Dropping an `Acquired` undoes it.
//!   `watch(set)` has the descriptor be readable for, and yield, those signals alone; the others of
//!   its set stay in the kernel's queue. Opening and changing end that. `read_of(set, ..)` is
//!   `read_many` of those signals alone, watched or not, and wakes nothing that waits for the
//!   descriptor; it says so where the kernel can't do that.
//! - `Poller` (feature `tokio`): waits for many receivers at once. `add`, `arm` and `remove` are
//!   called on any thread while another one is in `wait`.
//! - `Shared`: what the backend keeps in the state of the process ([`kernel::Shared`]).
//! - `MASKED`: whether a received signal has to stay blocked in every thread.
//! - `touched()`: the signals whose disposition a receiver may change, always by an action that is
//!   [marked](actions::Action::marked), so that a child can tell and undo it.
//! - `reserve(set)`: from now on a receiver of the set can be opened on any thread; `__at_start!`,
//!   which calls a function before `main` for it.
//! - `unblocked_threads(set)`: the other threads that do not block the set.
//! - `set_mask(mask)`, `everything()`, `tid()`, `wait(word, ..)`, `wake(word)`: the calls that
//!   [`kernel::Kernel`] is made of.
//! - `wiped_on_fork()`: a page that the kernel zeroes in a forked child, if it has such.
//! - `pidfd(pid)`: a descriptor for a child that has not been waited for, if there is such a thing;
//!   `add_chdir()`: the function by which `posix_spawn(3)` changes the directory, if there is one.
//! - `forbid_core()`: no core is dumped when this process dies.
//! - `numbers`: the signals that only this system has (`NAMES`), its real-time range, the numbers that
//!   exist, those that can be received, and what each does by default ([`ByDefault`]).
//!
//! # What serves both
//!
//! Each module knows those above it in this table, and no other:
//!
//! | module | what |
//! |---|---|
//! | `atomic_set`, `sigset`, `actions` | sets of signals and dispositions, as threads and C have them |
//! | `generation`, `per_process` | which process this is, as far as forks go; what each has for itself |
//! | `threads` | what this crate has done to the mask of each thread |
//! | `kernel` | the trait on which the order of steps stands, and the state of the process |
//! | `process` | the lock, and the accounting: claims, and which thread has to let in what |
//! | `os` | the trait's real implementation |
//! | the backend | receivers |
//! | `masks`, `spawn`, `posix_spawn`, `exit`, `stop` | guards; what children start with; dying of a signal, stopping by one |
//!
//! `os` and `generation` ask the backend for system calls alone, `actions` for what it may touch.
#![allow(unsafe_code)] // the one folder that may; each block says why it is sound

#[cfg(unix)]
mod actions;
#[cfg(unix)]
mod atomic_set;
#[cfg(unix)]
mod exit;
#[cfg(unix)]
mod generation;
#[cfg(unix)]
mod kernel;
#[cfg(unix)]
mod masks;
#[cfg(unix)]
mod os;
#[cfg(unix)]
mod per_process;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod sigset;
#[cfg(all(test, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod simulation;
#[cfg(unix)]
mod spawn;
#[cfg(unix)]
mod stop;
#[cfg(unix)]
mod threads;

/// What a signal does to a process that has not said otherwise.
#[cfg(unix)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByDefault {
    Ends,
    /// The process survives, but not unmoved: it stops, mostly.
    Stops,
    Ignored,
}

// The ladder: which facility a system has.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod signalfd;
#[cfg(any(target_os = "linux", target_os = "android"))]
use self::signalfd as backend;

#[cfg(any(
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly"
))]
mod kqueue;
#[cfg(any(
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly"
))]
use self::kqueue as backend;

// What kqueue does with dispositions makes no system call itself, so it is tested on every system.
#[cfg(all(test, any(target_os = "linux", target_os = "android")))]
mod kqueue {
    mod dispositions;
    #[allow(dead_code)] // the simulated one is a plain list
    mod inherited;
    #[allow(dead_code)] // the simulation does without the messages
    mod opening;
    mod shared;
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    mod simulation;
}

#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd"
))]
mod sigqueue;
#[cfg(any(target_vendor = "apple", target_os = "openbsd", target_os = "dragonfly"))]
use self::kqueue::no_sigqueue as sigqueue;

#[cfg(all(
    unix,
    not(any(
        target_os = "linux",
        target_os = "macos",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd",
        target_os = "dragonfly"
    ))
))]
mod no_posix_spawn;
#[cfg(any(
    target_os = "linux",
    target_os = "macos",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly"
))]
mod posix_spawn;
#[cfg(all(
    unix,
    not(any(
        target_os = "linux",
        target_os = "macos",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd",
        target_os = "dragonfly"
    ))
))]
use self::no_posix_spawn as posix_spawn;

#[cfg(not(any(
    target_vendor = "apple",
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly"
)))]
compile_error!(
    "signal-source needs signalfd or kqueue: it supports Linux, Android, macOS, iOS, FreeBSD, \
     NetBSD, OpenBSD and DragonFly BSD. On Windows use tokio::signal::windows or the ctrlc crate; \
     elsewhere signal-hook."
);

#[cfg(unix)]
pub(crate) use self::{
    actions::disposition,
    backend::{Receiver, numbers, reserve, unblocked_threads},
    exit::{die_at_exit, exit_code},
    generation::generation,
    masks::{Block, current as current_mask},
    os::THREAD,
    posix_spawn::posix_spawn,
    sigqueue::sigqueue,
    sigset::kill,
    spawn::{Request, pidfd, restore_here, restorer},
    stop::stop,
};
// What only the fan-out of `src/tokio` needs.
#[cfg(all(unix, feature = "tokio"))]
pub(crate) use self::{
    backend::{Acquired, Poller, Release},
    os::{claimed, start_quiet_thread},
    per_process::PerProcess,
};
