//! The signal masks of threads (`pthread_sigmask(3)`): blocking signals before there is a receiver,
//! reading the mask, finding the threads that do not block.
//!
//! # Whose block is whose
//!
//! This crate puts back what it blocked itself, and that alone. What the program blocks with [`block`]
//! is respected everywhere: a receiver's drop does not unblock it. Nor does the delegate thread, which
//! lets signals in for threads that can't, let it in for a thread that has a guard of it; a reserved
//! signal stays pending while any thread has one.
//!
//! What a program blocks by raw calls of its own *before* it opens a receiver stays blocked, too. But
//! after a receiver was dropped on another thread than the one that opened it, what the opener then
//! blocks by raw calls can't be told from what this crate blocked there and has still to undo: the
//! opener's next call into this crate unblocks it. Use [`block`] for it, or call [`current`] before.
//! Nor can it in a forked child, of the signals of receivers that it has inherited, until those are
//! dropped.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::platform::{self, Block};
use crate::{Signal, SignalSet};

/// Blocks the set in the calling thread (`pthread_sigmask(3)`), until the guard is dropped.
///
/// A blocked signal stays pending, and acts when it is unblocked. Threads that this one starts inherit
/// the block. So where threads have to exist before the receiver, this can come first in `main`; unless
/// signals are to act until the receiver is there, which is what [`reserve`](crate::reserve()) is for.
///
/// ```
/// use signal_source::{Signal, mask};
///
/// let _guard = mask::block([Signal::TERM, Signal::HUP])?;
/// // ... a runtime, a library with threads of its own; then, anywhere:
/// // Signals::new([Signal::TERM, Signal::HUP])
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// Guards and receivers may come and go in any order: a signal is unblocked when the last of those
/// that block it in this thread has gone, unless it was blocked before the first. Signals that the
/// C library keeps for itself are left out.
///
/// # Errors
///
/// For `KILL` and `STOP`, which can't be blocked; if the system refuses to change the mask. Nothing is
/// blocked then.
///
/// # Platform notes
///
/// Linux and Android: a delegate thread that lets the signals in is given a tenth of a second to block
/// them too. If it is inside a handler of the program for longer, it blocks them when that returns, and
/// one of them that is sent meanwhile may still act there.
#[doc(alias = "pthread_sigmask")]
#[doc(alias = "sigprocmask")]
pub fn block(set: impl Into<SignalSet>) -> io::Result<MaskGuard> {
    let set = set.into();
    for signal in [Signal::KILL, Signal::STOP] {
        if set.contains(signal) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{signal} cannot be blocked: take it out of the set"),
            ));
        }
    }
    Ok(MaskGuard { block: Block::new(set)?, _of_this_thread: PhantomData })
}

/// Keeps signals blocked in the thread that called [`block`]; dropping it puts the mask back.
///
/// A signal that an open receiver still relies on stays blocked (Linux, Android): the thread
/// unblocks it at its next call that opens, changes or drops something of this crate or asks for
/// [`current`], after the receiver has gone.
///
/// # Examples
///
/// ```
/// use signal_source::{Signal, mask};
///
/// let guard = mask::block(Signal::TERM)?;
/// assert!(!guard.previous().contains(Signal::TERM));
/// assert!(mask::current()?.contains(Signal::TERM));
/// drop(guard);
/// assert!(!mask::current()?.contains(Signal::TERM));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "dropping the guard unblocks the signals again"]
pub struct MaskGuard {
    block: Block,
    /// A mask is one thread's own: neither `Send` nor `Sync`.
    _of_this_thread: PhantomData<*const ()>,
}

// As for `Signals`: what the crate counts for the thread is whole before and after each call.
impl UnwindSafe for MaskGuard {}
impl RefUnwindSafe for MaskGuard {}

impl MaskGuard {
    /// The thread's mask before [`block`].
    pub fn previous(&self) -> SignalSet {
        self.block.before()
    }

    /// Leaves the signals blocked for good: they count as blocked before, for every receiver and
    /// guard of this thread.
    pub fn keep(self) {
        self.block.keep();
    }
}

/// The calling thread's mask (`pthread_sigmask(3)`), after this crate has put back what it had blocked
/// in this thread for a receiver that was dropped on another one meanwhile.
///
/// # Errors
///
/// If the system refuses, as a seccomp filter can; the mask is as it was then.
///
/// # Examples
///
/// ```
/// use signal_source::{Signal, Signals, mask};
///
/// let signals = Signals::new(Signal::TERM)?;
/// println!("{:?}", mask::current()?); // {SIGTERM}, on Linux
/// drop(signals);
/// assert!(!mask::current()?.contains(Signal::TERM));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn current() -> io::Result<SignalSet> {
    platform::current_mask()
}

/// A thread of this process that does not block some signals.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ThreadInfo {
    /// The kernel's number of the thread, as `gettid(2)`, `top -H` and debuggers show it.
    pub tid: u32,
    /// Its name.
    pub name: String,
    /// Those of the asked signals that it does not block.
    pub unblocked: SignalSet,
}

impl fmt::Display for ThreadInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} (tid {}: {})", self.name, self.tid, self.unblocked)
    }
}

/// The threads of this process that do not block the whole set; the calling one too, if it does
/// not. This is what [`Signals::new`](crate::Signals::new) looks at.
///
/// A thread that waits in [`Signals::recv`](crate::Signals::recv) lets the receiver's set in meanwhile,
/// as the kernel sees it, and is told. It is in the way of no other receiver: a signal has but one.
///
/// # Errors
///
/// If `/proc` is not mounted, can't be read or shows no masks (gVisor); if threads come and go so fast
/// that no full list of them is to be had for a second, or for half a minute where one is being started
/// and gets no processor. Always on macOS and the BSDs, which show no thread's mask and where receiving
/// needs none.
///
/// # Examples
///
/// ```
/// use signal_source::{Signal, mask};
///
/// # #[cfg(target_os = "linux")]
/// for thread in mask::unblocked_threads(Signal::TERM)? {
///     println!("{thread}"); // "main" (tid 4321: SIGTERM)
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn unblocked_threads(set: impl Into<SignalSet>) -> io::Result<Vec<ThreadInfo>> {
    platform::unblocked_threads(set.into())
}
