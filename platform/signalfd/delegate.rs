//! Delegate threads: where signals act that their own thread can't be made to let in.
//!
//! A thread's mask is its own. If a receiver is dropped on another thread than the one that opened
//! it, the opener still blocks, and a signal might find no thread to act on: Ctrl-C would be dead.
//! So a thread of this crate's own, which blocks everything else and does nothing, lets it in. It
//! is started when first needed; programs that drop where they opened never see one.
//!
//! The program's handlers run on a delegate, so it may not answer for as long as one of them
//! takes, and no other thread waits for it with the lock. A thread that gives a signal back waits
//! until a delegate lets it in, so that what was pending has acted; if the delegate does not answer
//! in time, it is inside a handler of another signal, and a further one is started.
//!
//! # The handshake
//!
//! | state | means | the delegate |
//! |---|---|---|
//! | `done` = `asked` | its mask lets in `wanted` and no more | sleeps until `asked` changes |
//! | `done` < `asked` | `wanted` was changed; its mask may still let in all of `may_unblock` | sets its mask, or is inside a handler |
//! | `is_late` | it was waited for in vain since, or is waited for without end | is asked for nothing more until it answers |
//!
//! The thread that asks writes `wanted` and then `asked` under the lock of the process' state, so
//! requests come one after another. The delegate takes no lock: it loads `asked`, then `wanted`, sets
//! its mask, and stores the number it loaded into `done`. Should a request come in between, its mask
//! may follow the new `wanted` already while `done` names the old request: then it goes round once
//! more, and sets the same mask again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use crate::SignalSet;
use crate::mask::ThreadInfo;
use crate::platform::atomic_set::AtomicSet;
use crate::platform::kernel::{Kernel, Shared};
use crate::platform::os::THREAD;
use crate::platform::process::{Change, locked_anyhow};
use crate::platform::threads::Record;

/// How long to wait for a delegate before another one is asked.
const ANSWER: Duration = Duration::from_millis(100);

/// How long an opening waits until all have blocked what it claims.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Delegate {
    /// What it is to let in. Written under the lock of the process' state.
    wanted: AtomicSet,
    /// How often `wanted` was written. Increased after it (Release) and loaded before it (Acquire): a
    /// delegate that sees the number sees the set that it counts, or a later one.
    asked: AtomicU32,
    /// Up to which of these its mask follows. Stored after the mask was set (Release), and loaded by
    /// a thread that waits (Acquire): what a handler wrote that ran until then, that thread sees.
    done: AtomicU32,
    /// What it lets in, or may for a moment, since it was asked to once and has not answered a later
    /// request. Written under the lock.
    may_unblock: AtomicSet,
    /// It did not answer in time, and has not since; or it is new, and a thread waits for its first
    /// answer without end. Relaxed: a hint, which decides only whether
    /// this delegate or a further one is asked.
    is_late: AtomicBool,
    /// Its number, once it runs: 0 until then. Stored before the first `done` (Release), so a thread
    /// that has waited for that leaves this delegate out of its audit.
    tid: AtomicU32,
}

impl Delegate {
    /// Tells it what to let in. Under the lock.
    fn ask<K: Kernel>(&self, kernel: &K, wanted: SignalSet) {
        if self.wanted.get() != wanted {
            self.may_unblock.set(self.may_unblock() | wanted);
            self.wanted.set(wanted);
            self.asked.fetch_add(1, Ordering::Release);
            kernel.wake(&self.asked);
        }
    }

    /// What it lets in, or may for a moment. Under the lock.
    fn may_unblock(&self) -> SignalSet {
        if self.has_done(self.asked.load(Ordering::Acquire)) {
            self.wanted.get()
        } else {
            self.may_unblock.get()
        }
    }

    /// Whether its mask follows what was asked by then.
    fn has_done(&self, asked: u32) -> bool {
        self.done.load(Ordering::Acquire).wrapping_sub(asked) < u32::MAX / 2
    }

    /// Waits until its mask follows what was asked by then; not so if the time is over first.
    fn wait<K: Kernel>(&self, kernel: &K, asked: u32, deadline: Option<Duration>) -> bool {
        loop {
            let seen = self.done.load(Ordering::Acquire);
            if self.has_done(asked) {
                return true;
            }
            let left = deadline.map(|deadline| deadline.saturating_sub(kernel.now()));
            if left == Some(Duration::ZERO) {
                return false;
            }
            kernel.wait(&self.done, seen, left);
        }
    }

