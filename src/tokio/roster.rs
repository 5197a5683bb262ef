//! Tasks of tokio that wait for the same, again and again.
//!
//! They stay on a shared roster while they wait, are woken and wait again: so to wake them costs the
//! waker one count for all, and to wait again costs them none. Each task tells itself in which
//! *generation* it waits, and one that does not wait in the generation that is woken is passed over.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;

use super::local::Runtime;
use super::sync::AtomicU64;

/// A task, for one subscriber.
pub(super) struct Task {
    waker: Waker,
    runtime: Arc<Runtime>,
    /// The generation in which it waits; 0 for none.
    waits: AtomicU64,
}

impl Task {
    pub(super) fn new(waker: Waker, runtime: Arc<Runtime>) -> Task {
        Task { waker, runtime, waits: AtomicU64::new(0) }
    }

    pub(super) fn will_wake(&self, waker: &Waker) -> bool {
        self.waker.will_wake(waker)
    }

    /// Relaxed: see [`Turn`](super::hub::turn::Turn).
    pub(super) fn waits(&self) -> u64 {
        self.waits.load(Ordering::Relaxed)
    }

    pub(super) fn set_waits(&self, generation: u64) {
        self.waits.store(generation, Ordering::Relaxed);
    }

    /// An address, to sort and compare by.
    fn runtime(&self) -> usize {
        Arc::as_ptr(&self.runtime).addr()
    }

    fn wake(&self, generation: u64) {
        if self.waits() == generation {
            // A waker that panics keeps no other from being woken: the panic hook has reported it.
            let _ = catch_unwind(AssertUnwindSafe(|| self.waker.wake_by_ref()));
        }
    }
}

/// A task on a roster, and the number of its subscriber.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) task: Arc<Task>,
    pub(super) number: usize,
}

#[derive(Default)]
pub(super) struct Roster {
    /// Those of one runtime stand together.
    members: Vec<Member>,
}

impl Roster {
    pub(super) fn new(mut members: Vec<Member>) -> Roster {
        members.sort_unstable_by_key(|member| member.task.runtime());
        Roster { members }
    }

    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }
}

/// The tasks of a roster that wait in a generation, to be woken; or one of them.
pub(super) enum Call {
    Roster(Arc<Roster>, u64),
    Task(Arc<Task>, u64),
}

impl Call {
    /// Wakes its tasks, with no lock held: those of one runtime by one of its tasks.
    pub(super) fn wake(self) {
        let Call::Roster(roster, generation) = &self else { return self.wake_here() };
        match roster.members() {
            [] => {}
            [one] => one.task.wake(*generation),
            [first, .., last] if Arc::ptr_eq(&first.task.runtime, &last.task.runtime) => {
                let runtime = first.task.runtime.clone();
                runtime.hand([self]);
            }
            members => {
                let is_same = |one: &Member, other: &Member| {
                    Arc::ptr_eq(&one.task.runtime, &other.task.runtime)
                };
                for group in members.chunk_by(is_same) {
                    match group {
                        [one] => one.task.wake(*generation),
                        _ => group[0].task.runtime.hand(
                            group.iter().map(|one| Call::Task(one.task.clone(), *generation)),
                        ),
                    }
                }
            }
        }
    }

    fn wake_here(self) {
        match &self {
            Call::Task(task, generation) => task.wake(*generation),
            Call::Roster(roster, generation) => {
                roster.members().iter().for_each(|member| member.task.wake(*generation));
            }
        }
        drop_quietly(self);
    }
}

/// Wakes the tasks of each from within their runtime, with no lock held.
pub(super) fn wake_each(calls: &mut Vec<Call>) {
    calls.drain(..).for_each(Call::wake_here);
}

/// Drops what may be code of the program, with no lock held.
pub(super) fn drop_quietly<T>(value: T) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
}
