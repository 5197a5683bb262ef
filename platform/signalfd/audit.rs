//! The audit: which other threads do not block a set, read from `/proc` ([`proc(5)`]).
//!
//! [`proc(5)`]: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
//!
//! Four things mislead a reader of `/proc/self/task`, and each is met here:
//!
//! - The C library blocks *everything* around the making and ending of a thread: glibc its own
//!   signals 32 and 33 too, musl and Bionic what any program could block. Such a mask says nothing:
//!   look again. The kernel's own workers (io_uring) look like the former for good, and never take
//!   a signal; a thread that blocks all by its own will looks like either for good, which shows in
//!   what it does meanwhile ([`Doubt`]).
//! - A thread that has ended may still be listed. It does not count, except the process' first one:
//!   whether a signal is ignored is decided by its mask even after its end.
//! - Listing can stop early, or skip one, when the thread that it stands on ends. So a list is whole
//!   only if the kernel later counts as many threads, and all on the list still are on the next one:
//!   at the moment of counting, these were all.
//! - While a handler of a signal runs, the kernel blocks that signal in its thread, and lets it in
//!   again when the handler returns. So where the signal has a handler, a thread counts as blocking
//!   if it does so on two looks, a [`PAUSE`] apart. A handler that takes longer is not seen: nothing
//!   in `/proc` tells its mask from one that the thread has chosen.
//!
//! If at some moment every thread blocks the set, so do all that they start later. So it is enough
//! to find *one* moment of counting at which the list is whole and all on it have been read, while
//! others come and go. A thread that is read only after that may have started others in between.

mod doubt;
mod look;
mod status;
mod tasks;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use self::doubt::{Doubt, PAUSE};
use self::look::{Look, judge, look};
use self::status::{Status, Text};
use self::tasks::Tasks;
pub(in crate::platform) use self::tasks::own_tid;
use crate::SignalSet;
use crate::mask::ThreadInfo;

/// How long to look again before giving up, and how often: where a look takes long, a second has too few
/// to settle what needs a hundred ([`Doubt`]).
const PATIENCE: Duration = Duration::from_secs(1);
const LOOKS: u32 = 500;

/// How long at most, if that is because of threads that get no processor ([`Doubt::is_starved`]).
const LONGEST: Duration = Duration::from_secs(30);

/// The other threads that do not block `set`, without the threads `except`, which are the crate's
/// own ([`own_tid`]); `None` where `/proc` is not mounted or shows no thread's mask.
///
/// # Errors
///
/// If `/proc` can't be read (the error names the file), or threads come and go so fast that no list is ever
/// complete.
pub(super) fn unblocked_threads(
    set: SignalSet,
    except: &[u32],
) -> io::Result<Option<Vec<ThreadInfo>>> {
    let mut text = Text::new();
    let process = Status::of_process(&mut text)?;
    if process.as_ref().is_some_and(Status::shows_no_mask) {
        return Ok(None);
    }
    let caught = process.and_then(|status| status.caught);
    // Where the kernel does not say, there may be one.
    let is_handled = caught.is_none_or(|caught| !(caught & set).is_empty());
    let mut audit = Audit {
        set,
        handled: is_handled.then(own_tid),
        blocking: BTreeMap::new(),
        own: except.iter().copied().collect(),
        ended: BTreeSet::new(),
        doubts: BTreeMap::new(),
        deadline: Instant::now() + PATIENCE,
        latest: Instant::now() + LONGEST,
        looks: 0,
        text,
    };
    let count = audit.count(process)?;
    // Alone, the calling thread knows that no other comes or goes.
    if count == Some(1) && audit.has_read_first(process) {
        return Ok(Some(Vec::new()));
    }
    let Some(mut tasks) = Tasks::open(count.unwrap_or_default())? else { return Ok(None) };
    let mut list = tasks.list()?;
    loop {
        audit.looks += 1;
        let unread = audit.unread(&list);
        let offenders = audit.read(&tasks, unread)?;
        if !offenders.is_empty() {
            return Ok(Some(offenders));
        }
        let is_whole = audit.counts(&tasks, list.len())?;
        let next = tasks.list()?;
        if is_whole && is_subset(&list, &next) {
            return Ok(Some(Vec::new()));
        }
        if audit.is_late() {
            return Err(too_busy("threads that come and go"));
        }
        list = next;
    }
}