    /// The thread, which never ends. It begins with everything blocked, and has no lock and touches
    /// none while it lets anything in.
    fn run<K: Kernel>(&self, kernel: &K) {
        self.tid.store(kernel.tid(), Ordering::Release);
        loop {
            let asked = self.asked.load(Ordering::Acquire);
            let wanted = self.wanted.get();
            // What is pending acts before this returns. It fails for a moment at most: the system
            // let this process block signals before.
            while kernel.set_mask(kernel.everything() - wanted).is_err() {}
            self.is_late.store(false, Ordering::Relaxed);
            self.done.store(asked, Ordering::Release);
            kernel.wake(&self.done);
            while self.asked.load(Ordering::Acquire) == asked {
                kernel.wait(&self.asked, asked, None);
            }
        }
    }
}

/// What the backend keeps in the state of the process.
#[derive(Default)]
pub(in crate::platform) struct Delegates(Vec<Arc<Delegate>>);

impl Delegates {
    /// Their numbers, as far as they run.
    pub(super) fn tids(&self) -> impl Iterator<Item = u32> {
        let tids = self.0.iter().map(|delegate| delegate.tid.load(Ordering::Acquire));
        tids.filter(|&tid| tid != 0)
    }

    /// Of those that have not answered: the number, and what may be let in until then.
    #[cfg(all(test, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    pub(super) fn unanswered(&self) -> impl Iterator<Item = (u32, SignalSet)> {
        let unanswered =
            |delegate: &&Arc<Delegate>| !delegate.has_done(delegate.asked.load(Ordering::Acquire));
        let delegates = self.0.iter().filter(unanswered);
        delegates.map(|delegate| (delegate.tid.load(Ordering::Acquire), delegate.may_unblock()))
    }

    /// Of each, the address that a thread waits at, and the number.
    #[cfg(all(test, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    pub(super) fn words(&self) -> impl Iterator<Item = (usize, u32)> {
        let word = |delegate: &Arc<Delegate>| std::ptr::from_ref(&delegate.done).addr();
        self.0.iter().map(move |delegate| (word(delegate), delegate.tid.load(Ordering::Acquire)))
    }

    /// Starts a delegate that lets in the set.
    fn start<K: Kernel>(&mut self, kernel: &K, set: SignalSet) -> io::Result<Arc<Delegate>> {
        let delegate = Arc::new(Delegate::default());
        delegate.wanted.set(set);
        delegate.may_unblock.set(set);
        delegate.asked.store(1, Ordering::Release);
        let (thread, own) = (delegate.clone(), kernel.clone());
        kernel.start_thread(Box::new(move || thread.run(&own)))?;
        self.0.push(delegate.clone());
        Ok(delegate)
    }
}

impl Shared for Delegates {
    fn unblock_owed<K: Kernel<Shared = Self>>(&mut self, kernel: &K, owed: SignalSet) -> SignalSet {
        let mut missing = owed;
        for delegate in &self.0 {
            let wanted = delegate.wanted.get() & owed;
            delegate.ask(kernel, wanted);
            missing -= wanted;
        }
        if missing.is_empty() {
            return SignalSet::EMPTY;
        }
        let in_time = self.0.iter().find(|delegate| !delegate.is_late.load(Ordering::Relaxed));
        if let Some(delegate) = in_time {
            delegate.ask(kernel, delegate.wanted.get() | missing);
            return SignalSet::EMPTY;
        }
        if self.start(kernel, missing).is_ok() { SignalSet::EMPTY } else { missing }
    }

    fn wait_until_blocked<K: Kernel<Shared = Self>>(
        kernel: &K,
        set: SignalSet,
        patience: Duration,
    ) -> Vec<ThreadInfo> {
        wait_for(kernel, set, locked_anyhow(kernel, |change| busy(change, set)), patience)
    }
}

/// The threads that let in some of the set, which was claimed or guarded before under this lock, or
/// are about to unblock some; each with what it is of the set.
pub(super) fn busy<K: Kernel<Shared = Delegates>>(
    change: &Change<'_, K>,
    set: SignalSet,
) -> Vec<(SignalSet, Busy)> {
    let mut busy = Vec::new();
    for thread in &change.state.threads {
        let unblocking = thread.unblocking.get() & set;
        if !unblocking.is_empty() && !Arc::ptr_eq(change.own, thread) {
            busy.push((unblocking, Busy::Thread(thread.clone())));
        }
    }
    // What a delegate lets in for good is not this caller's to wait for: only `wanted` says so,
    // and that has none of a claimed set.
    for delegate in &change.state.backend.0 {
        let asked = delegate.asked.load(Ordering::Acquire);
        let unblocked = delegate.may_unblock() & set;
        if !unblocked.is_empty() {
            busy.push((unblocked, Busy::Delegate(delegate.clone(), asked)));
        }
    }
    busy
}

