//! The system that this program runs on, as a [`Kernel`].

use std::cell::Cell;
use std::ffi::c_void;
use std::io;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::atomic_set::AtomicSet;
use super::kernel::{Kernel, Os, State};
use super::per_process::PerProcess;
use super::process::end_thread;
use super::threads::Record;
use super::{backend, generation};
use crate::SignalSet;

/// What a thread keeps while it lives.
struct Slot {
    record: Arc<Record>,
    /// How often the C library has come by at the thread's end.
    rounds: Cell<u32>,
}

thread_local! {
    /// The thread's slot, or null. It has no destructor, so it can be read at any time.
    static SLOT: Cell<*const Slot> = const { Cell::new(ptr::null()) };
}

/// The C library calls a key's destructor after those of thread-local values, and once more for each
/// time that it sets the value again, four times at least. Where thread-local values are destroyed
/// that way themselves, they have ended after so many rounds.
const ROUNDS: u32 = 2;

/// What this crate ever blocked newly in some thread. Never cleared: a thread that was born while
/// a receiver was open goes on blocking after the receiver has gone.
static NEWLY_BLOCKED: AtomicSet = AtomicSet::new();

pub(super) fn newly_blocked() -> SignalSet {
    NEWLY_BLOCKED.get()
}

/// The key whose destructor tells that a thread ends, plus one; 0 before the first use.
static KEY: AtomicUsize = AtomicUsize::new(0);

fn key() -> Option<libc::pthread_key_t> {
    // Relaxed: the key is the number itself.
    let mut seen = KEY.load(Ordering::Relaxed);
    if seen == 0 {
        let mut new = 0;
        // SAFETY: `new` is a key to write to, and `end` takes what is set for it.
        if unsafe { libc::pthread_key_create(&mut new, Some(end)) } != 0 {
            return None; // then threads end unnoticed, and what they owe is owed for ever
        }
        let number = usize::try_from(new).ok()? + 1;
        match KEY.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => {
                seen = number;
                // Hooks run in the order in which they were registered: in the child, the one that
                // ends the parent's generation comes first.
                generation::generation();
                // SAFETY: the hook does what a forked child of many threads may do: it reads a
                // thread-local pointer, and counts and writes atomic integers.
                unsafe { libc::pthread_atfork(None, None, Some(note_fork)) };
            }
            Err(other) => {
                // SAFETY: no other thread has seen the key.
                unsafe { libc::pthread_key_delete(new) };
                seen = other;
            }
        }
    }
    libc::pthread_key_t::try_from(seen - 1).ok()
}

/// Has the C library call [`end`] with the slot.
fn set_slot(slot: *const Slot) {
    if let Some(key) = key() {
        // SAFETY: the key was created above; without memory for it, the thread ends unnoticed.
        unsafe { libc::pthread_setspecific(key, slot.cast()) };
    }
}

unsafe extern "C" fn end(slot: *mut c_void) {
    let slot = slot.cast::<Slot>().cast_const();
    {
        // SAFETY: the slot of this thread, which is freed below and nowhere else.
        let slot = unsafe { &*slot };
        if slot.rounds.replace(slot.rounds.get() + 1) < ROUNDS {
            return set_slot(slot);
        }
        end_thread(&Os, &slot.record);
    }
    SLOT.set(ptr::null());
    // SAFETY: it came from `Box::into_raw`, and no reference to it is left.
    drop(unsafe { Box::from_raw(slot.cast_mut()) });
}

fn own_slot() -> &'static Slot {
    if SLOT.get().is_null() {
        let record = if has_forked() { Os.forked_record() } else { None };
        let slot = Box::new(Slot { record: record.unwrap_or_default(), rounds: Cell::new(0) });
        let slot = Box::into_raw(slot).cast_const();
        SLOT.set(slot);
        set_slot(slot);
    }
    // SAFETY: not null, so the slot of this thread, which lives until the thread's end; the
    // reference is used up before by the callers below.
    unsafe { &*SLOT.get() }
}

/// What the calling thread has put back: for a child between fork and exec, which allocates nothing.
pub(super) fn restored() -> SignalSet {
    // SAFETY: null, or the slot of this thread.
    unsafe { SLOT.get().as_ref() }.map_or(SignalSet::EMPTY, |slot| slot.record.restored())
}

/// In a forked child: the record of the thread that forked, or null if it had none; the address of
/// its own `SLOT`; and the process that this was noted in.
static FORKED: AtomicPtr<Record> = AtomicPtr::new(ptr::null_mut());
static FORKED_BY: AtomicUsize = AtomicUsize::new(0);
static FORKED_IN: AtomicU64 = AtomicU64::new(0);

/// Where the calling thread's slot is noted: tells it from all other threads that live.
fn address() -> usize {
    SLOT.with(|slot| ptr::from_ref(slot).addr())
}

/// What is reserved and has no receiver, and what has one.
static RESERVED: AtomicSet = AtomicSet::new();
static RESERVED_AND_RECEIVED: AtomicSet = AtomicSet::new();

/// In a forked child: what was reserved and had a receiver in the process that forked, or in those
/// before. Never cleared, for what was inherited may be dropped at any time.
static RESERVED_AT_FORK: AtomicSet = AtomicSet::new();

