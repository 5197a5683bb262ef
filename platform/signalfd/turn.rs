//! One change of a receiver's set at a time.
//!
//! A change takes several steps, and waits for delegate threads in between, so it holds no lock. A
//! further one begins when the first has come to its end: it waits for that with no lock either, and
//! not for ever, since the thread that has the turn may be inside a handler of the program.
//!
//! # The handshake
//!
//! | word | means | the thread that ends its turn |
//! |---|---|---|
//! | `FREE` | no thread changes the set | |
//! | `TAKEN` | one does | stores `FREE` |
//! | `AWAITED` | one does, and others may sleep until the word changes | stores `FREE`, then wakes them |
//!
//! A thread that is about to sleep swaps in `AWAITED` and sleeps only while the word is that, so the
//! end of the turn either comes before the swap, which returns `FREE` then, or finds `AWAITED` and
//! wakes. A thread that was woken does not know of others that sleep, so it takes the turn by the same
//! swap and leaves `AWAITED`: a needless wake-up at worst.

use std::sync::atomic::Ordering;

use super::atomic::AtomicU32;
use super::delegate::PATIENCE;
use crate::platform::kernel::Kernel;

const FREE: u32 = 0;
const TAKEN: u32 = 1;
const AWAITED: u32 = 2;

/// Acquire where it is taken, with the Release where it ends: the next thread sees what the one
/// before has changed.
#[derive(Debug, Default)]
pub(super) struct Turn {
    word: AtomicU32,
    /// Turns that have ended. Relaxed: it only tells a thread that waits that it waits for another one
    /// than before.
    ended: AtomicU32,
}

impl Turn {
    /// Takes the turn; `None` if another thread has not ended its own in a second. While one turn ends
    /// after the other it waits: none is held up.
    pub(super) fn take<'a, K: Kernel>(&'a self, kernel: &'a K) -> Option<Taken<'a, K>> {
        let Turn { word, ended } = self;
        if word.compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed).is_ok() {
            return Some(Taken { turn: self, kernel });
        }
        let mut deadline = kernel.now() + PATIENCE;
        let mut seen = ended.load(Ordering::Relaxed);
        while word.swap(AWAITED, Ordering::Acquire) != FREE {
            let now = ended.load(Ordering::Relaxed);
            if now != seen {
                (seen, deadline) = (now, kernel.now() + PATIENCE);
            }
            let left = deadline.saturating_sub(kernel.now());
            if left.is_zero() {
                return None;
            }
            kernel.wait(word, AWAITED, Some(left));
        }
        Some(Taken { turn: self, kernel })
    }
}

/// Dropping it ends the turn.
pub(super) struct Taken<'a, K: Kernel> {
    turn: &'a Turn,
    kernel: &'a K,
}

impl<K: Kernel> Drop for Taken<'_, K> {
    fn drop(&mut self) {
        let Turn { word, ended } = self.turn;
        ended.fetch_add(1, Ordering::Relaxed);
        if word.swap(FREE, Ordering::Release) == AWAITED {
            self.kernel.wake(word);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;
    use std::thread;

    use super::*;
    use crate::platform::kernel::Os;

    #[test]
    fn one_has_it_and_the_next_waits_for_a_second_at_most() {
        let turn = Turn::default();
        let first = turn.take(&Os).expect("free");
        thread::scope(|scope| {
            let second = scope.spawn(|| turn.take(&Os).is_none());
            assert!(second.join().expect("no panic"), "taken all the time");
        });
        drop(first);
        drop(turn.take(&Os).expect("free again"));
        drop(turn.take(&Os).expect("and again"));
    }

    /// Threads that have it by turns for longer than the patience together, and no one for long.
    #[test]
    fn turns_that_end_are_waited_for() {
        let turn = Turn::default();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        let taken = turn.take(&Os).expect("each ends soon");
                        thread::sleep(PATIENCE / 20);
                        drop(taken);
                    }
                });
            }
        });
    }

    #[test]
    fn one_thread_at_a_time() {
        let (turn, inside, turns) = (Turn::default(), AtomicU32::new(0), AtomicU32::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..5_000 {
                        let take = || turn.take(&Os);
                        let _taken = std::iter::repeat_with(take).flatten().next();
                        assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0, "one at a time");
                        turns.fetch_add(1, Ordering::Relaxed);
                        inside.fetch_sub(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(turns.into_inner(), 20_000);
    }
}
