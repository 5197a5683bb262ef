//! The audit: which other threads do not block a set, read from `/proc` ([`proc(5)`]).
//!
//! [`proc(5)`]: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
//!
//! Three things mislead a reader of `/proc/self/task`, and each is met here:
//!
//! - The C library blocks *everything* around the making and ending of a thread: glibc its own
//!   signals 32 and 33 too, musl and Bionic what any program could block. Such a mask says nothing:
//!   look again. The kernel's own workers (io_uring) look like the former for good, and never take
//!   a signal; a thread that blocks all by its own will looks like the latter for good, while it
//!   runs or sleeps, which one between does not.
//! - A thread that has ended may still be listed. It does not count, except the process' first one:
//!   whether a signal is ignored is decided by its mask even after its end. If it ended before its
//!   mask was read, it may have started others that do not block: list again.
//! - Listing can stop early, or skip one, when the thread that it stands on ends. So a list is whole
//!   only if the kernel then counts as many threads, and all on the list still are on the next one:
//!   at the moment of counting, these were all.
//!
//! If at some moment every thread blocks the set, so do all that they start later. So it is enough
//! to read the threads of *one* whole list, while others come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::thread;
use std::time::{Duration, Instant};

use crate::mask::ThreadInfo;
use crate::{Signal, SignalSet};

const TASKS: &str = "/proc/self/task";

/// How long to look again before giving up.
const PATIENCE: Duration = Duration::from_secs(1);

/// Between looks at a thread that blocks all; longer than the C library is busy with a thread.
const PAUSE: Duration = Duration::from_millis(1);

/// Flags of `/proc/.../stat`: a worker of io_uring, of vhost, and of the kernel itself.
const WORKER: u64 = 0x10 | 0x4000 | 0x20_0000;

/// The other threads that do not block `set`, without those of `except`; `None` where `/proc` is not
/// mounted.
///
/// # Errors
///
/// If `/proc` can't be read, or threads come and go so fast that no list is ever complete.
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
        // Alone, the calling thread knows that nobody comes or goes.
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
         {culprit}: open the receiver before starting threads, or open it with \
         Signals::builder().audit(false)"
    );
    io::Error::new(io::ErrorKind::TimedOut, message)
}

struct Audit {
    set: SignalSet,
    /// Threads that were seen to block the set. They are not read again.
    blocking: BTreeSet<u32>,
    /// Threads that block all a program can block, as they were when first seen.
    doubts: BTreeMap<u32, Activity>,
    deadline: Instant,
}

impl Audit {
    fn is_late(&self) -> bool {
        Instant::now() > self.deadline
    }

