//! Waking many tasks of one runtime by one of them.
//!
//! To wake a task from another thread costs tokio a system call, for its runtime may be asleep. So
//! where a signal wakes several tasks of a runtime, the thread that wakes them hands their
//! [`Roster`](super::roster::Roster), whole, to one task of that runtime, the *distributor*, which
//! wakes the others from within, without any.
//!
//! The distributor is a task like those it wakes: where it can't run, neither can they, since a
//! runtime has the same threads for all its tasks. That holds for tasks alone. A waiter with a waker
//! that is not a task's of tokio (a nested executor, the future that `block_on` runs, a thread) is
//! woken directly: it is told by its vtable, which all of tokio's tasks share.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, RawWakerVTable, Waker};

use ::tokio::runtime::{Handle, Id};
use ::tokio::task;

use super::roster::{Call, wake_each};
use crate::platform::PerProcess;

/// A runtime in which tasks wait.
#[derive(Default)]
pub(super) struct Runtime {
    shared: Arc<Shared>,
}

/// What the tasks that wait share with the distributor.
#[derive(Default)]
struct Shared {
    /// The distributor's waker, once it has been polled. It is a task: all its wakers are alike.
    distributor: OnceLock<Waker>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Handed to the distributor, in order.
    woken: Vec<Call>,
    /// The distributor has ended with its runtime, or is to end, for no task waits any more.
    is_over: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock runs code of the program; the state is plain data all the same.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The runtimes in which tasks wait: most programs have one.
type Runtimes = Vec<(Id, Weak<Runtime>)>;

/// An entry goes with the last waiter of its runtime.
static RUNTIMES: PerProcess<Mutex<Runtimes>> = PerProcess::new();

/// The vtable of the wakers of tokio's tasks; null before the first distributor has run.
static TASKS: AtomicPtr<RawWakerVTable> = AtomicPtr::new(ptr::null_mut());

impl Runtime {
    /// The runtime whose task `waker` wakes, if it is that of the task that runs on this thread.
    pub(super) fn of(waker: &Waker) -> Option<Arc<Runtime>> {
        task::try_id()?;
        let handle = Handle::try_current().ok()?;
        // Relaxed: the address is all that counts.
        let tasks = TASKS.load(Ordering::Relaxed);
        let is_known = !tasks.is_null();
        if is_known && !ptr::eq(waker.vtable(), tasks) {
            return None;
        }
        let mut runtimes =
            RUNTIMES.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        let same = runtimes.iter().find(|(id, _)| *id == handle.id());
        if let Some(runtime) = same.and_then(|(_, runtime)| runtime.upgrade()) {
            return is_known.then_some(runtime);
        }
        runtimes.retain(|(_, runtime)| runtime.strong_count() > 0);
        let runtime = Arc::new(Runtime::default());
        runtimes.push((handle.id(), Arc::downgrade(&runtime)));
        drop(runtimes);
        drop(handle.spawn(Distributor { shared: runtime.shared.clone(), woken: Vec::new() }));
        // The first distributor of all has yet to tell what a task's waker is.
        is_known.then_some(runtime)
    }

    /// Has the distributor wake the tasks of the calls, which are its runtime's.
    pub(super) fn hand(&self, calls: impl IntoIterator<Item = Call>) {
        // None if it has not run yet.
        let distributor = self.shared.distributor.get();
        let mut state = self.shared.lock();
        state.woken.extend(calls);
        let distributor = distributor.filter(|_| !state.is_over);
        let mut woken = match distributor {
            None => mem::take(&mut state.woken),
            Some(_) => Vec::new(),
        };
        drop(state);
        match distributor {
            Some(distributor) => distributor.wake_by_ref(),
            None => wake_each(&mut woken),
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // No task waits any more: the distributor ends.
        self.shared.lock().is_over = true;
        if let Some(distributor) = self.shared.distributor.get() {
            distributor.wake_by_ref();
        }
    }
}

/// The task that wakes the others of its runtime.
struct Distributor {
    shared: Arc<Shared>,
    /// Those that it wakes now. The memory is used again.
    woken: Vec<Call>,
}

impl Future for Distributor {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Distributor { shared, woken } = &mut *self;
        if shared.distributor.get().is_none() {
            TASKS.store(ptr::from_ref(cx.waker().vtable()).cast_mut(), Ordering::Relaxed);
            // It has been set by no other: this is the one task of its kind here.
            let _ = shared.distributor.set(cx.waker().clone());
        }
        let mut state = shared.lock();
        mem::swap(&mut state.woken, woken);
        let is_over = state.is_over;
        drop(state);
        wake_each(woken);
        if is_over { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Distributor {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_over = true;
        let mut woken = mem::take(&mut state.woken);
        drop(state);
        // Tasks of a runtime that ends; waking them does nothing, or no harm.
        wake_each(&mut woken);
    }
}
