//! Who keeps which signal blocked in which thread: the counts, without a system call.
//!
//! A receiver or a guard *holds* its signals in the thread that opened it. The first holder of a
//! signal in a thread notes whether the thread blocked it before; after the last one has gone, in
//! whatever order and on whatever thread, the signal is *due* to be unblocked there. Only the
//! thread itself can do that, so until it comes by, the signal is *owed*.

use std::collections::BTreeMap;

use super::threads::ThreadKey;
use crate::{Signal, SignalSet};

#[derive(Clone, Default)]
struct Thread {
    /// Holders by signal; a signal without one is absent.
    counts: BTreeMap<Signal, usize>,
    /// Signals that this crate blocked here: not blocked before their first holder.
    newly: SignalSet,
    exited: bool,
}

impl Thread {
    fn held(&self) -> SignalSet {
        self.counts.keys().copied().collect()
    }

    fn due(&self) -> SignalSet {
        self.newly - self.held()
    }
}

#[derive(Default)]
pub(crate) struct Holds {
    threads: BTreeMap<ThreadKey, Thread>,
    /// What was due in threads that have exited: nobody will ever unblock it there.
    orphaned: SignalSet,
    /// In a forked child: the thread whose holders were taken over from the parent.
    inherited: Option<ThreadKey>,
}

impl Holds {
    /// Notes one more holder of each signal; `before` is the thread's mask before it. Returns the
    /// signals that this holder blocked newly.
    pub(crate) fn add(&mut self, key: ThreadKey, set: SignalSet, before: SignalSet) -> SignalSet {
        let thread = self.threads.entry(key).or_default();
        let newly = set - before;
        for signal in set {
            *thread.counts.entry(signal).or_insert(0) += 1;
        }
        thread.newly |= newly;
        newly
    }

    /// Notes that one holder of each signal has gone.
    pub(crate) fn remove(&mut self, key: ThreadKey, set: SignalSet) {
        let Some(thread) = self.threads.get_mut(&key) else { return };
        for signal in set {
            match thread.counts.get_mut(&signal) {
                Some(1) => {
                    thread.counts.remove(&signal);
                }
                Some(count) => *count -= 1,
                None => {}
            }
        }
        if thread.exited {
            self.bury(key);
        }
    }

    /// Makes the signals count as blocked before, so that no holder's end unblocks them.
    pub(crate) fn keep(&mut self, key: ThreadKey, set: SignalSet) {
        if let Some(thread) = self.threads.get_mut(&key) {
            thread.newly -= set;
        }
    }

    /// What the thread should unblock, being the calling one.
    pub(crate) fn due(&self, key: ThreadKey) -> SignalSet {
        self.threads.get(&key).map_or(SignalSet::EMPTY, Thread::due)
    }

    /// Notes that the thread has unblocked them.
    pub(crate) fn settled(&mut self, key: ThreadKey, set: SignalSet) {
        if let Some(thread) = self.threads.get_mut(&key) {
            thread.newly -= set;
            if thread.counts.is_empty() && thread.newly.is_empty() {
                self.threads.remove(&key);
            }
        }
    }

    /// What some thread should let in but does not yet, or never will.
    pub(crate) fn owed(&self) -> SignalSet {
        self.threads.values().fold(self.orphaned, |owed, thread| owed | thread.due())
    }

    /// Notes that the thread ends.
    pub(crate) fn exit(&mut self, key: ThreadKey) {
        if let Some(thread) = self.threads.get_mut(&key) {
            thread.exited = true;
            self.bury(key);
        }
    }

    /// Moves what is due in an ended thread to the orphans, and forgets the thread once nobody
    /// holds anything there.
    fn bury(&mut self, key: ThreadKey) {
        let Some(thread) = self.threads.get_mut(&key) else { return };
        let due = thread.due();
        thread.newly -= due;
        self.orphaned |= due;
        if thread.counts.is_empty() {
            self.threads.remove(&key);
        }
    }

    /// What a forked child starts with: the thread that forked is its only one.
    pub(crate) fn forked(&self, key: ThreadKey) -> Holds {
        let threads = self.threads.get_key_value(&key);
        Holds {
            threads: threads.map(|(key, thread)| (*key, thread.clone())).into_iter().collect(),
            orphaned: SignalSet::EMPTY,
            inherited: threads.map(|(key, _)| *key),
        }
    }