    /// The number of threads, as the kernel counts them. It stands in the status of the first one,
    /// which is thereby read.
    fn count(&mut self) -> io::Result<Option<usize>> {
        let Some(status) = Status::read("/proc/self/status")? else { return Ok(None) };
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
        loop {
            let (mut again, mut stuck) = (Vec::new(), String::new());
            for tid in unread {
                match look(tid, self.set)? {
                    Look::Blocks => _ = self.blocking.insert(tid),
                    Look::Lets { thread } => offenders.push(thread),
                    Look::Ended => ended = true,
                    Look::BlocksAll { activity, .. } if self.is_settled(tid, activity) => {
                        self.blocking.insert(tid);
                    }
                    Look::Again { name } | Look::BlocksAll { name, .. } => {
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
            if self.doubts.is_empty() { thread::yield_now() } else { thread::sleep(PAUSE) }
        }
    }

    /// Whether the thread has done, since it was first seen, what none does that is being born or
    /// leaving: run for long, or sleep all the time.
    fn is_settled(&mut self, tid: u32, now: Activity) -> bool {
        let Some(first) = self.doubts.get(&tid) else {
            self.doubts.insert(tid, now);
            return false;
        };
        let ran = now.ran.saturating_sub(first.ran);
        let slept = first.asleep && now.asleep && ran.is_zero();
        ran >= PAUSE || (slept && now.seen.duration_since(first.seen) >= PAUSE)
    }
}

/// What a thread was doing at a moment.
#[derive(Clone, Copy)]
struct Activity {
    seen: Instant,
    asleep: bool,
    /// On a CPU, in its life.
    ran: Duration,
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
    Again {
        name: String,
    },
    Ended,
}

fn look(tid: u32, set: SignalSet) -> io::Result<Look> {
    match Status::read(&format!("{TASKS}/{tid}/status"))? {
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
    // 32 is the C library's own in each of them (an ending thread of glibc lets 33 in); a program
    // can't block it through its functions.
    let between = !has_gone && Signal::from_raw(32).is_some_and(|libc| blocked.contains(libc));
    if between && !is_worker(tid)? {
        return Ok(Look::Again { name });
    }
    let unblocked = set - blocked;
    if unblocked.is_empty() {
        // With glibc the mask of a thread between says so itself.
        let is_between = !cfg!(target_env = "gnu") && !has_gone && (all() - blocked).is_empty();
        if !is_between {
            return Ok(Look::Blocks);
        }
        return Ok(match activity(tid, status.asleep)? {
            Some(activity) => Look::BlocksAll { name, activity },
            // The kernel keeps no such account, or the thread has ended meanwhile.
            None if fs::exists(format!("{TASKS}/{tid}"))? => Look::Blocks,
            None => Look::Ended,
        });
    }
    Ok(Look::Lets { thread: ThreadInfo { tid, name, unblocked } })
}

/// All that a program can block.
fn all() -> SignalSet {
    let numbers = (1..32).chain(Signal::rt(0).map_or(32, Signal::as_raw)..=128);
    let all: SignalSet = numbers.filter_map(Signal::from_raw).collect();
    all.without(Signal::KILL).without(Signal::STOP)
}

/// `None` if there is no such account.
fn activity(tid: u32, asleep: bool) -> io::Result<Option<Activity>> {
    let account = unless_ended(fs::read_to_string(format!("{TASKS}/{tid}/schedstat")))?;
    let ran = account.and_then(|account| account.split_ascii_whitespace().next()?.parse().ok());
    Ok(ran.map(|nanos| Activity { seen: Instant::now(), asleep, ran: Duration::from_nanos(nanos) }))
}

/// The threads that are listed now.
fn threads() -> io::Result<BTreeSet<u32>> {
    let mut list = BTreeSet::new();
    for entry in fs::read_dir(TASKS)? {
        list.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    Ok(list)
}

/// What a `status` file says, as far as it is needed.
#[derive(Default)]
struct Status {
    name: String,
    /// `State` is S: it waits for something, and not for the kernel's own sake.
    asleep: bool,
    /// `Tgid`.
    process: Option<u32>,
    /// `VmSize` is there.
    has_memory: bool,
    threads: Option<usize>,
    /// `SigBlk`, which comes last of all these.
    blocked: Option<SignalSet>,
}

impl Status {
    /// `None` if the thread has ended.
    fn read(path: &str) -> io::Result<Option<Status>> {
        unless_ended(Status::read_file(path))
    }

    /// Reads no further than needed: one `read(2)` does, unless the user is in very many groups.
    fn read_file(path: &str) -> io::Result<Status> {
        let mut file = File::open(path)?;
        let (mut text, mut len) = (vec![0; 4096], 0);
        loop {
            let count = file.read(&mut text[len..])?;
            len += count;
            let status = Status::parse(&text[..len]);
            if count == 0 || status.blocked.is_some() {
                return Ok(status);
            }
            if len == text.len() {
                text.resize(2 * len, 0);
            }
        }
    }

    /// A thread's name need not be UTF-8. A line counts once it is whole.
    fn parse(text: &[u8]) -> Status {
        let mut status = Status::default();
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            let Some(colon) = line.iter().position(|&byte| byte == b':') else { continue };
            let [field, value] = [&line[..colon], &line[colon + 1..]];
            let value = match value.strip_suffix(b"\n") {
                Some(value) => value.trim_ascii(),
                None => break,
            };
            let text = || std::str::from_utf8(value).ok();
            match field {
                b"Name" => status.name = String::from_utf8_lossy(value).into(),
                b"State" => status.asleep = value.starts_with(b"S"),
                b"Tgid" => status.process = text().and_then(|text| text.parse().ok()),
                b"VmSize" => status.has_memory = true,
                b"Threads" => status.threads = text().and_then(|text| text.parse().ok()),
                b"SigBlk" => {
                    let bits = text().and_then(|text| u128::from_str_radix(text, 16).ok());
                    status.blocked = bits.map(SignalSet::from_bits);
                    break;
                }
                _ => {}
            }
        }
        status
    }
}

/// Whether the thread is the kernel's own.
fn is_worker(tid: u32) -> io::Result<bool> {
    let stat = unless_ended(fs::read(format!("{TASKS}/{tid}/stat")))?;
    let Some(stat) = stat else { return Ok(false) };
    let stat = String::from_utf8_lossy(&stat);
    // The name stands in parentheses and may hold any character; the flags are the 7th field after.
    let flags = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_ascii_whitespace().nth(6));
    Ok(flags.and_then(|flags| flags.parse::<u64>().ok()).is_some_and(|flags| flags & WORKER != 0))
}

/// `None` if the thread has ended: the file is gone (`ENOENT`), or goes while it is read (`ESRCH`).
fn unless_ended<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(nix::libc::ESRCH) => Ok(None),
        Err(error) => Err(error),
    }
}
