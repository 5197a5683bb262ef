//! The registration in one runtime, and the waker that reads.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use ::tokio::io::unix::AsyncFd;
use ::tokio::runtime::Id;
use ::tokio::task::{self, unconstrained};

use super::{Shared, Sink};
use crate::Signals;
use crate::tokio::stream;

/// How many edges in a row a reader follows before it has the tasks go on.
const EDGES: usize = 16;

/// A second descriptor of the same queue: a runtime may not register one twice, and it must not
/// name another file after the receiver has gone.
pub(super) fn duplicate(signals: &Signals) -> io::Result<OwnedFd> {
    signals.as_fd().try_clone_to_owned()
}

pub(in crate::tokio) struct Reader<S: Sink> {
    fd: AsyncFd<OwnedFd>,
    runtime: Id,
    shared: Weak<Shared<S>>,
    /// The driver has the waker and calls it at the next edge.
    armed: Arc<AtomicBool>,
    /// The runtime has gone.
    dead: AtomicBool,
    waker: Waker,
}

impl<S: Sink> Reader<S> {
    /// Registers with the current runtime.
    pub(super) fn new(
        fd: OwnedFd,
        shared: &Arc<Shared<S>>,
        runtime: Id,
    ) -> io::Result<Arc<Reader<S>>> {
        let fd = stream::register(fd)?;
        Ok(Arc::new_cyclic(|reader| Reader {
            fd,
            runtime,
            shared: Arc::downgrade(shared),
            armed: Arc::new(AtomicBool::new(false)),
            dead: AtomicBool::new(false),
            // Weak: the registration owns the waker.
            waker: Waker::from(Arc::new(Edge(reader.clone()))),
        }))
    }

    pub(super) fn runtime(&self) -> Id {
        self.runtime
    }

    pub(super) fn is_armed(&self) -> bool {
        self.armed.load(Ordering::SeqCst)
    }

    pub(super) fn is_alive(&self) -> bool {
        !self.dead.load(Ordering::SeqCst)
    }

    /// Reads until nothing is left and leaves the waker with the driver; or has all who wait go on.
    pub(super) fn arm(&self, shared: &Shared<S>) -> io::Result<()> {
        let mut cx = Context::from_waker(&self.waker);
        for _ in 0..EDGES {
            // Said before the driver has the waker, and unsaid by whoever finds that it has not:
            // a stale no costs a look, a stale yes would cost an edge.
            self.armed.store(true, Ordering::SeqCst);
            // The tasks' budget is not the driver's; without one, tokio would call the waker.
            let ready = pin!(unconstrained(poll_fn(|cx| self.fd.poll_read_ready(cx))));
            let mut ready = match ready.poll(&mut cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(ready)) => ready,
                Poll::Ready(Err(gone)) => {
                    self.dead.store(true, Ordering::SeqCst);
                    self.armed.store(false, Ordering::SeqCst);
                    return Err(gone);
                }
            };
            match shared.read() {
                Ok(true) => ready.clear_ready(),
                // All who wait were woken.
                other => {
                    self.armed.store(false, Ordering::SeqCst);
                    return other.map(drop);
                }
            }
        }
        self.armed.store(false, Ordering::SeqCst);
        shared.rouse();
        Ok(())
    }
}

impl<S: Sink> fmt::Debug for Reader<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("runtime", &self.runtime).finish_non_exhaustive()
    }
}

/// What the driver calls: at an edge, and when the runtime ends.
struct Edge<S: Sink>(Weak<Reader<S>>);

impl<S: Sink> Wake for Edge<S> {
    fn wake(self: Arc<Self>) {
        let Some(reader) = self.0.upgrade() else { return };
        let Some(shared) = reader.shared.upgrade() else { return };
        reader.armed.store(false, Ordering::SeqCst);
        if reader.arm(&shared).is_err() {
            shared.retire(&reader);
        }
    }
}

/// Where somebody waited last: in which runtime, in which task, and whether the runtime's reader is
/// armed.
#[derive(Debug)]
pub(in crate::tokio) struct Seat(Option<(Id, Option<task::Id>, Arc<AtomicBool>)>);

impl Seat {
    pub(in crate::tokio) fn new() -> Seat {
        Seat(None)
    }

    /// Whether the current task is the one, and the reader is armed.
    pub(super) fn is_armed_for_task(&self) -> bool {
        let Some((_, Some(waited), armed)) = &self.0 else { return false };
        task::try_id() == Some(*waited) && armed.load(Ordering::SeqCst)
    }

    /// Whether the runtime is the one, and the reader is armed; then it is the current task's seat.
    pub(super) fn is_armed(&mut self, runtime: Id) -> bool {
        let Some((waited, task, armed)) = &mut self.0 else { return false };
        *task = task::try_id();
        *waited == runtime && armed.load(Ordering::SeqCst)
    }

    pub(super) fn take<S: Sink>(&mut self, reader: &Reader<S>) {
        self.0 = Some((reader.runtime, task::try_id(), reader.armed.clone()));
    }
}
