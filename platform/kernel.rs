//! What a thread asks of the system to change what the process does with signals.
//!
//! The order of steps and the accounting stand on this trait, in [`process`](super::process),
//! [`masks`](super::masks) and the backends; [`Os`] is the real thing, and the tests put a simulated
//! kernel in its place, which interleaves threads and fails calls at every one of them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use super::actions::Action;
use super::threads::Record;
use crate::mask::ThreadInfo;
use crate::{Signal, SignalSet};

#[allow(dead_code)] // a backend without delegate threads does not ask for all
pub(super) trait Kernel: Clone + Send + 'static {
    /// What the backend keeps in the state.
    type Shared: Shared;

    /// Whether a received signal has to stay blocked in every thread.
    const MASKED: bool;

    /// The number of this process: [`generation`](super::generation()).
    fn generation(&self) -> u64;

    /// The calling thread's record.
    fn record(&self) -> Arc<Record>;

    /// In a forked child, the record of the thread that forked it, as far as that is known.
    fn forked_record(&self) -> Option<Arc<Record>>;

    /// The calling thread's number, as `/proc` has it.
    fn tid(&self) -> u32;

    /// Runs `change` under the lock of this process' state. The caller has blocked every signal, so
    /// that no handler runs meanwhile, and `change` waits for nothing.
    fn with_state<T>(&self, change: impl FnOnce(&mut State<Self::Shared>) -> T) -> T;

    /// Makes `mask` the calling thread's and returns the one before. What is pending and not in it
    /// acts before this returns.
    fn set_mask(&self, mask: SignalSet) -> io::Result<SignalSet>;

    /// All that a thread of this crate's own blocks for good.
    fn everything(&self) -> SignalSet;

    /// Notes that this crate is about to block signals that a thread did not block before.
    fn note_newly_blocked(&self, set: SignalSet);

    /// Notes what is reserved, without a receiver (`free`) and with one (`received`). A forked child
    /// lets in the former at once, the latter when it drops what it inherited.
    fn note_reserved(&self, free: SignalSet, received: SignalSet);

    /// In a forked child, what was reserved in the process that forked, and had a receiver.
    fn reserved_at_fork(&self) -> SignalSet;

    /// Sleeps while `word` has the value `seen`, until it is [woken](Self::wake), until the time is
    /// over or for no reason at all.
    fn wait(&self, word: &AtomicU32, seen: u32, timeout: Option<Duration>);

    /// Wakes all that wait for `word`.
    fn wake(&self, word: &AtomicU32);

    /// Starts a thread of this crate's own, which begins with the calling thread's mask.
    fn start_thread(&self, run: Box<dyn FnOnce() + Send>) -> io::Result<()>;

    /// A time that never goes back.
    fn now(&self) -> Duration;
}

/// What a backend adds to the state.
pub(super) trait Shared: Default + Send + 'static {
    /// Makes sure that each signal of `owed`, which some thread should let in and can't be made to,
    /// is let in by a thread; of the others only what it has to. Returns what there is no thread for.
    fn unblock_owed<K: Kernel<Shared = Self>>(&mut self, kernel: &K, owed: SignalSet) -> SignalSet;

    /// Waits until no thread of this crate's own lets in any of the set, which was claimed or guarded
    /// before, and no thread is about to unblock any. Returns the threads that have not come so far
    /// in that time: each is inside a handler of the program.
    fn wait_until_blocked<K: Kernel<Shared = Self>>(
        kernel: &K,
        set: SignalSet,
        patience: Duration,
    ) -> Vec<ThreadInfo>;

    /// Has no receiver told of the signal, which this process is about to send to itself to stop by
    /// it. Forgets those that are unread, as the kernel does with stop signals at `CONT`.
    fn pause(&mut self, _signal: Signal) {}

    /// Undoes [`pause`](Self::pause).
    fn resume(&mut self, _signal: Signal) {}
}

/// A stop by a signal that is under way.
pub(super) struct Stop {
    pub(super) signal: Signal,
    /// How many threads have asked for it and are not back.
    pub(super) threads: u32,
    /// The action before, if it was not the default.
    pub(super) earlier: Option<Action>,
}

#[derive(Default)]
pub(super) struct State<B> {
    /// The signals that some receiver of this process has.
    pub(super) claimed: SignalSet,
    /// The threads on which something is open, or which owe something.
    pub(super) threads: Vec<Arc<Record>>,
    /// What receivers may be opened for on any thread: blocked in every one, and let in by one of
    /// this crate's own while there is no receiver.
    pub(super) reserved: SignalSet,
    /// What was due in threads that have ended: they never unblock it.
    pub(super) abandoned: SignalSet,
    /// The numbers of this crate's own threads that block everything.
    #[allow(dead_code)] // where there is no audit that leaves them out
    pub(super) quiet_threads: Vec<u32>,
    /// The stops that are under way.
    pub(super) stops: Vec<Stop>,
    pub(super) backend: B,
}

/// The system that this program runs on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Os;
