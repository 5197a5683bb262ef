//! Waking many tasks of one runtime by one of them.
//!
//! To wake a task from another thread costs tokio a system call, for its runtime may be asleep. So
//! where a signal wakes many tasks of a runtime, the thread that wakes them hands them to one task
//! of that runtime, the *distributor*, which wakes the others from within, without any.
//!
//! The distributor is a task like those it wakes: where it can't run, neither can they, since a
//! runtime has the same threads for all its tasks. That holds for tasks alone. A waker that is not a
//! task's of tokio (a nested executor, the future that `block_on` runs, another runtime's) is woken
//! directly: it is told by its vtable, which all of tokio's tasks share.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, RawWakerVTable, Wake, Waker};

use ::tokio::runtime::{Handle, Id};
use ::tokio::task;

use super::reader::drop_all;
use crate::platform::PerProcess;

/// A runtime in which tasks wait, with those of them that are to be woken.
#[derive(Default)]
struct Runtime {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Of the distributor, once it has been polled; none after it has ended with its runtime.
    distributor: Option<Waker>,
    /// Handed to the distributor, in order.
    woken: Vec<Arc<Handed>>,
}

/// The runtimes in which tasks wait. An entry goes with the last waker of its runtime.
static RUNTIMES: PerProcess<Mutex<HashMap<Id, Weak<Runtime>>>> = PerProcess::new();

thread_local! {
    static TOGETHER: Together =
        const { Together { is_going_on: Cell::new(false), runtimes: RefCell::new(Vec::new()) } };
}

/// Wakers that this thread wakes together.
struct Together {
    is_going_on: Cell<bool>,
    /// The runtimes whose distributor has to be woken in the end.
    runtimes: RefCell<Vec<Arc<Runtime>>>,
}

impl Runtime {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock runs code of the program; the state is plain data all the same.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The runtime of the task that runs on this thread, if one does.
    fn current() -> Option<Arc<Runtime>> {
        task::try_id()?;
        let handle = Handle::try_current().ok()?;
        let mut runtimes =
            RUNTIMES.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = runtimes.get(&handle.id()).and_then(Weak::upgrade) {
            return Some(runtime);
        }
        runtimes.retain(|_, runtime| runtime.strong_count() > 0);
        let runtime = Arc::new(Runtime::default());
        runtimes.insert(handle.id(), Arc::downgrade(&runtime));
        drop(runtimes);
        drop(handle.spawn(Distributor { runtime: Arc::downgrade(&runtime) }));
        Some(runtime)
    }

    /// Hands a task to the distributor, and returns it if that can't be.
    fn hand(task: Arc<Handed>) -> Option<Arc<Handed>> {
        let mut task = Some(task);
        // Where thread-local values are destroyed already, each is woken directly.
        let _ = TOGETHER.try_with(|together| {
            if together.is_going_on.get() {
                task = task.take().and_then(|task| Runtime::note(task, together));
            }
        });
        task
    }

    fn note(task: Arc<Handed>, together: &Together) -> Option<Arc<Handed>> {
        let runtime = &task.runtime;
        let mut state = runtime.lock();
        let is_task = |distributor: &Waker| ptr::eq(distributor.vtable(), task.task.vtable());
        if !state.distributor.as_ref().is_some_and(is_task) {
            drop(state);
            return Some(task);
        }
        if state.woken.is_empty() {
            together.runtimes.borrow_mut().push(runtime.clone());
        }
        // Counted once more: the lock stands on the one that is given up here, outside of it.
        state.woken.push(task.clone());
        drop(state);
        None
    }

    /// Has the distributor wake what was handed to it.
    fn wake_distributor(&self) {
        let mut state = self.lock();
        let waker = match (&state.distributor, state.woken.len()) {
            // One alone is woken directly; and all are whose distributor has gone meanwhile.
            (Some(distributor), 2..) => distributor.clone(),
            _ => {
                let mut woken = mem::take(&mut state.woken);
                drop(state);
                return wake_tasks(&mut woken);
            }
        };
        drop(state);
        waker.wake();
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // No task waits any more: the distributor ends.
        let distributor = mem::take(&mut self.lock().distributor);
        if let Some(distributor) = distributor {
            distributor.wake();
        }
    }
}