    /// Whether the thread's holders of before the fork count here.
    pub(crate) fn inherited(&self, key: ThreadKey) -> bool {
        self.inherited == Some(key)
    }

    /// Makes the thread unblock the signals after its last holder: it inherited the block of
    /// another one, which does not exist in this process.
    pub(crate) fn adopt(&mut self, key: ThreadKey, set: SignalSet) {
        self.threads.entry(key).or_default().newly |= set;
    }

    /// Whether anything is known of the thread.
    pub(crate) fn knows(&self, key: ThreadKey) -> bool {
        self.threads.contains_key(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: ThreadKey = ThreadKey(1);
    const WORKER: ThreadKey = ThreadKey(2);
    const TERM: SignalSet = SignalSet::EMPTY.with(Signal::TERM);
    const BOTH: SignalSet = TERM.with(Signal::HUP);

    #[test]
    fn the_last_holder_in_any_order_makes_it_due() {
        let mut holds = Holds::default();
        assert_eq!(holds.add(MAIN, TERM, SignalSet::EMPTY), TERM);
        assert_eq!(holds.add(MAIN, BOTH, TERM), BOTH - TERM);
        holds.remove(MAIN, TERM);
        assert!(holds.due(MAIN).is_empty());
        holds.remove(MAIN, BOTH);
        assert_eq!(holds.due(MAIN), BOTH);
        holds.settled(MAIN, BOTH);
        assert!(!holds.knows(MAIN));
        assert!(holds.owed().is_empty());
    }

    #[test]
    fn blocked_before_stays_blocked() {
        let mut holds = Holds::default();
        assert!(holds.add(MAIN, TERM, TERM).is_empty());
        holds.remove(MAIN, TERM);
        assert!(holds.due(MAIN).is_empty());
    }

    #[test]
    fn a_due_signal_held_again_is_not_mistaken_for_blocked_before() {
        let mut holds = Holds::default();
        holds.add(MAIN, TERM, SignalSet::EMPTY);
        holds.remove(MAIN, TERM); // on another thread: main still blocks it
        assert_eq!(holds.owed(), TERM);
        holds.add(MAIN, TERM, TERM);
        assert!(holds.owed().is_empty());
        holds.remove(MAIN, TERM);
        assert_eq!(holds.due(MAIN), TERM);
    }

    #[test]
    fn keep_counts_as_blocked_before() {
        let mut holds = Holds::default();
        holds.add(MAIN, TERM, SignalSet::EMPTY);
        holds.add(MAIN, TERM, TERM);
        holds.keep(MAIN, TERM);
        holds.remove(MAIN, TERM);
        holds.remove(MAIN, TERM);
        assert!(holds.due(MAIN).is_empty());
    }

    #[test]
    fn an_ended_thread_owes_for_ever_once_nobody_holds() {
        let mut holds = Holds::default();
        holds.add(WORKER, BOTH, SignalSet::EMPTY);
        holds.remove(WORKER, TERM);
        holds.exit(WORKER);
        assert_eq!(holds.owed(), TERM);
        holds.remove(WORKER, BOTH - TERM);
        assert_eq!(holds.owed(), BOTH);
        assert!(!holds.knows(WORKER));
    }

    #[test]
    fn a_fork_takes_its_own_thread_along() {
        let mut holds = Holds::default();
        holds.add(MAIN, TERM, SignalSet::EMPTY);
        holds.add(WORKER, BOTH, BOTH);
        let mut child = holds.forked(MAIN);
        assert!(child.knows(MAIN) && child.inherited(MAIN));
        assert!(!child.knows(WORKER) && !child.inherited(WORKER));
        assert!(!holds.inherited(MAIN));
        child.remove(MAIN, TERM);
        assert_eq!(child.due(MAIN), TERM);
        assert!(holds.due(MAIN).is_empty());
    }

    #[test]
    fn what_is_adopted_is_due_after_the_last_holder() {
        let mut holds = Holds::default();
        holds.add(MAIN, TERM, TERM); // blocked by inheritance, for all it knows
        holds.adopt(MAIN, BOTH);
        assert_eq!(holds.due(MAIN), BOTH - TERM);
        holds.remove(MAIN, TERM);
        assert_eq!(holds.due(MAIN), BOTH);
    }
}