/// Of two lists in order.
fn is_subset(list: &[u32], other: &[u32]) -> bool {
    let mut other = other.iter();
    list.iter().all(|tid| other.any(|found| found == tid))
}

fn too_busy(culprit: &str) -> io::Error {
    let message = format!(
        "the audit of this process' threads found no quiet moment for a second or more, because of \
         {culprit}: open the receiver, or reserve its signals, before starting threads; or open it \
         with Signals::builder().audit(false)"
    );
    io::Error::new(io::ErrorKind::TimedOut, message)
}

struct Audit {
    set: SignalSet,
    /// Some of the set has a handler, so that a thread may block it only while that runs. The calling
    /// thread, which this is then, is not inside one.
    handled: Option<u32>,
    /// Threads that were seen to block the set, and when that was first.
    blocking: BTreeMap<u32, Instant>,
    /// This crate's own threads.
    own: BTreeSet<u32>,
    /// Threads that are listed still.
    ended: BTreeSet<u32>,
    /// Threads that block all that a program can block, or more.
    doubts: BTreeMap<u32, Doubt>,
    deadline: Instant,
    /// What the deadline is put off to at most.
    latest: Instant,
    /// Lists read, and looks at those on them that were in doubt.
    looks: u32,
    /// Room for what is read.
    text: Text,
}

impl Audit {
    fn is_late(&self) -> bool {
        self.looks >= LOOKS && Instant::now() > self.deadline
    }

    /// The number of threads, as the kernel counts them. It stands in the status of the first one,
    /// which is thereby read.
    fn count(&mut self, process: Option<Status>) -> io::Result<Option<usize>> {
        let Some(status) = process else { return Ok(None) };
        let count = status.threads;
        if let Some(first) = status.process {
            if matches!(judge(first, status, &self.text, self.set)?, Look::Blocks) {
                self.note_blocking(first);
            }
        }
        Ok(count)
    }

    /// Whether the kernel counts so many threads just now, in either of two places.
    fn counts(&mut self, tasks: &Tasks, listed: usize) -> io::Result<bool> {
        if tasks.count() == Some(listed) {
            return Ok(true);
        }
        let process = Status::of_process(&mut self.text)?;
        Ok(self.count(process)? == Some(listed))
    }

    /// Whether the process' first thread blocks the set, as its status said.
    fn has_read_first(&self, process: Option<Status>) -> bool {
        let first = process.and_then(|status| status.process);
        first.is_some_and(|first| self.has_settled(first))
    }

    /// Those of the list that are still to be read.
    fn unread(&mut self, list: &[u32]) -> Vec<u32> {
        // A number that is gone may come again, as another thread's.
        self.blocking.retain(|tid, _| list.binary_search(tid).is_ok());
        self.ended.retain(|tid| list.binary_search(tid).is_ok());
        let is_read = |tid: &u32| {
            self.own.contains(tid) || self.ended.contains(tid) || self.has_settled(*tid)
        };
        list.iter().copied().filter(|tid| !is_read(tid)).collect()
    }

    /// Notes that a look found the thread blocking.
    fn note_blocking(&mut self, tid: u32) {
        self.blocking.entry(tid).or_insert_with(Instant::now);
    }

    /// Whether a thread that was seen to block does so by its own will, not for a handler that runs.
    fn has_settled(&self, tid: u32) -> bool {
        let is_in_doubt = self.handled.is_some_and(|caller| caller != tid);
        let first = self.blocking.get(&tid);
        first.is_some_and(|first| !is_in_doubt || first.elapsed() >= PAUSE)
    }

