//! Threads that wait for a receiver's set by a system call that was told the set.
//!
//! `rt_sigtimedwait(2)` waits for the set that it is given, not for the descriptor's. A thread that
//! were still in it after a change would take what the receiver has given up, and sleep through what
//! was added. No call wakes it without a signal or a handler, so the set is changed only while no
//! thread waits that way, and no thread begins to while it is changed. A change that was refused for
//! that has later threads wait for the descriptor instead (`poll(2)`), for the life of the receiver:
//! they are in the way of no change, so one succeeds as soon as the earlier threads have returned.
//!
//! # The handshake
//!
//! One word: how many threads wait by the call, and two flags, [`CHANGING`] and [`BY_DESCRIPTOR`].
//!
//! | word | means | a thread that would wait | a thread that would change the set |
//! |---|---|---|---|
//! | 0 | nothing | adds 1, reads the set, waits, takes 1 off | sets `CHANGING`, if the word is the same still |
//! | n | n threads wait | as above | sets `BY_DESCRIPTOR`, and is refused |
//! | `CHANGING` | the set is changed | has added 1 and takes it off again, and comes back by the lock | |
//! | `BY_DESCRIPTOR` | no thread waits by the call, or will | waits for the descriptor | sets `CHANGING`, if the word is the same still |
//! | `BY_DESCRIPTOR` + n | n threads wait still | waits for the descriptor | is refused |
//!
//! `CHANGING` is set and taken off under the lock of the process' state, by a thread that runs no
//! code of the program meanwhile, and so lasts no longer than a system call. A thread that has the
//! lock can't find it.
//!
//! All steps change the one word, so they have one order: a thread that adds its 1 before `CHANGING`
//! is set has that refused, and one that adds it after sees the flag. Setting and adding are Acquire
//! and the steps that end either are Release: a thread that waits reads the set as the last change
//! left it.

use std::sync::atomic::Ordering;

use super::atomic::AtomicU32;

const CHANGING: u32 = 1 << 31;
const BY_DESCRIPTOR: u32 = 1 << 30;
const FLAGS: u32 = CHANGING | BY_DESCRIPTOR;

#[derive(Debug, Default)]
pub(super) struct Waiters(AtomicU32);

impl Waiters {
    /// Begins to wait; `None` where the thread has to look again with the lock.
    #[inline]
    pub(super) fn enter(&self) -> Option<Waiting<'_>> {
        let (waiting, before) = self.add();
        // Dropped again, if not.
        Some(waiting).filter(|_| before & FLAGS == 0)
    }

    /// Begins to wait, with the lock of the process' state; `None` if the thread is to wait for the
    /// descriptor. In a forked child `CHANGING` may be left over from a thread of the parent's: it
    /// means nothing then.
    pub(super) fn enter_with_lock(&self) -> Option<Waiting<'_>> {
        let (waiting, before) = self.add();
        Some(waiting).filter(|_| before & BY_DESCRIPTOR == 0)
    }

    #[inline]
    fn add(&self) -> (Waiting<'_>, u32) {
        let before = self.0.fetch_add(1, Ordering::Acquire);
        (Waiting(&self.0), before)
    }

    /// Whether threads are to wait for the descriptor, from now on. Relaxed: a thread that does not
    /// know yet finds out when it enters.
    #[inline]
    pub(super) fn is_by_descriptor(&self) -> bool {
        self.0.load(Ordering::Relaxed) & BY_DESCRIPTOR != 0
    }

    /// Says how many threads wait just now, if any do, and has later ones wait for the descriptor.
    pub(super) fn check(&self) -> Result<(), u32> {
        // Relaxed: no thread concludes anything from the flag but how it waits itself.
        match self.0.load(Ordering::Relaxed) & !FLAGS {
            0 => Ok(()),
            waiting => {
                self.0.fetch_or(BY_DESCRIPTOR, Ordering::Relaxed);
                Err(waiting)
            }
        }
    }

    /// With the lock: keeps threads from waiting while the set is changed; or says how many wait.
    pub(super) fn exclude(&self) -> Result<Changing<'_>, u32> {
        loop {
            self.check()?;
            let seen = self.0.load(Ordering::Relaxed) & BY_DESCRIPTOR;
            let new = seen | CHANGING;
            let order = (Ordering::Acquire, Ordering::Relaxed);
            if self.0.compare_exchange(seen, new, order.0, order.1).is_ok() {
                return Ok(Changing(&self.0));
            }
            // A thread has begun to wait or has ended meanwhile: each time round, one more.
        }
    }
}

/// A thread that waits by the call, until it is dropped.
pub(super) struct Waiting<'a>(&'a AtomicU32);

impl Drop for Waiting<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
    }
}

/// No thread waits by the call until it is dropped.
pub(super) struct Changing<'a>(&'a AtomicU32);

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(CHANGING, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_keeps_threads_out() {
        let waiters = Waiters::default();
        drop(waiters.enter().expect("nothing is changed"));
        let changing = waiters.exclude().expect("no thread waits");
        assert!(waiters.enter().is_none());
        assert!(waiters.enter().is_none(), "and leaves no trace");
        drop(changing);
        assert_eq!(waiters.0.load(Ordering::Relaxed), 0);
        drop(waiters.enter().expect("again"));
        drop(waiters.exclude().expect("again"));
    }

    #[test]
    fn threads_that_wait_keep_the_set_and_are_the_last_to() {
        let waiters = Waiters::default();
        let [one, two] = [(); 2].map(|()| waiters.enter().expect("nothing is changed"));
        assert!(!waiters.is_by_descriptor());
        assert_eq!(waiters.exclude().err(), Some(2));
        assert!(waiters.is_by_descriptor());
        assert!(waiters.enter().is_none() && waiters.enter_with_lock().is_none());
        drop(one);
        assert_eq!(waiters.exclude().err(), Some(1));
        drop(two);
        for _ in 0..2 {
            drop(waiters.exclude().expect("no thread waits by the call"));
        }
        assert_eq!(waiters.0.load(Ordering::Relaxed), BY_DESCRIPTOR);
    }

    /// What a fork leaves of a change by a thread that the child does not have.
    #[test]
    fn a_change_that_never_ends_does_not_lock_out() {
        let waiters = Waiters::default();
        std::mem::forget(waiters.exclude().expect("no thread waits"));
        assert!(waiters.enter().is_none());
        drop(waiters.enter_with_lock().expect("not by the descriptor"));
        assert_eq!(waiters.0.load(Ordering::Relaxed), CHANGING);
    }
}
