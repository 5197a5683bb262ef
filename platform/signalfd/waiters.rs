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
//! Two words. `first`: 1 while a thread waits by the call that found no other one there; it ends that
//! by a store, which costs nothing beside the call. `word`: how many further threads do, and two flags,
//! [`CHANGING`] and [`BY_DESCRIPTOR`].
//!
//! | words | mean | a thread that would wait | a thread that would change the set |
//! |---|---|---|---|
//! | 0, no first | nothing | becomes the first, looks at the flags, reads the set, waits, ends that | sets `CHANGING`, if the word is the same still, and looks for a first |
//! | n, or a first | threads wait | as above; or adds 1, and takes it off in the end | sets `BY_DESCRIPTOR`, and is refused |
//! | `CHANGING` | the set is changed | has become the first, or added 1; ends that, and comes back by the lock | |
//! | `BY_DESCRIPTOR` | no thread waits by the call, or will | waits for the descriptor | sets `CHANGING`, and looks for a first |
//! | `BY_DESCRIPTOR` + n, or a first | threads wait still | waits for the descriptor | is refused |
//!
//! `CHANGING` is set and taken off under the lock of the process' state, by a thread that runs no
//! code of the program meanwhile, and so lasts no longer than a system call. A thread that has the
//! lock can't find it.
//!
//! The thread that waits writes `first` and then looks at `word`; the one that changes the set writes
//! `word` and then looks at `first`. All four are SeqCst, so they have one order, in which the later
//! of the two looks sees the other thread's write: they never both go on. (If both see it, both turn
//! back: the change is refused, for that thread will wait.) A thread that adds its 1 to the word
//! before `CHANGING` is set has that refused, and one that adds it after sees the flag.
//!
//! The steps that end either are Release, and those above Acquire: a thread that waits reads the set as
//! the last change left it, and a thread that changes it does so after the others' calls have
//! returned.

use std::sync::atomic::Ordering;

use super::atomic::AtomicU32;

const CHANGING: u32 = 1 << 31;
const BY_DESCRIPTOR: u32 = 1 << 30;
const FLAGS: u32 = CHANGING | BY_DESCRIPTOR;

#[derive(Debug, Default)]
pub(super) struct Waiters {
    word: AtomicU32,
    first: AtomicU32,
}

impl Waiters {
    /// Begins to wait; `None` where the thread has to look again with the lock.
    #[inline]
    pub(super) fn enter(&self) -> Option<Waiting<'_>> {
        let (waiting, flags) = self.add();
        // Dropped again, if not.
        Some(waiting).filter(|_| flags == 0)
    }

    /// Begins to wait, with the lock of the process' state; `None` if the thread is to wait for the
    /// descriptor. In a forked child `CHANGING` may be left over from a thread of the parent's: it
    /// means nothing then.
    pub(super) fn enter_with_lock(&self) -> Option<Waiting<'_>> {
        let (waiting, flags) = self.add();
        Some(waiting).filter(|_| flags & BY_DESCRIPTOR == 0)
    }

    #[inline]
    fn add(&self) -> (Waiting<'_>, u32) {
        let order = (Ordering::SeqCst, Ordering::Relaxed);
        if self.first.compare_exchange(0, 1, order.0, order.1).is_ok() {
            (Waiting::First(&self.first), self.word.load(Ordering::SeqCst) & FLAGS)
        } else {
            let before = self.word.fetch_add(1, Ordering::SeqCst);
            (Waiting::Further(&self.word), before & FLAGS)
        }
    }

    /// Whether threads are to wait for the descriptor, from now on. Relaxed: a thread that does not
    /// know yet finds out when it enters.
    #[inline]
    pub(super) fn is_by_descriptor(&self) -> bool {
        self.word.load(Ordering::Relaxed) & BY_DESCRIPTOR != 0
    }

    /// Says how many threads wait just now, if any do, and has later ones wait for the descriptor.
    pub(super) fn check(&self) -> Result<(), u32> {
        let further = self.word.load(Ordering::SeqCst) & !FLAGS;
        match further + self.first.load(Ordering::SeqCst) {
            0 => Ok(()),
            waiting => {
                // Relaxed: no thread concludes anything from the flag but how it waits itself.
                self.word.fetch_or(BY_DESCRIPTOR, Ordering::Relaxed);
                Err(waiting)
            }
        }
    }

    /// With the lock: keeps threads from waiting while the set is changed; or says how many wait.
    pub(super) fn exclude(&self) -> Result<Changing<'_>, u32> {
        loop {
            self.check()?;
            let seen = self.word.load(Ordering::Relaxed) & BY_DESCRIPTOR;
            let order = (Ordering::SeqCst, Ordering::Relaxed);
            if self.word.compare_exchange(seen, seen | CHANGING, order.0, order.1).is_ok() {
                let changing = Changing(&self.word);
                // A first one may have come in between.
                return self.check().map(|()| changing);
            }
            // A thread has begun to wait or has ended meanwhile: each time round, one more.
        }
    }
}

