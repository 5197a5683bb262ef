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
//!   what it does meanwhile ([`doubt::Doubt`]).
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
mod listed;
mod look;
mod stat;
mod status;
mod tasks;

use std::io;
use std::mem;
use std::thread;
use std::time::{Duration, Instant};

use self::doubt::PAUSE;
use self::listed::{Finding, Thread, follow};
use self::look::{Look, judge, look};
use self::status::{Status, Text};
use self::tasks::Tasks;
pub(in crate::platform) use self::tasks::own_tid;
use crate::SignalSet;
use crate::mask::ThreadInfo;

/// How long to look again before giving up, and how often: where a look takes long, a second has too few
/// to settle what needs a hundred ([`doubt::Doubt`]).
const PATIENCE: Duration = Duration::from_secs(1);
const LOOKS: u32 = 500;

/// How long at most, if that is because of threads that get no processor ([`doubt::Doubt::is_starved`]).
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
    // Where the kernel does not say, there may be one.
    let is_handled = text.caught().is_none_or(|caught| !(caught & set).is_empty());
    let mut audit = Audit {
        set,
        handled: is_handled.then(own_tid),
        deadline: Instant::now() + PATIENCE,
        latest: Instant::now() + LONGEST,
        looks: 0,
        text,
    };
    // The status of the process is that of its first thread.
    let mut first = audit.text.process().map(Thread::new);
    if let (Some(status), Some(first)) = (process, &mut first) {
        let look = judge(first.tid, status, &audit.text, set)?;
        if matches!(look, Look::Blocks) {
            audit.note_blocking(first);
        }
    }
    let count = process.and_then(|status| status.threads);
    // Alone, the calling thread knows that no other comes or goes.
    if count == Some(1) && first.as_ref().is_some_and(Thread::is_settled) {
        return Ok(Some(Vec::new()));
    }
    let Some(mut tasks) = Tasks::open(count.unwrap_or_default())? else { return Ok(None) };
    let (mut threads, _) = follow(first.into_iter().collect(), &tasks.list()?, except);
    loop {
        audit.looks += 1;
        let offenders = audit.read(&tasks, &mut threads)?;
        if !offenders.is_empty() {
            return Ok(Some(offenders));
        }
        let is_whole = audit.counts(&tasks, threads.len())?;
        let have_been_read = threads.iter().all(Thread::is_settled);
        let (next, are_listed_still) = follow(threads, &tasks.list()?, except);
        if is_whole && have_been_read && are_listed_still {
            return Ok(Some(Vec::new()));
        }
        if audit.is_late() {
            return Err(too_busy("threads that come and go"));
        }
        threads = next;
    }
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

    /// Whether the kernel counts so many threads just now, in either of two places.
    fn counts(&mut self, tasks: &Tasks, listed: usize) -> io::Result<bool> {
        if tasks.count() == Some(listed) {
            return Ok(true);
        }
        let process = Status::of_process(&mut self.text)?;
        Ok(process.and_then(|status| status.threads) == Some(listed))
    }

    /// Notes that a look found the thread blocking.
    fn note_blocking(&self, thread: &mut Thread) {
        // A handler may run in each but the calling one.
        let may_handle = self.handled.is_some_and(|caller| caller != thread.tid);
        thread.finding = match thread.finding {
            _ if !may_handle => Finding::Settled,
            Finding::Blocking(first) if first.elapsed() >= PAUSE => Finding::Settled,
            Finding::Blocking(first) => Finding::Blocking(first),
            _ => Finding::Blocking(Instant::now()),
        };
    }

    /// Reads each of the threads that is not settled, until all are or have gone, and returns those that
    /// do not block the set.
    fn read(&mut self, tasks: &Tasks, threads: &mut [Thread]) -> io::Result<Vec<ThreadInfo>> {
        let mut offenders = Vec::new();
        let start = Instant::now();
        let mut last = start;
        loop {
            self.looks += 1;
            let now = Instant::now();
            // How many have to be looked at again, and how many of them get no processor; of one its
            // name if it blocks everything.
            let (mut again, mut starved, mut stuck) = (0, 0, None);
            for thread in threads.iter_mut().filter(|thread| !thread.is_settled()) {
                let tid = thread.tid;
                match look(tasks, tid, &mut self.text, self.set)? {
                    Look::Blocks => {
                        self.note_blocking(thread);
                        if !thread.is_settled() {
                            again += 1;
                            stuck = Some((tid, None));
                        }
                    }
                    Look::Lets { thread: offender } => {
                        offenders.push(offender);
                        thread.finding = Finding::Settled;
                    }
                    // What it started before, the next list has.
                    Look::Ended => thread.finding = Finding::Settled,
                    Look::Gone => thread.finding = Finding::Unread,
                    Look::BlocksAll { name, activity } => {
                        let mut doubt = match mem::replace(&mut thread.finding, Finding::Settled) {
                            Finding::Doubtful(doubt) => doubt,
                            _ => Box::default(),
                        };
                        if !doubt.is_settled_by(activity) {
                            let is_starved = doubt.is_starved(activity.seen);
                            again += 1;
                            starved += u32::from(is_starved);
                            stuck = Some((tid, Some((name, is_starved))));
                            thread.finding = Finding::Doubtful(doubt);
                        }
                    }
                }
            }
            // The patience is for threads that could get on meanwhile.
            if starved > 0 && starved == again {
                self.deadline = self.latest.min(self.deadline + (now - last));
            }
            last = now;
            let Some((tid, all)) = stuck else { return Ok(offenders) };
            if self.is_late() && !offenders.is_empty() {
                return Ok(offenders);
            }
            if self.is_late() {
                return Err(too_busy(&match all {
                    None => format!("thread {tid}, which may be inside a handler"),
                    Some((name, is_starved)) => {
                        let more = if is_starved { " and gets no processor" } else { "" };
                        format!("thread {tid} ({name:?}), which blocks everything{more}")
                    }
                }));
            }
            // One between is mostly done before a pause is over.
            if start.elapsed() < PAUSE { thread::yield_now() } else { thread::sleep(PAUSE) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Signal;

    /// A thread that blocks a signal with a handler is looked at once more, after a pause: the
    /// calling one is inside none.
    #[test]
    fn a_short_handler_does_not_pass_for_a_mask() {
        let (caller, other) = (1, 2);
        let now = Instant::now();
        let mut audit = Audit {
            set: Signal::TERM.into(),
            handled: Some(caller),
            deadline: now + PATIENCE,
            latest: now + LONGEST,
            looks: 0,
            text: Text::new(),
        };
        let settles = |audit: &Audit, tid, finding| {
            let mut thread = Thread { tid, finding };
            audit.note_blocking(&mut thread);
            thread.is_settled()
        };
        assert!(settles(&audit, caller, Finding::Unread));
        assert!(!settles(&audit, other, Finding::Unread));
        // Within a pause, however slow the machine is.
        assert!(
            !settles(&audit, other, Finding::Blocking(now + PATIENCE * 60)),
            "the first counts"
        );
        assert!(settles(&audit, other, Finding::Blocking(now - PAUSE)));
        let doubtful = Finding::Doubtful(Box::default());
        assert!(!settles(&audit, other, doubtful), "it blocked all, maybe as one that is born");
        audit.handled = None;
        assert!(settles(&audit, other, Finding::Unread), "no handler runs");
    }
}
