//! Waiting in a plain thread: a future is polled there, and the thread sleeps until it is woken.

use std::mem;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use super::sync::{Condvar, Mutex};

/// The waker of a thread that waits. It does not stand on `std::thread::park`: the program may use
/// that on the same thread, and would find it unparked.
struct ThreadWaker {
    is_woken: Mutex<bool>,
    woken: Condvar,
}

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        *self.is_woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.woken.notify_one();
    }
}

impl ThreadWaker {
    /// Sleeps until it is woken, which takes the notice back; `false` if the time is over before.
    fn wait(&self, deadline: Option<Instant>) -> bool {
        let mut is_woken = self.is_woken.lock().unwrap_or_else(PoisonError::into_inner);
        while !*is_woken {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            is_woken = match left {
                None => self.woken.wait(is_woken).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => return false,
                Some(left) => {
                    let waited = self.woken.wait_timeout(is_woken, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        mem::take(&mut *is_woken)
    }
}

/// Blocks the calling thread until `poll` is ready; `None` if the time is over before.
pub(super) fn block_on<T>(
    deadline: Option<Instant>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Option<T> {
    let mut polled = Poll::Pending;
    block_until(deadline, &mut |cx| {
        polled = poll(cx);
        polled.is_ready()
    });
    match polled {
        Poll::Ready(found) => Some(found),
        Poll::Pending => None,
    }
}

/// Blocks the calling thread until `is_ready`, or until the time is over.
fn block_until(deadline: Option<Instant>, is_ready: &mut dyn FnMut(&mut Context<'_>) -> bool) {
    let thread = Arc::new(ThreadWaker { is_woken: Mutex::new(false), woken: Condvar::new() });
    let waker = Waker::from(thread.clone());
    let mut cx = Context::from_waker(&waker);
    while !is_ready(&mut cx) && thread.wait(deadline) {}
}