/// A thread that waits by the call, until it is dropped.
pub(super) enum Waiting<'a> {
    First(&'a AtomicU32),
    Further(&'a AtomicU32),
}

impl Drop for Waiting<'_> {
    #[inline]
    fn drop(&mut self) {
        match self {
            Waiting::First(first) => first.store(0, Ordering::Release),
            Waiting::Further(word) => _ = word.fetch_sub(1, Ordering::Release),
        }
    }
}

/// No thread waits by the call until it is dropped.
pub(super) struct Changing<'a>(&'a AtomicU32);

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.0.fetch_and(!CHANGING, Ordering::Release);
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
        assert_eq!(waiters.word.load(Ordering::Relaxed), 0);
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
        assert_eq!(waiters.word.load(Ordering::Relaxed), BY_DESCRIPTOR);
    }

    /// What a fork leaves of a change by a thread that the child does not have.
    #[test]
    fn a_change_that_never_ends_does_not_lock_out() {
        let waiters = Waiters::default();
        std::mem::forget(waiters.exclude().expect("no thread waits"));
        assert!(waiters.enter().is_none());
        drop(waiters.enter_with_lock().expect("not by the descriptor"));
        assert_eq!(waiters.word.load(Ordering::Relaxed), CHANGING);
    }

    /// A thread that waits and one that changes the set, again and again at the same moment.
    #[test]
    fn never_both() {
        use std::hint::spin_loop;
        use std::sync::atomic::AtomicU64;

        const ROUNDS: u64 = 50_000;
        let rounds: Vec<Waiters> = (0..ROUNDS).map(|_| Waiters::default()).collect();
        let arrived = AtomicU64::new(0);
        // They meet, and then go on a little apart, each time by another distance.
        let meet = |round: u64, distance: u64| {
            arrived.fetch_add(1, Ordering::SeqCst);
            for spins in 1.. {
                if arrived.load(Ordering::SeqCst) >= 2 * round {
                    break;
                }
                if spins % 1024 == 0 {
                    std::thread::yield_now(); // there may be one CPU
                }
                spin_loop();
            }
            (0..distance).for_each(|_| spin_loop());
        };
        // They differ while it is changed.
        let halves = [const { AtomicU64::new(0) }; 2];
        let (torn, changed) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for (round, waiters) in (1..).zip(&rounds) {
                    meet(round, round % 7);
                    if let Some(_waiting) = waiters.enter() {
                        let low = halves[0].load(Ordering::Relaxed);
                        (0..50).for_each(|_| spin_loop());
                        let is_torn = low != halves[1].load(Ordering::Relaxed);
                        torn.fetch_add(is_torn.into(), Ordering::Relaxed);
                    }
                }
            });
            for (round, waiters) in (1..).zip(&rounds) {
                meet(round, round % 5);
                if let Ok(_changing) = waiters.exclude() {
                    halves[0].store(round, Ordering::Relaxed);
                    (0..50).for_each(|_| spin_loop());
                    halves[1].store(round, Ordering::Relaxed);
                    changed.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        assert_eq!(torn.into_inner(), 0, "it is changed while a thread waits");
        assert!(changed.into_inner() > 0);
    }
}