/// Waits until these threads have blocked the set. Returns those that have not in that time: each is
/// inside a handler of the program.
pub(super) fn wait_for<K: Kernel>(
    kernel: &K,
    set: SignalSet,
    busy: Vec<(SignalSet, Busy)>,
    patience: Duration,
) -> Vec<ThreadInfo> {
    if busy.is_empty() {
        return Vec::new();
    }
    let deadline = kernel.now() + patience;
    let mut stuck = Vec::new();
    for (unblocked, busy) in busy {
        if !busy.wait(kernel, set, deadline) {
            stuck.push(busy.info(unblocked));
        }
    }
    stuck
}

/// The delegates that are to let in some of the set and may not do so yet, each with the number of
/// the request.
pub(super) fn unanswered<K: Kernel<Shared = Delegates>>(
    change: &Change<'_, K>,
    set: SignalSet,
) -> Vec<(Arc<Delegate>, u32)> {
    let mut unanswered = Vec::new();
    for delegate in &change.state.backend.0 {
        let asked = delegate.asked.load(Ordering::Acquire);
        if !(delegate.wanted.get() & set).is_empty() && !delegate.has_done(asked) {
            unanswered.push((delegate.clone(), asked));
        }
    }
    unanswered
}

/// Waits until these delegates let in what they are to of the set, so that what was pending has
/// acted: a signal's own handler is waited for, another signal's is not.
pub(super) fn wait_until_unblocked<K: Kernel<Shared = Delegates>>(
    kernel: &K,
    set: SignalSet,
    unanswered: Vec<(Arc<Delegate>, u32)>,
) {
    if unanswered.is_empty() {
        return;
    }
    let deadline = kernel.now() + ANSWER;
    for (delegate, asked) in unanswered {
        if delegate.wait(kernel, asked, Some(deadline)) {
            continue;
        }
        let other = locked_anyhow(kernel, |change| {
            let stuck = delegate.wanted.get() & set;
            if delegate.has_done(asked) || stuck.is_empty() {
                return None;
            }
            delegate.is_late.store(true, Ordering::Relaxed);
            // Where no thread is to be had, this one will get to it.
            let other = change.state.backend.start(change.kernel, stuck).ok()?;
            // It is waited for however long its handlers take: none of another signal's may run first.
            other.is_late.store(true, Ordering::Relaxed);
            delegate.ask(change.kernel, delegate.wanted.get() - stuck);
            Some(other)
        });
        if let Some(other) = other {
            other.wait(kernel, 1, None);
        }
    }
}

/// A thread that still lets in signals that it must not, or is about to.
pub(super) enum Busy {
    /// Until it has done what it was asked as the so manieth.
    Delegate(Arc<Delegate>, u32),
    Thread(Arc<Record>),
}

impl Busy {
    /// Waits until the thread has come so far; not so if the time is over first.
    fn wait<K: Kernel>(&self, kernel: &K, set: SignalSet, deadline: Duration) -> bool {
        match self {
            Busy::Delegate(delegate, asked) => delegate.wait(kernel, *asked, Some(deadline)),
            Busy::Thread(thread) => {
                let (idle, step) = (AtomicU32::new(0), Duration::from_millis(1));
                while !(thread.unblocking.get() & set).is_empty() {
                    if kernel.now() >= deadline {
                        return false;
                    }
                    kernel.wait(&idle, 0, Some(step));
                }
                true
            }
        }
    }

    fn info(&self, unblocked: SignalSet) -> ThreadInfo {
        let (tid, name) = match self {
            Busy::Delegate(delegate, _) => (delegate.tid.load(Ordering::Acquire), THREAD.into()),
            Busy::Thread(thread) => {
                let tid = thread.tid.load(Ordering::Relaxed);
                (tid, name(tid))
            }
        };
        ThreadInfo { tid, name, unblocked }
    }
}

fn name(tid: u32) -> String {
    let name = std::fs::read_to_string(format!("/proc/self/task/{tid}/comm"));
    name.map(|name| name.trim_end().into()).unwrap_or_default()
}
