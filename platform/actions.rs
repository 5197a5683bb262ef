//! Dispositions (`sigaction(2)`), and the mark of those that this crate has set.
//!
//! Some kernels keep the mark across exec. Then it is not this program's: what a program finds marked
//! when it starts counts as set by itself. So the marks that are there before this crate sets its
//! first are read, and not trusted from then on.

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::atomic_set::AtomicSet;
use super::backend;
use super::sigset::{from_raw, to_sigset};
use crate::{Disposition, Signal, SignalSet};

/// Masks that no program gives to an action: faults alone. One says that the signal was ignored before,
/// the other that it was not.
const IGNORED_BEFORE: SignalSet =
    SignalSet::EMPTY.with(Signal::ILL).with(Signal::TRAP).with(Signal::FPE).with(Signal::SYS);
const NOT_IGNORED_BEFORE: SignalSet = IGNORED_BEFORE.with(Signal::BUS);

fn mask_of(action: &libc::sigaction) -> SignalSet {
    from_raw(&action.sa_mask)
}

/// The whole action of a signal: disposition, flags and the mask while its handler runs.
#[derive(Clone, Copy)]
pub(crate) struct Action(pub(super) libc::sigaction);

impl Action {
    /// `SIG_DFL` or `SIG_IGN`, without flags.
    pub(crate) fn default() -> Action {
        Action::simple(libc::SIG_DFL)
    }

    pub(crate) fn ignore() -> Action {
        Action::simple(libc::SIG_IGN)
    }

    fn simple(disposition: libc::sighandler_t) -> Action {
        let zeroed = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: all zeros are a valid action: integers, an empty set and null pointers.
        let mut action = unsafe { zeroed.assume_init() };
        action.sa_sigaction = disposition;
        Action(action)
    }

    /// The same, marked as this crate's doing, in place of an action of that disposition.
    ///
    /// The mark is a mask: an action without a function has no use for one, and the kernel keeps
    /// it. So it goes where the disposition goes, into a forked child too, and any other
    /// `sigaction(2)` of the program wipes it off.
    pub(crate) fn marked(mut self, before: Disposition) -> Action {
        let ignored = before == Disposition::Ignore;
        let mark = if ignored { IGNORED_BEFORE } else { NOT_IGNORED_BEFORE };
        self.0.sa_mask = to_sigset(mark);
        self
    }

    /// If this action of the signal is this crate's doing, what was there before; a handler counts
    /// as the default then.
    pub(crate) fn mark(&self, signal: Signal) -> Option<Disposition> {
        // NetBSD adds the signal itself to the mask, as every kernel does while a handler runs.
        match mask_of(&self.0).without(signal) {
            _ if self.disposition() == Disposition::Handler => None,
            IGNORED_BEFORE => Some(Disposition::Ignore),
            NOT_IGNORED_BEFORE => Some(Disposition::Default),
            _ => None,
        }
    }

    /// The same, without a mark if that is one of `others`: the signals whose mark another program
    /// has made.
    pub(super) fn own(mut self, signal: Signal, others: SignalSet) -> Action {
        if others.contains(signal) && self.mark(signal).is_some() {
            self.0.sa_mask = to_sigset(SignalSet::EMPTY);
        }
        self
    }

    /// If the action of the signal is this crate's doing, the one that a program starts with instead,
    /// as exec leaves it: a handled signal gets its default.
    pub(super) fn for_child(&self, signal: Signal) -> Option<Action> {
        Some(match self.mark(signal)? {
            Disposition::Ignore => Action::ignore(),
            Disposition::Default | Disposition::Handler => Action::default(),
        })
    }

    /// The action of a signal now (`sigaction(2)`), without a mark that it had when this program was
    /// started.
    pub(crate) fn of(signal: Signal) -> io::Result<Action> {
        Ok(Action::read(signal)?.own(signal, marked_at_start().get()))
    }

    fn read(signal: Signal) -> io::Result<Action> {
        let mut action = Action::default();
        // SAFETY: with a null pointer for the new action, the call only writes to `action`.
        match unsafe { libc::sigaction(signal.as_raw(), ptr::null(), &mut action.0) } {
            0 => Ok(action),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Makes it the action of a signal.
    ///
    /// Async-signal-safe. What is pending is discarded by the kernel if the new action ignores.
    pub(crate) fn set(&self, signal: Signal) -> io::Result<()> {
        if self.mark(signal).is_some() {
            marked_at_start().remove_shared(signal.into());
        }
        // SAFETY: the action ignores, is the default, or was read from the kernel for this signal.
        match unsafe { libc::sigaction(signal.as_raw(), &self.0, ptr::null_mut()) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    pub(crate) fn disposition(&self) -> Disposition {
        match self.0.sa_sigaction {
            libc::SIG_DFL => Disposition::Default,
            libc::SIG_IGN => Disposition::Ignore,
            _ => Disposition::Handler,
        }
    }
}

/// What was marked before this crate set its first mark in this program; null until it is asked for.
static MARKED_AT_START: AtomicPtr<AtomicSet> = AtomicPtr::new(ptr::null_mut());

/// What was marked when this program was started, and has not been by this crate since. Asked for
/// before each mark, and before each fork whose child asks; so in that child this neither allocates
/// nor calls the system.
pub(super) fn marked_at_start() -> &'static AtomicSet {
    // Acquire, with the Release below: the set is complete before its address is seen.
    // SAFETY: null, or a set that was leaked below and is never freed.
    if let Some(set) = unsafe { MARKED_AT_START.load(Ordering::Acquire).as_ref() } {
        return set;
    }
    let is_marked =
        |signal: &Signal| Action::read(*signal).is_ok_and(|action| action.mark(*signal).is_some());
    let set = AtomicSet::new();
    set.set(backend::touched().iter().filter(is_marked).collect());
    let new = Box::into_raw(Box::new(set));
    let order = (Ordering::AcqRel, Ordering::Acquire);
    match MARKED_AT_START.compare_exchange(ptr::null_mut(), new, order.0, order.1) {
        // SAFETY: it is never freed.
        Ok(_) => unsafe { &*new },
        // Another thread was faster. Its set has none of this crate's own marks; this one may.
        Err(other) => {
            // SAFETY: it came from `Box::into_raw`, and no other thread has seen it.
            drop(unsafe { Box::from_raw(new) });
            // SAFETY: not null, so a set that is never freed.
            unsafe { &*other }
        }
    }
}

pub(crate) fn disposition(signal: Signal) -> io::Result<Disposition> {
    match Action::read(signal) {
        Ok(action) => Ok(action.disposition()),
        Err(error) => Err(io::Error::new(
            error.kind(),
            format!("{signal}: the C library does not tell its disposition: {error}"),
        )),
    }
}
