//! Who waits for a signal: lists of waiters, which are moved whole where a signal wakes them.
//!
//! A waiter is put on a list, taken off and moved under the lock of the hub whose list it is, each in
//! the same short time however many others there are. It is woken with no lock held.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Waker;

use super::local::{Runtime, Task};

/// What wakes a waiter.
pub(super) enum Waiter {
    /// Cloning it counts, and runs no code of the program; to drop it may.
    Task(Arc<Task>),
    Other(Waker),
}

impl Waiter {
    pub(super) fn wake(self) {
        match self {
            Waiter::Task(task) => task.wake(),
            Waiter::Other(waker) => waker.wake(),
        }
    }

    /// 0 for one that is no task.
    fn runtime(&self) -> usize {
        match self {
            // An address, to compare with: the runtime stays for as long as the task is listed.
            Waiter::Task(task) => Arc::as_ptr(task.runtime()).addr(),
            Waiter::Other(_) => 0,
        }
    }
}

/// Who is going to wait.
#[derive(Clone, Copy)]
pub(super) enum Who<'a> {
    Task(&'a Arc<Task>),
    Other(&'a Waker),
}

impl Who<'_> {
    fn is(&self, waiter: &Waiter) -> bool {
        match (self, waiter) {
            (Who::Task(one), Waiter::Task(other)) => Arc::ptr_eq(one, other),
            (Who::Other(one), Waiter::Other(other)) => one.will_wake(other),
            _ => false,
        }
    }

    /// What may be cloned under a lock.
    pub(super) fn listed(&self) -> Option<Waiter> {
        match *self {
            Who::Task(task) => Some(Waiter::Task(task.clone())),
            Who::Other(_) => None,
        }
    }

    /// With no lock held, for that may be code of the program.
    pub(super) fn waiter(&self) -> Waiter {
        match *self {
            Who::Task(task) => Waiter::Task(task.clone()),
            Who::Other(waker) => Waiter::Other(waker.clone()),
        }
    }
}

/// A waiter on a list, and the number of the subscriber that waits.
pub(super) struct Listed {
    waiter: Waiter,
    number: usize,
}

/// Waiters for the same.
#[derive(Default)]
pub(super) struct List {
    waiters: Vec<Listed>,
    /// The address of the runtime that all of them are tasks of, unless they are `mixed`.
    runtime: usize,
    is_mixed: bool,
}

impl List {
    pub(super) fn len(&self) -> usize {
        self.waiters.len()
    }

    /// Returns where it stands.
    pub(super) fn push(&mut self, waiter: Waiter, number: usize) -> usize {
        let runtime = waiter.runtime();
        if self.waiters.is_empty() {
            (self.runtime, self.is_mixed) = (runtime, runtime == 0);
        } else {
            self.is_mixed |= runtime != self.runtime;
        }
        self.waiters.push(Listed { waiter, number });
        self.waiters.len() - 1
    }

    pub(super) fn is_at(&self, at: usize, who: Who<'_>) -> bool {
        who.is(&self.waiters[at].waiter)
    }

    /// Takes one off; also returns whose place it is now.
    pub(super) fn remove(&mut self, at: usize) -> (Waiter, Option<usize>) {
        let removed = self.waiters.swap_remove(at);
        (removed.waiter, self.waiters.get(at).map(|moved| moved.number))
    }
}

/// Waiters to be woken, with no lock held.
#[derive(Default)]
pub(super) struct Woken {
    wakers: Vec<Waker>,
    lists: Vec<List>,
    /// Empty ones, whose memory is used again.
    spare: Vec<List>,
}

impl Woken {
    /// Takes all waiters of a list.
    pub(super) fn take(&mut self, list: &mut List) {
        self.lists.push(mem::replace(list, self.spare.pop().unwrap_or_default()));
    }

    /// Wakes all of them: those of one runtime by one of its tasks. A waker that panics keeps no other
    /// from being woken: the panic hook has reported it.
    pub(super) fn wake_all(&mut self) {
        for waker in self.wakers.drain(..) {
            let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
        while let Some(mut list) = self.lists.pop() {
            match list.waiters.first() {
                Some(Listed { waiter: Waiter::Task(task), .. })
                    if !list.is_mixed && list.waiters.len() > 1 =>
                {
                    let runtime = task.runtime().clone();
                    runtime.hand(&mut list.waiters);
                }
                _ if list.is_mixed => wake_mixed(&mut list.waiters),
                _ => wake_each(&mut list.waiters),
            }
            self.spare.push(list);
        }
    }
}

impl Extend<Waker> for Woken {
    fn extend<I: IntoIterator<Item = Waker>>(&mut self, wakers: I) {
        self.wakers.extend(wakers);
    }
}

/// Wakes those of one runtime together.
fn wake_mixed(waiters: &mut Vec<Listed>) {
    waiters.sort_unstable_by_key(|listed| listed.waiter.runtime());
    while let Some(Listed { waiter, .. }) = waiters.last() {
        let runtime: Option<Arc<Runtime>> = match waiter {
            Waiter::Task(task) => Some(task.runtime().clone()),
            Waiter::Other(_) => None,
        };
        let last = waiter.runtime();
        let first = waiters.partition_point(|listed| listed.waiter.runtime() < last);
        match runtime {
            Some(runtime) if waiters.len() - first > 1 => {
                runtime.hand(&mut waiters.split_off(first));
            }
            _ => waiters.drain(first..).for_each(wake),
        }
    }
}

/// Wakes each of them, with no lock held.
pub(super) fn wake_each(waiters: &mut Vec<Listed>) {
    waiters.drain(..).for_each(wake);
}

fn wake(listed: Listed) {
    let _ = catch_unwind(AssertUnwindSafe(|| listed.waiter.wake()));
}

/// Drops what may be code of the program, with no lock held.
pub(super) fn drop_quietly<T>(value: T) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
}

/// Waiters that are to be dropped with no lock held. The first takes no memory.
#[derive(Default)]
pub(super) struct Stale {
    first: Option<Waiter>,
    others: Vec<Waiter>,
}

impl Stale {
    pub(super) fn push(&mut self, waiter: Waiter) {
        match &self.first {
            None => self.first = Some(waiter),
            Some(_) => self.others.push(waiter),
        }
    }

    pub(super) fn drop_all(&mut self) {
        self.first.take().into_iter().chain(self.others.drain(..)).for_each(drop_quietly);
    }
}

impl Extend<Waiter> for Stale {
    fn extend<I: IntoIterator<Item = Waiter>>(&mut self, waiters: I) {
        waiters.into_iter().for_each(|waiter| self.push(waiter));
    }
}

impl Extend<Waker> for Stale {
    fn extend<I: IntoIterator<Item = Waker>>(&mut self, wakers: I) {
        wakers.into_iter().for_each(|waker| self.push(Waiter::Other(waker)));
    }
}
