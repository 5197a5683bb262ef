//! The audit: which other threads do not block a set, read from `/proc` ([`proc(5)`]).
//!
//! [`proc(5)`]: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
//!
//! Three things mislead a reader of `/proc/self/task`, and each is met here:
//!
//! - The C library blocks *everything* around the making and ending of a thread, its own signals
//!   32 and 33 too. Such a mask says nothing: look again. The kernel's own workers (io_uring) look
//!   like that for good, and never take a signal.
//! - A thread that has ended may still be listed. It does not count, except the process' first one:
//!   whether a signal is ignored is decided by its mask even after its end.
//! - Listing can stop early when the thread that it stands on ends. So a list counts only if every
//!   thread on it was read, the kernel's count of threads is the same, and a second list is equal.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::time::{Duration, Instant};

use crate::mask::ThreadInfo;
use crate::{Signal, SignalSet};

const TASKS: &str = "/proc/self/task";

/// How long to look again before giving up.
const PATIENCE: Duration = Duration::from_secs(1);

/// Flags of `/proc/.../stat`: a worker of io_uring, of vhost, and of the kernel itself.
const WORKER: u64 = 0x10 | 0x4000 | 0x20_0000;

/// The other threads that do not block `set`, without thread `except`; `None` where `/proc` is not
/// mounted.
///
/// # Errors
///
/// If `/proc` can't be read, or threads come and go so fast that no list is ever complete.
pub(super) fn unblocked_threads(
    set: SignalSet,
    except: Option<u32>,
) -> io::Result<Option<Vec<ThreadInfo>>> {
    let deadline = Instant::now() + PATIENCE;
    let mut audit = Audit { set, blocking: except.into_iter().collect() };
    let mut list = match threads() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        list => list?,
    };
    loop {
        let pass = audit.pass(&list)?;
        if !pass.offenders.is_empty() {
            return Ok(Some(pass.offenders));
        }
        let again = threads()?;
        if pass.unsettled.is_none() && again == list && pass.count == Some(list.len()) {
            return Ok(Some(Vec::new()));
        }
        if Instant::now() > deadline {
            let culprit = pass.unsettled.unwrap_or_else(|| "new ones".into());
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!(
                    "the audit of this process' threads found no quiet moment within a second, \
                     because of {culprit}: open the receiver before starting threads, or open it \
                     with Signals::builder().audit(false)"
                ),
            ));
        }
        list = again;
    }
}

struct Audit {
    set: SignalSet,
    /// Threads that were seen to block the set. They are not read again: the threads they start
    /// inherit the block.
    blocking: BTreeSet<u32>,
}

#[derive(Default)]
struct Pass {
    offenders: Vec<ThreadInfo>,
    /// A thread that has to be looked at again.
    unsettled: Option<String>,
    /// The number of threads, as the kernel counts them; read after the list.
    count: Option<usize>,
}

impl Audit {
    fn pass(&mut self, list: &BTreeSet<u32>) -> io::Result<Pass> {
        let mut pass = Pass::default();
        for &tid in list.difference(&self.blocking.clone()) {
            match look(tid, self.set)? {
                Look::Blocks { count } => {
                    self.blocking.insert(tid);
                    pass.count = count.or(pass.count);
                }
                Look::Lets { thread } => pass.offenders.push(thread),
                Look::Again { name } => pass.unsettled = Some(format!("thread {tid} ({name})")),
                Look::Gone => pass.unsettled = Some(format!("thread {tid}, which has ended")),
            }
        }
        if pass.count.is_none() {
            pass.count = Status::read("/proc/self/status")?.and_then(|status| status.threads());
        }
        Ok(pass)
    }
}

enum Look {
    Blocks { count: Option<usize> },
    Lets { thread: ThreadInfo },
    Again { name: String },
    Gone,
}

fn look(tid: u32, set: SignalSet) -> io::Result<Look> {
    let Some(status) = Status::read(&format!("{TASKS}/{tid}/status"))? else {
        return Ok(Look::Gone);
    };
    let is_first = tid == std::process::id();
    let has_gone = status.field("VmSize").is_none() || status.threads() == Some(0);
    let blocked = match status.blocked() {
        Some(blocked) if is_first || !has_gone => blocked,
        _ => return Ok(Look::Gone),
    };
    let name = status.field("Name").unwrap_or_default().to_owned();
    // 32 is the C library's own in each of them; a program can't block it through its functions.
    let between = !has_gone && Signal::from_raw(32).is_some_and(|libc| blocked.contains(libc));
    if between && !is_worker(tid)? {
        return Ok(Look::Again { name });
    }
    let unblocked = set - blocked;
    if unblocked.is_empty() {
        return Ok(Look::Blocks { count: status.threads() });
    }
    Ok(Look::Lets { thread: ThreadInfo { tid, name, unblocked } })
}

/// The threads that are listed now.
fn threads() -> io::Result<BTreeSet<u32>> {
    let mut list = BTreeSet::new();
    for entry in fs::read_dir(TASKS)? {
        list.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    Ok(list)
}

/// The text of a `status` file.
struct Status(String);

impl Status {
    /// `None` if the thread has ended.
    fn read(path: &str) -> io::Result<Option<Status>> {
        // A thread's name need not be UTF-8.
        read(path).map(|bytes| bytes.map(|bytes| Status(String::from_utf8_lossy(&bytes).into())))
    }

    fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.0.lines();
        lines.find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
    }

    fn threads(&self) -> Option<usize> {
        self.field("Threads")?.parse().ok()
    }

    fn blocked(&self) -> Option<SignalSet> {
        u128::from_str_radix(self.field("SigBlk")?, 16).ok().map(SignalSet::from_bits)
    }
}

/// Whether the thread is the kernel's own.
fn is_worker(tid: u32) -> io::Result<bool> {
    let Some(stat) = read(&format!("{TASKS}/{tid}/stat"))? else { return Ok(false) };
    let stat = String::from_utf8_lossy(&stat);
    // The name stands in parentheses and may hold any character; the flags are the 7th field after.
    let flags = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_ascii_whitespace().nth(6));
    Ok(flags.and_then(|flags| flags.parse::<u64>().ok()).is_some_and(|flags| flags & WORKER != 0))
}

/// A file of `/proc`, or `None` if its thread has ended (`ENOENT`, or `ESRCH` while reading).
fn read(path: &str) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(nix::libc::ESRCH) => Ok(None),
        Err(error) => Err(error),
    }
}
