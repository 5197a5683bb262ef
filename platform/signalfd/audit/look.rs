//! What one look at a thread finds.

use std::io;
use std::time::Instant;

use super::doubt::{Activity, Mask};
use super::stat::Stat;
use super::status::{Status, Text};
use super::tasks::Tasks;
use crate::mask::ThreadInfo;
use crate::{Signal, SignalSet};

pub(super) enum Look {
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

pub(super) fn look(tasks: &Tasks, tid: u32, text: &mut Text, set: SignalSet) -> io::Result<Look> {
    if blocks_plainly(tasks, tid, text, set) {
        return Ok(Look::Blocks);
    }
    match tasks.status(tid, text)? {
        Some(status) => judge(tid, status, text, set),
        None => Ok(Look::Gone),
    }
}

/// Whether the thread's `stat` says so already: it blocks the set, and lets in some of what the C library
/// would have it block while it is born. (That it has ended would make no difference then.) Of any other
/// the status is read, which takes twice as long in all: it has every signal's mask, this the first 31.
fn blocks_plainly(tasks: &Tasks, tid: u32, text: &mut Text, set: SignalSet) -> bool {
    let first = SignalSet::from_bits((1 << 31) - 1);
    let all = first.without(Signal::KILL).without(Signal::STOP);
    // What can't be read here is read next, and is an error there.
    (set - first).is_empty()
        && tasks
            .stat(tid, text)
            .is_ok_and(|stat| (set - stat.blocked).is_empty() && !(all - stat.blocked).is_empty())
}

/// What the status says, which was read from the text.
pub(super) fn judge(tid: u32, status: Status, text: &Text, set: SignalSet) -> io::Result<Look> {
    let has_gone = !status.has_memory || status.threads == Some(0);
    // The first thread: its number is not this process' id, should /proc be of another pid namespace.
    let may_count = !has_gone || text.process() == Some(tid);
    let Some(blocked) = status.blocked.filter(|_| may_count) else { return Ok(Look::Ended) };
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
        let Some(Stat { is_worker, user, system, .. }) = Stat::read(tid)? else {
            return Ok(Look::Gone);
        };
        if !is_worker {
            let (seen, is_asleep) = (Instant::now(), text.is_asleep());
            let activity = Activity { seen, mask, is_asleep, user, system };
            return Ok(Look::BlocksAll { name: text.name(), activity });
        }
    }
    if unblocked.is_empty() {
        return Ok(Look::Blocks);
    }
    Ok(Look::Lets { thread: ThreadInfo { tid, name: text.name(), unblocked } })
}

/// All that a program can block.
fn all() -> SignalSet {
    let numbers = (1..32).chain(Signal::rt(0).map_or(32, Signal::as_raw)..=128);
    let all: SignalSet = numbers.filter_map(Signal::from_raw).collect();
    all.without(Signal::KILL).without(Signal::STOP)
}
