//! The audit: which other threads do not block a set, read from `/proc` ([`proc(5)`]).
//!
//! [`proc(5)`]: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
//!
//! Three things mislead a reader of `/proc/self/task`, and each is met here:
//!
//! - The C library blocks *everything* around the making and ending of a thread: glibc its own
//!   signals 32 and 33 too, musl and Bionic what any program could block. Such a mask says nothing:
//!   look again. The kernel's own workers (io_uring) look like the former for good, and never take
//!   a signal; a thread that blocks all by its own will looks like either for good, which shows in
//!   what it does meanwhile ([`Doubt`]).
//! - A thread that has ended may still be listed. It does not count, except the process' first one:
//!   whether a signal is ignored is decided by its mask even after its end. If it ended before its
//!   mask was read, it may have started others that do not block: list again.
//! - Listing can stop early, or skip one, when the thread that it stands on ends. So a list is whole
//!   only if the kernel then counts as many threads, and all on the list still are on the next one:
//!   at the moment of counting, these were all.
//!
//! If at some moment every thread blocks the set, so do all that they start later. So it is enough
//! to read the threads of *one* whole list, while others come and go.

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

/// How long to look again before giving up.
const PATIENCE: Duration = Duration::from_secs(1);

/// The other threads that do not block `set`, without the threads `except`, which are the crate's
/// own ([`own_tid`]); `None` where `/proc` is not mounted.
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
        blocking: except.iter().copied().collect(),
        doubts: BTreeMap::new(),
        deadline: Instant::now() + PATIENCE,
    };
    loop {
        let list = match threads() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            list => list?,
        };
        let count = audit.count()?;
        // Alone, the calling thread knows that no other comes or goes.
        let whole = count == Some(list.len()) && (count == Some(1) || list.is_subset(&threads()?));
        let (offenders, ended) = audit.read(&list)?;
        if !offenders.is_empty() || (whole && !ended) {
            return Ok(Some(offenders));
        }
        if audit.is_late() {
            return Err(too_busy("threads that come and go"));
        }
    }
}

fn too_busy(culprit: &str) -> io::Error {
    let message = format!(
        "the audit of this process' threads found no quiet moment within a second, because of \
         {culprit}: open the receiver, or reserve its signals, before starting threads; or open it \
         with Signals::builder().audit(false)"
    );
    io::Error::new(io::ErrorKind::TimedOut, message)
}

struct Audit {
    set: SignalSet,
    /// Threads that were seen to block the set. They are not read again.
    blocking: BTreeSet<u32>,
    /// Threads that block all that a program can block, or more.
    doubts: BTreeMap<u32, Doubt>,
    deadline: Instant,
}

impl Audit {
    fn is_late(&self) -> bool {
        Instant::now() > self.deadline
    }

    /// The number of threads, as the kernel counts them. It stands in the status of the first one,
    /// which is thereby read.
    fn count(&mut self) -> io::Result<Option<usize>> {
        let Some(status) = Status::of_process()? else { return Ok(None) };
        let count = status.threads;
        if let Some(first) = status.process {
            if matches!(judge(first, status, self.set)?, Look::Blocks) {
                self.blocking.insert(first);
            }
        }
        Ok(count)
    }

    /// Reads each thread of the list. Returns those that do not block the set, and whether any
    /// ended before it was read.
    fn read(&mut self, list: &BTreeSet<u32>) -> io::Result<(Vec<ThreadInfo>, bool)> {
        let mut unread: Vec<u32> = list.difference(&self.blocking).copied().collect();
        let (mut offenders, mut ended) = (Vec::new(), false);
        let start = Instant::now();
        loop {
            let (mut again, mut stuck) = (Vec::new(), String::new());
            for tid in unread {
                let look = look(tid, self.set)?;
                if !matches!(look, Look::BlocksAll { .. }) {
                    self.doubts.remove(&tid);
                }
                match look {
                    Look::Blocks => _ = self.blocking.insert(tid),
                    Look::Lets { thread } => offenders.push(thread),
                    Look::Ended => ended = true,
                    Look::BlocksAll { activity, .. } if self.is_settled(tid, activity) => {
                        self.blocking.insert(tid);
                    }
                    Look::BlocksAll { name, .. } => {
                        stuck = format!("thread {tid} ({name:?}), which blocks everything");
                        again.push(tid);
                    }
                }
            }
            if again.is_empty() || (self.is_late() && !offenders.is_empty()) {
                return Ok((offenders, ended));
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
    Ended,
}

fn look(tid: u32, set: SignalSet) -> io::Result<Look> {
    match Status::of(tid)? {
        Some(status) => judge(tid, status, set),
        None => Ok(Look::Ended),
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
            return Ok(Look::Ended);
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
