//! `reserve`: receivers on any thread, from the start of the program.

use std::sync::{Mutex, OnceLock};

use crate::signals::receivable;
use crate::{OpenError, SignalSet, platform};

/// Reserves signals: from now on, for the life of the process, receivers of them can be opened,
/// dropped, opened again and widened on any thread, inside any runtime (`pthread_sigmask(3)`).
///
/// Call it first in `main`, before any other thread exists; where `main` is not the program's first
/// line (`#[tokio::main]`, `#[test]`, a constructor that starts threads), use
/// [`reserve_at_start!`](crate::reserve_at_start).
///
/// The signals are blocked in the calling thread, and so in all that it starts. While no receiver
/// has them, a thread of this crate's own (the *delegate thread*) lets them in, so that they act
/// exactly as before: Ctrl-C kills, an earlier handler runs, on that thread. A receiver takes them from
/// there, and its drop gives them back there. Reserving twice is fine.
///
/// # Errors
///
/// As [`Signals::new`](crate::Signals::new), except that the signals may have a receiver: an empty
/// set, a signal that can't be received, a thread that does not block the signals. Nothing has been
/// changed then.
///
/// # Platform notes
///
/// Linux and Android: children inherit the block, unless they are started with
/// [`restore_signals`](crate::process::CommandExt::restore_signals). A child that is forked with
/// `fork(2)` lets the signals in itself, those that have a receiver when it drops what it inherited,
/// and reserves again if it wants to; one that is made by the bare system call goes on blocking them
/// until it reserves. Costs one thread, which sleeps. A guard
/// ([`mask::block`](crate::mask::block)) of any thread keeps the signals pending. What is ignored is
/// discarded as that thread gets on, a moment after it was sent: a handler that is installed in between
/// (`sigaction(2)`) runs for it.
///
/// macOS and the BSDs: does nothing, for a receiver can be opened on any thread there. A child that is
/// forked while the signals have a receiver goes on ignoring them until it drops that; where only another
/// thread of the parent could, until it sets an action itself (`sigaction(2)`).
///
/// # Examples
///
/// ```
/// use signal_source::{Signal, Signals, reserve};
///
/// reserve([Signal::INT, Signal::TERM])?;
/// let worker = std::thread::spawn(|| {
///     let signals = Signals::new(Signal::TERM)?; // on any thread
///     drop(signals);
///     Signals::new([Signal::INT, Signal::TERM]) // and again
/// });
/// let signals = worker.join().expect("no panic")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn reserve(set: impl Into<SignalSet>) -> Result<(), OpenError> {
    platform::reserve(receivable(set.into())?)
}

/// [Reserves](crate::reserve()) signals before `main` runs, when the program has no other thread yet:
/// an item, to be put beside `main`.
///
/// So inside `#[tokio::main]`, `#[tokio::test]`, `#[test]`, `actix_web::main` and the like, and in
/// libraries that are called there, receivers are opened where they are needed.
///
/// ```standalone_crate
/// signal_source::reserve_at_start!(INT, TERM, HUP);
///
/// fn main() {}
/// ```
///
/// The signals are named as the constants of [`Signal`](crate::Signal). If it can't be done, that is
/// the error of the first opening of one of them. Put it into the program (or the test), not into a
/// library: the program's author decides what its threads block, and a linker may leave out what
/// is in a library. It is the whole program's: doc tests of edition 2024, which are merged into one,
/// are marked `standalone_crate` where they have this line.
///
/// # Platform notes
///
/// Linux and Android: a function in the section `.init_array.00101`, which the C library calls before
/// `main`, before the program's other constructors. Those of shared libraries that the program is
/// linked with, and those of a lower number, come earlier: if one of them starts a thread that does not
/// block the signals, they can't be reserved any more, and the first opening of one of them is an error
/// that names the thread. macOS and the BSDs: does nothing.
#[macro_export]
macro_rules! reserve_at_start {
    ($($signal:ident),+ $(,)?) => {
        $crate::__at_start!($crate::__reserve_at_start(&[$($crate::Signal::$signal),+]));
    };
}

/// What went wrong before `main`, until it is told.
static FAILED: OnceLock<(SignalSet, Mutex<Option<OpenError>>)> = OnceLock::new();

/// What [`reserve_at_start!`](crate::reserve_at_start) calls.
#[doc(hidden)]
pub fn __reserve_at_start(signals: &[crate::Signal]) {
    let set = SignalSet::from(signals);
    if let Err(error) = reserve(set) {
        let _ = FAILED.set((set, Mutex::new(Some(error))));
    }
}

/// The error of a reservation before `main`, told once, to an opening of one of its signals.
pub(crate) fn failed_at_start(set: SignalSet) -> Option<OpenError> {
    let (reserved, error) = FAILED.get()?;
    if (*reserved & set).is_empty() {
        return None;
    }
    // Not waited for: in a forked child a thread may have it that the child has not.
    error.try_lock().ok()?.take()
}