    /// Reads each of the threads, and returns those that do not block the set.
    fn read(&mut self, tasks: &Tasks, mut unread: Vec<u32>) -> io::Result<Vec<ThreadInfo>> {
        let mut offenders = Vec::new();
        let start = Instant::now();
        let mut last = start;
        loop {
            self.looks += 1;
            let now = Instant::now();
            let (mut again, mut stuck, mut starved) = (Vec::new(), String::new(), 0);
            for tid in unread {
                let look = look(tasks, tid, &mut self.text, self.set)?;
                if !matches!(look, Look::BlocksAll { .. }) {
                    self.doubts.remove(&tid);
                }
                match look {
                    Look::Blocks => {
                        self.note_blocking(tid);
                        if !self.has_settled(tid) {
                            stuck = format!("thread {tid}, which may be inside a handler");
                            again.push(tid);
                        }
                    }
                    Look::Lets { thread } => offenders.push(thread),
                    // What it started before, the next list has.
                    Look::Ended => _ = self.ended.insert(tid),
                    Look::Gone => {}
                    Look::BlocksAll { name, activity } => {
                        let doubt = self.doubts.entry(tid).or_default();
                        if doubt.is_settled_by(activity) {
                            self.note_blocking(tid);
                        } else {
                            let is_starved = doubt.is_starved(activity.seen);
                            starved += usize::from(is_starved);
                            let more = if is_starved { " and gets no processor" } else { "" };
                            stuck =
                                format!("thread {tid} ({name:?}), which blocks everything{more}");
                            again.push(tid);
                        }
                    }
                }
            }
            // The patience is for threads that could get on meanwhile.
            if starved > 0 && starved == again.len() {
                self.deadline = self.latest.min(self.deadline + (now - last));
            }
            last = now;
            if again.is_empty() || (self.is_late() && !offenders.is_empty()) {
                return Ok(offenders);
            }
            if self.is_late() {
                return Err(too_busy(&stuck));
            }
            unread = again;
            // One between is mostly done before a pause is over.
            if start.elapsed() < PAUSE { thread::yield_now() } else { thread::sleep(PAUSE) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Signal;

    #[test]
    fn of_two_lists() {
        assert!(is_subset(&[], &[]) && is_subset(&[1, 3], &[1, 2, 3]) && is_subset(&[2], &[1, 2]));
        for missing in [1, 2, 3] {
            let rest: Vec<u32> = (1..=3).filter(|&tid| tid != missing).collect();
            assert!(!is_subset(&[1, 2, 3], &rest) && is_subset(&rest, &[1, 2, 3]));
        }
    }

    /// A thread that blocks a signal with a handler is looked at once more, after a pause: the
    /// calling one is inside none.
    #[test]
    fn a_short_handler_does_not_pass_for_a_mask() {
        let (caller, other) = (1, 2);
        // Within a pause, however slow the machine is.
        let now = Instant::now() + PATIENCE * 60;
        let mut audit = Audit {
            set: Signal::TERM.into(),
            handled: Some(caller),
            blocking: [(caller, now), (other, now)].into(),
            own: BTreeSet::new(),
            ended: BTreeSet::new(),
            doubts: BTreeMap::new(),
            deadline: now + PATIENCE,
            latest: now + LONGEST,
            looks: 0,
            text: Text::new(),
        };
        let list = [caller, other];
        assert_eq!(audit.unread(&list), [other]);
        audit.note_blocking(other);
        assert_eq!(audit.unread(&list), [other], "the first look counts");
        audit.blocking.insert(other, Instant::now() - PAUSE);
        assert!(audit.unread(&list).is_empty());
        audit.handled = None;
        audit.blocking.insert(other, Instant::now());
        assert!(audit.unread(&list).is_empty(), "no handler runs");
        // Another thread may have a number next that was gone.
        assert!(audit.unread(&[caller]).is_empty());
        assert_eq!(audit.unread(&list), [other]);
    }
}
