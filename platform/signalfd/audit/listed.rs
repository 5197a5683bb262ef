//! The threads on the list, and what is known of each.

use std::time::Instant;

use super::doubt::Doubt;

pub(super) struct Thread {
    pub(super) tid: u32,
    pub(super) finding: Finding,
}

pub(super) enum Finding {
    /// It is to be read, or had gone when it was.
    Unread,
    /// It was seen to block the set, first at this moment: maybe only while a handler runs.
    Blocking(Instant),
    /// It blocks all that a program can block, or more.
    Doubtful(Box<Doubt>),
    /// There is no more to find out: it blocks the set by its own will, or has ended, or lets a signal
    /// in, or is the crate's own.
    Settled,
}

impl Thread {
    pub(super) fn new(tid: u32) -> Thread {
        Thread { tid, finding: Finding::Unread }
    }

    pub(super) fn is_settled(&self) -> bool {
        matches!(self.finding, Finding::Settled)
    }
}

/// The threads of the next list, with what is known of those that were on the one before; and whether all
/// of them are on it still. Both lists are in order. The threads `own` need no reading.
///
/// What has gone is forgotten: its number may come again, as another thread's.
pub(super) fn follow(known: Vec<Thread>, list: &[u32], own: &[u32]) -> (Vec<Thread>, bool) {
    let mut missing = known.len();
    let mut known = known.into_iter().peekable();
    let threads = list.iter().map(|&tid| {
        while known.next_if(|thread| thread.tid < tid).is_some() {}
        if let Some(thread) = known.next_if(|thread| thread.tid == tid) {
            missing -= 1;
            return thread;
        }
        let finding = if own.contains(&tid) { Finding::Settled } else { Finding::Unread };
        Thread { tid, finding }
    });
    let threads = threads.collect();
    (threads, missing == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(tids: &[u32]) -> Vec<Thread> {
        tids.iter().map(|&tid| Thread { tid, finding: Finding::Settled }).collect()
    }

    /// Which threads are to be read after the list changed, and whether none went.
    fn followed(before: &[u32], list: &[u32]) -> (Vec<u32>, bool) {
        let (threads, all) = follow(settled(before), list, &[9]);
        assert!(threads.iter().map(|thread| thread.tid).eq(list.iter().copied()));
        let unread = threads.iter().filter(|thread| !thread.is_settled());
        (unread.map(|thread| thread.tid).collect(), all)
    }

    #[test]
    fn of_two_lists() {
        assert_eq!(followed(&[], &[]), (vec![], true));
        assert_eq!(followed(&[], &[1, 2, 9]), (vec![1, 2], true));
        assert_eq!(followed(&[1, 3], &[1, 2, 3]), (vec![2], true));
        assert_eq!(followed(&[2], &[1, 2]), (vec![1], true));
        for missing in [1, 2, 3] {
            let rest: Vec<u32> = (1..=3).filter(|&tid| tid != missing).collect();
            assert_eq!(followed(&[1, 2, 3], &rest), (vec![], false));
            assert_eq!(followed(&rest, &[1, 2, 3]), (vec![missing], true));
        }
        // Another in its place.
        assert_eq!(followed(&[1, 2], &[1, 3]), (vec![3], false));
        assert_eq!(followed(&[2, 3], &[1, 3]), (vec![1], false));
    }

    /// A number that was gone may be another thread's.
    #[test]
    fn what_has_gone_is_forgotten() {
        let (threads, _) = follow(settled(&[1, 2]), &[1], &[]);
        let (threads, _) = follow(threads, &[1, 2], &[]);
        assert!(threads[0].is_settled() && !threads[1].is_settled());
    }
}