/// In a forked child, on its only thread: notes which thread forked, and lets in what a delegate
/// thread of the parent's let in for the whole process, since the child has no such thread.
extern "C" fn note_fork() {
    // SAFETY: null, or the slot of this thread.
    let record = match unsafe { SLOT.get().as_ref() } {
        // Counted for ever: a fork leaves one record behind.
        Some(slot) => Arc::into_raw(slot.record.clone()),
        None => ptr::null(),
    };
    // Another thread of the child sees the record if it sees the number.
    FORKED.store(record.cast_mut(), Ordering::Relaxed);
    FORKED_BY.store(address(), Ordering::Relaxed);
    FORKED_IN.store(generation::generation(), Ordering::Release);
    RESERVED_AT_FORK.insert(RESERVED_AND_RECEIVED.get());
    RESERVED_AND_RECEIVED.set(SignalSet::EMPTY);
    let reserved = RESERVED.get();
    RESERVED.set(SignalSet::EMPTY);
    if reserved.is_empty() {
        return;
    }
    // SAFETY: null, or the slot of this thread.
    let slot = unsafe { SLOT.get().as_ref() };
    let guarded = slot.map_or(SignalSet::EMPTY, |slot| slot.record.guarded());
    // The last guard lets it in then.
    if let Some(slot) = slot {
        slot.record.block(reserved & guarded);
    }
    if let Ok(mask) = backend::set_mask(SignalSet::from_bits(u128::MAX)) {
        let _ = backend::set_mask(mask - (reserved - guarded));
    }
}

/// Whether the calling thread forked this process.
fn has_forked() -> bool {
    let is_known = FORKED_IN.load(Ordering::Acquire) == generation::generation();
    is_known && FORKED_BY.load(Ordering::Relaxed) == address()
}

impl Kernel for Os {
    type Shared = backend::Shared;

    const MASKED: bool = backend::MASKED;

    fn generation(&self) -> u64 {
        generation::generation()
    }

    fn record(&self) -> Arc<Record> {
        own_slot().record.clone()
    }

    fn forked_record(&self) -> Option<Arc<Record>> {
        if FORKED_IN.load(Ordering::Acquire) != self.generation() {
            // A bare system call forked, and no hook ran. Who forked is the child's first thread.
            return backend::is_first_thread().then(|| self.record());
        }
        // Acquire, with the Release below: a record is complete before its address is seen.
        let mut record = FORKED.load(Ordering::Acquire).cast_const();
        if record.is_null() {
            // The thread that forked had never called this crate. Another one may do so first.
            let new = Arc::into_raw(Arc::<Record>::default());
            let (null, order) = (ptr::null_mut(), (Ordering::AcqRel, Ordering::Acquire));
            record = new;
            if let Err(other) = FORKED.compare_exchange(null, new.cast_mut(), order.0, order.1) {
                record = other.cast_const();
                // SAFETY: it came from `Arc::into_raw`, and no other thread has seen it.
                drop(unsafe { Arc::from_raw(new) });
            }
        }
        // SAFETY: it came from `Arc::into_raw` and is never given up.
        unsafe { Arc::increment_strong_count(record) };
        // SAFETY: as above; the count is this one's.
        Some(unsafe { Arc::from_raw(record) })
    }

    fn tid(&self) -> u32 {
        backend::tid()
    }

    fn with_state<T>(&self, change: impl FnOnce(&mut State<backend::Shared>) -> T) -> T {
        // A panic under the lock is a bug of ours; the state is plain data all the same.
        change(&mut STATE.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_mask(&self, mask: SignalSet) -> io::Result<SignalSet> {
        backend::set_mask(mask)
    }

    fn everything(&self) -> SignalSet {
        backend::everything()
    }

    fn note_newly_blocked(&self, set: SignalSet) {
        NEWLY_BLOCKED.insert(set);
    }

    fn note_reserved(&self, free: SignalSet, received: SignalSet) {
        // Another thread may fork in between: in neither set, a signal would stay blocked in the
        // child for good. Relaxed order will do, for the child's thread sees what its parent's saw.
        RESERVED_AND_RECEIVED.insert(received);
        RESERVED.set(free);
        RESERVED_AND_RECEIVED.set(received);
    }

    fn reserved_at_fork(&self) -> SignalSet {
        RESERVED_AT_FORK.get()
    }

    fn wait(&self, word: &AtomicU32, seen: u32, timeout: Option<Duration>) {
        backend::wait(word, seen, timeout);
    }

    fn wake(&self, word: &AtomicU32) {
        backend::wake(word);
    }

    fn start_thread(&self, run: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        spawn(THREAD, run)
    }

    fn now(&self) -> Duration {
        // Relaxed: any thread's first call will do.
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }
}

/// The name of this crate's own threads, by which an audit's error calls them.
pub(crate) const THREAD: &str = "signal-source";

/// Starts a thread with this thread's mask. What the standard library does around it is compiled once.
fn spawn(name: &str, run: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    thread::Builder::new().name(name.into()).spawn(run).map(drop)
}

/// Starts a thread of this crate's own that blocks every signal, and that no audit looks at.
#[cfg(feature = "tokio")]
pub(crate) fn start_quiet_thread(name: &str, run: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    let quiet = move || {
        let done = Os.set_mask(Os.everything());
        debug_assert!(done.is_ok(), "the thread that started this one changed its mask");
        let tid = Os.tid();
        Os.with_state(|state| state.quiet_threads.push(tid));
        run();
        Os.with_state(|state| state.quiet_threads.retain(|&other| other != tid));
    };
    // It begins with this thread's mask, which is full under the lock.
    super::process::locked(&Os, |_| spawn(name, Box::new(quiet)))?
}

static STATE: PerProcess<Mutex<State<backend::Shared>>> = PerProcess::new();

/// The signals that some receiver of this process has.
#[cfg(feature = "tokio")]
pub(crate) fn claimed() -> SignalSet {
    super::process::locked_anyhow(&Os, |change| change.state.claimed())
}
