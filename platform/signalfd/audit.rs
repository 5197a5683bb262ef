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
//!   only if the kernel then counts as many threads, and all on the list still are on the next one:
//!   at the moment of counting, these were all.
//! - While a handler of a signal runs, the kernel blocks that signal in its thread, and lets it in
//!   again when the handler returns. So where the signal has a handler, a thread counts as blocking
//!   if it does so on two looks, a [`PAUSE`] apart. A handler that takes longer is not seen: nothing
//!   in `/proc` tells its mask from one that the thread has chosen.
//!
//! If at some moment every thread blocks the set, so do all that they start later. So it is enough
//! to find *one* whole list of threads that had all been read by then, while others come and go. A
//! thread that was read only after the list was made may have started others in between.

mod doubt;
mod tasks;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use self::doubt::{Activity, Doubt, Mask, PAUSE};
pub(in crate::platform) use self::tasks::own_tid;
use self::tasks::{Stat, Status, threads};
use crate::mask::ThreadInfo;
use crate::{Signal, SignalSet};

/// How long to look again before giving up, and how often: where a look takes long, a second has too few
/// to settle what needs a hundred ([`Doubt`]).
const PATIENCE: Duration = Duration::from_secs(1);
const LOOKS: u32 = 500;

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
    let mut audit = Audit {
        set,
        handled: None,
        blocking: BTreeMap::new(),
        own: except.iter().copied().collect(),
        ended: BTreeSet::new(),
        doubts: BTreeMap::new(),
        deadline: Instant::now() + PATIENCE,
        looks: 0,
    };
    loop {
        audit.looks += 1;
        let list = match threads() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            list => list?,
        };
        let process = Status::of_process()?;
        if process.as_ref().is_some_and(Status::shows_no_mask) {
            return Ok(None);
        }
        if audit.looks == 1 {
            let caught = process.as_ref().and_then(|status| status.caught);
            // Where the kernel does not say, there may be one.
            let is_handled = caught.is_none_or(|caught| !(caught & set).is_empty());
            audit.handled = is_handled.then(own_tid);
        }
        let count = audit.count(process)?;
        let unread = audit.unread(&list);
        if unread.is_empty() {
            // Alone, the calling thread knows that no other comes or goes.
            if count == Some(list.len()) && (count == Some(1) || list.is_subset(&threads()?)) {
                return Ok(Some(Vec::new()));
            }
        } else {
            let offenders = audit.read(unread)?;
            if !offenders.is_empty() {
                return Ok(Some(offenders));
            }
        }
        if audit.is_late() {
            return Err(too_busy("threads that come and go"));
        }
    }
}

fn too_busy(culprit: &str) -> io::Error {
    let message = format!(
        "the audit of this process' threads found no quiet moment for a second, because of \
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
    /// Lists read, and looks at those on them that were in doubt.
    looks: u32,
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
            if matches!(judge(first, status, self.set)?, Look::Blocks) {
                self.note_blocking(first);
            }
        }
        Ok(count)
    }

    /// Those of the list that are still to be read.
    fn unread(&mut self, list: &BTreeSet<u32>) -> Vec<u32> {
        // A number that is gone may come again, as another thread's.
        self.blocking.retain(|tid, _| list.contains(tid));
        self.ended.retain(|tid| list.contains(tid));
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
    fn read(&mut self, mut unread: Vec<u32>) -> io::Result<Vec<ThreadInfo>> {
        let mut offenders = Vec::new();
        let start = Instant::now();
        loop {
            self.looks += 1;
            let (mut again, mut stuck) = (Vec::new(), String::new());
            for tid in unread {
                let look = look(tid, self.set)?;
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
                    Look::BlocksAll { activity, .. } if self.is_settled(tid, activity) => {
                        self.note_blocking(tid);
                    }
                    Look::BlocksAll { name, .. } => {
                        stuck = format!("thread {tid} ({name:?}), which blocks everything");
                        again.push(tid);
                    }
                }
            }
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

    /// Whether the thread blocks all by its own will.
    fn is_settled(&mut self, tid: u32, now: Activity) -> bool {
        self.doubts.entry(tid).or_default().is_settled_by(now)
    }
}

enum Look {
    Blocks,
    /// So does a thread that is being born or leaving.
    BlocksAll {
        name: String,
        activity: Activity,
    },
    Lets {
        thread: ThreadInfo,
    },
    /// It has ended, and is listed for a while.
    Ended,
    /// There is no such thread any more.
    Gone,
}

fn look(tid: u32, set: SignalSet) -> io::Result<Look> {
    match Status::of(tid)? {
        Some(status) => judge(tid, status, set),
        None => Ok(Look::Gone),
    }
}

fn judge(tid: u32, status: Status, set: SignalSet) -> io::Result<Look> {
    // Not the same as this process' id, should /proc be of another pid namespace.
    let is_first = status.process == Some(tid);
    let has_gone = !status.has_memory || status.threads == Some(0);
    let blocked = match status.blocked {
        Some(blocked) if is_first || !has_gone => blocked,
        _ => return Ok(Look::Ended),
    };
    let name = status.name;
    let unblocked = set - blocked;
    // 32 is the C library's own in each of them (an ending thread of glibc lets 33 in); a program
    // can't block it through its functions.
    let is_full = Signal::from_raw(32).is_some_and(|libc| blocked.contains(libc));
    // With glibc the mask of a thread between says so itself.
    let is_all = !cfg!(target_env = "gnu") && (all() - blocked).is_empty();
    let mask = match (has_gone, is_full, is_all) {
        (false, true, _) => Some(Mask::Full),
        (false, false, true) => Some(Mask::All),
        _ => None,
    };
    if let Some(mask) = mask {
        let Some(Stat { is_worker, user, system }) = Stat::read(tid)? else {
            return Ok(Look::Gone);
        };
        if !is_worker {
            let (seen, is_asleep) = (Instant::now(), status.is_asleep);
            let activity = Activity { seen, mask, is_asleep, user, system };
            return Ok(Look::BlocksAll { name, activity });
        }
    }
    if unblocked.is_empty() {
        return Ok(Look::Blocks);
    }
    Ok(Look::Lets { thread: ThreadInfo { tid, name, unblocked } })
}

/// All that a program can block.
fn all() -> SignalSet {
    let numbers = (1..32).chain(Signal::rt(0).map_or(32, Signal::as_raw)..=128);
    let all: SignalSet = numbers.filter_map(Signal::from_raw).collect();
    all.without(Signal::KILL).without(Signal::STOP)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            looks: 0,
        };
        let list = [caller, other].into();
        assert_eq!(audit.unread(&list), [other]);
        audit.note_blocking(other);
        assert_eq!(audit.unread(&list), [other], "the first look counts");
        audit.blocking.insert(other, Instant::now() - PAUSE);
        assert!(audit.unread(&list).is_empty());
        audit.handled = None;
        audit.blocking.insert(other, Instant::now());
        assert!(audit.unread(&list).is_empty(), "no handler runs");
        // Another thread may have a number next that was gone.
        assert!(audit.unread(&[caller].into()).is_empty());
        assert_eq!(audit.unread(&list), [other]);
    }
}
