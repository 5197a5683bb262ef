//! What the kernels give: the only place that knows operating systems.
//!
//! Each backend is a module of the same shape, named after the kernel facility it stands on, and
//! exactly one is compiled. It provides
//!
//! - `Receiver`: an open receiver. `open(set, audit)` takes a set whose signals are all receivable,
//!   claims it ([`state`]) and undoes everything if anything fails; `update(set, audit)` changes
//!   the set and keeps the descriptor; `read_one` and `read_many` take records out of the kernel's
//!   queue without blocking; `wait(timeout)` sleeps until the descriptor is readable, until the
//!   time is over or for no reason at all; `AsFd`. Dropping it puts mask and dispositions back, so
//!   that what was left unread acts as it would have before, and releases the claim last.
//! - `Shared`: what the backend keeps in the process-wide [`state::State`]; `Default`.
//! - `MASKED`: whether a received signal has to stay blocked in every thread. If so, [`masks`] puts
//!   off unblocking a signal that some receiver has.
//! - `touched()`: the signals whose disposition a receiver may change, always by an action that is
//!   [marked](sigset::Action::marked), so that a child can tell and undo it.
//! - `act_for(state, set)`: makes sure that the signals of `set`, which some thread should let in
//!   but does not yet, find a thread that does.
//! - `unblocked_threads(set)`: the other threads that do not block the set.
//! - `sigqueue(pid, signal, value)`.
//! - `forbid_core()`: no core is dumped when this process dies.
//!
//! `numbers` has the same shape for every system: the signals that only it has (`NAMES`), its
//! real-time range, the numbers that exist, those that can be received, and what each does by
//! default ([`ByDefault`]).
//!
//! [`sigset`], [`state`], [`masks`], [`holds`], [`child`] and [`death`] serve all backends.
//! [`dispositions`] is what kqueue does with them, without a system call; so it is tested on every
//! system.
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
mod process;
#[cfg(unix)]
mod sigset;
#[cfg(all(test, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod simulation;
#[cfg(unix)]
mod spawn;
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
    backend::{Receiver, numbers, unblocked_threads},
    exit::die_at_exit,
    generation::generation,
    masks::{Block, current as current_mask},
    os::THREAD,
    process::claimed,
    sigqueue::sigqueue,
    sigset::kill,
    spawn::{restore_here, restorer},
};