/// The task that wakes the others of its runtime.
struct Distributor {
    runtime: Weak<Runtime>,
}

impl Future for Distributor {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(runtime) = self.runtime.upgrade() else { return Poll::Ready(()) };
        let waker = cx.waker().clone();
        let mut state = runtime.lock();
        let earlier = state.distributor.replace(waker);
        let mut woken = mem::take(&mut state.woken);
        drop(state);
        wake_tasks(&mut woken);
        drop_all(&mut earlier.into_iter().collect());
        // The memory is used again.
        let mut state = runtime.lock();
        if state.woken.is_empty() {
            mem::swap(&mut state.woken, &mut woken);
        }
        Poll::Pending
    }
}

impl Drop for Distributor {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.upgrade() else { return };
        let mut state = runtime.lock();
        let distributor = state.distributor.take();
        let mut woken = mem::take(&mut state.woken);
        drop(state);
        // Tasks of a runtime that ends; waking them does nothing, or no harm.
        wake_tasks(&mut woken);
        drop(distributor);
    }
}

/// A waker that hands a task to its runtime's distributor, if it is woken together with others.
struct Handed {
    task: Waker,
    runtime: Arc<Runtime>,
}

impl Wake for Handed {
    fn wake(self: Arc<Self>) {
        if let Some(task) = Runtime::hand(self) {
            task.task.wake_by_ref();
        }
    }
}

/// Wakes each task. One that panics keeps no other from being woken.
fn wake_tasks(tasks: &mut Vec<Arc<Handed>>) {
    for task in tasks.drain(..) {
        let _ = catch_unwind(AssertUnwindSafe(|| task.task.wake_by_ref()));
        let _ = catch_unwind(AssertUnwindSafe(|| drop(task)));
    }
}

/// The vtable of this crate's own wakers; null before the first.
static OWN: AtomicPtr<RawWakerVTable> = AtomicPtr::new(ptr::null_mut());

/// Whether the waker is one of this crate's own: cloning it counts, and runs no code of the program.
/// To drop it may.
pub(super) fn is_own(waker: &Waker) -> bool {
    // Relaxed: the address is all that counts.
    ptr::eq(waker.vtable(), OWN.load(Ordering::Relaxed))
}

/// A waker of the same task as the last one, to be kept where that waits again and again.
#[derive(Default)]
pub(super) struct Wakers {
    last: Option<(Waker, Waker)>,
}

impl Wakers {
    /// What to wait with in place of `waker`, which is the current task's.
    pub(super) fn of<'a>(&'a mut self, waker: &'a Waker) -> &'a Waker {
        if !self.last.as_ref().is_some_and(|(task, _)| task.will_wake(waker)) {
            let Some(runtime) = Runtime::current() else { return waker };
            let handed = Waker::from(Arc::new(Handed { task: waker.clone(), runtime }));
            OWN.store(ptr::from_ref(handed.vtable()).cast_mut(), Ordering::Relaxed);
            self.last = Some((waker.clone(), handed));
        }
        self.last.as_ref().map_or(waker, |(_, handed)| handed)
    }
}

/// Runs `wake`, and then has each distributor wake what `wake` has handed to it.
pub(super) fn together(wake: impl FnOnce()) {
    // A waker may run anything, and come by here again: then the first is the one that ends it.
    let is_first = TOGETHER.try_with(|together| !together.is_going_on.replace(true));
    wake();
    if is_first != Ok(true) {
        return;
    }
    let next = || {
        let next = TOGETHER.try_with(|together| {
            let next = together.runtimes.borrow_mut().pop();
            together.is_going_on.set(next.is_some());
            next
        });
        next.ok().flatten()
    };
    while let Some(runtime) = next() {
        runtime.wake_distributor();
    }
}
