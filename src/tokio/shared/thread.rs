//! Plain threads that wait: one polls the descriptor, the others sleep.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use super::{Shared, Sink, State, reader};

/// The threads that wait.
#[derive(Debug, Default)]
pub(super) struct Threads {
    /// One of them polls.
    led: bool,
    /// The others, by ticket.
    sleeping: BTreeMap<u64, Thread>,
    tickets: u64,
    post: Option<Arc<Post>>,
}

impl Threads {
    /// The receiver has gone; whoever polls its queue is woken by what the sink does.
    pub(super) fn forget_descriptor(&mut self) {
        self.post = None;
    }
}

/// What the leading thread polls.
#[derive(Debug)]
struct Post {
    queue: OwnedFd,
    bell: UnixStream,
    rope: UnixStream,
}

impl Post {
    fn new(queue: OwnedFd) -> io::Result<Post> {
        let (bell, rope) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        rope.set_nonblocking(true)?;
        Ok(Post { queue, bell, rope })
    }

    fn ring(&self) {
        // If it is full, it rings already.
        let _ = (&self.rope).write(&[0]);
    }

    /// Until a signal is pending, the bell rings, the time is over or for no reason at all.
    fn wait(&self, timeout: Option<Duration>) -> io::Result<()> {
        // More seconds than the kernel counts are as good as for ever.
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let mut both =
            [PollFd::new(&self.queue, PollFlags::IN), PollFd::new(&self.bell, PollFlags::IN)];
        match rustix::event::poll(&mut both, timeout.as_ref()) {
            Ok(_) if !both[1].revents().is_empty() => {
                while matches!((&self.bell).read(&mut [0; 64]), Ok(1..)) {}
                Ok(())
            }
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// Wakes a thread that waits, whichever way it does; nothing if it does not.
struct Alarm {
    thread: Thread,
    asleep: AtomicBool,
    post: OnceLock<Arc<Post>>,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        if !self.asleep.load(Ordering::SeqCst) {
            return;
        }
        // The thread may change from sleeping to polling right now: then both is right.
        self.thread.unpark();
        if let Some(post) = self.post.get() {
            post.ring();
        }
    }
}

/// A thread's place among those that wait; leaving it calls the next.
struct Place<'a, S: Sink> {
    shared: &'a Shared<S>,
    alarm: Arc<Alarm>,
    ticket: u64,
    leads: bool,
}

impl<'a, S: Sink> Place<'a, S> {
    fn new(shared: &'a Shared<S>) -> Place<'a, S> {
        let alarm = Alarm {
            thread: thread::current(),
            asleep: AtomicBool::new(false),
            post: OnceLock::new(),
        };
        let ticket = shared.with(|state| {
            state.threads.tickets += 1;
            state.threads.tickets
        });
        Place { shared, alarm: Arc::new(alarm), ticket, leads: false }
    }

    /// Leads, if nobody does; otherwise is one of those who sleep until they are called.
    fn take(&mut self) -> io::Result<()> {
        if self.leads {
            return Ok(());
        }
        self.shared.with(|state| {
            if state.threads.led {
                state.threads.sleeping.insert(self.ticket, self.alarm.thread.clone());
                return Ok(());
            }
            state.threads.sleeping.remove(&self.ticket);
            state.threads.led = true;
            self.leads = true;
            if let Some(post) = state.post()? {
                self.alarm.post.get_or_init(|| post);
            }
            Ok(())
        })
    }

    fn wait(&self, timeout: Option<Duration>) -> io::Result<()> {
        match (self.alarm.post.get(), timeout) {
            (Some(post), _) => return post.wait(timeout),
            (None, None) => thread::park(),
            (None, Some(timeout)) => thread::park_timeout(timeout),
        }
        Ok(())
    }
}

impl<S: Sink> Drop for Place<'_, S> {
    fn drop(&mut self) {
        self.alarm.asleep.store(false, Ordering::SeqCst);
        self.shared.with(|state| {
            let threads = &mut state.threads;
            threads.sleeping.remove(&self.ticket);
            threads.led &= !self.leads;
            // One that is called but leaves comes by here too, and calls the next.
            if let (false, Some(next)) = (threads.led, threads.sleeping.values().next()) {
                next.unpark();
            }
        });
    }
}

impl<S: Sink> State<S> {
    /// What to poll; nothing if there is no receiver.
    fn post(&mut self) -> io::Result<Option<Arc<Post>>> {
        if let (None, Some(signals)) = (&self.threads.post, &self.signals) {
            self.threads.post = Some(Arc::new(Post::new(reader::duplicate(signals)?)?));
        }
        Ok(self.threads.post.clone())
    }
}

impl<S: Sink> Shared<S> {
    /// Blocks the calling thread until `poll`, which leaves the waker it is given in the sink, is
    /// ready; `None` if the time is over before.
    pub(in crate::tokio) fn block_on<T>(
        &self,
        deadline: Option<Instant>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> io::Result<Option<T>> {
        let mut place = Place::new(self);
        let waker = Waker::from(place.alarm.clone());
        let mut cx = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(found) = poll(&mut cx) {
                return Ok(Some(found));
            }
            place.take()?;
            if place.leads || !self.is_drained() {
                self.read()?;
            }
            place.alarm.asleep.store(true, Ordering::SeqCst);
            // What came before the alarm was on.
            if let Poll::Ready(found) = poll(&mut cx) {
                return Ok(Some(found));
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Ok(None);
            }
            // Whoever leads is told by the queue itself; the others must not sleep on what a reader
            // has left there.
            if place.leads || self.is_drained() {
                place.wait(left)?;
            }
            place.alarm.asleep.store(false, Ordering::SeqCst);
        }
    }
}
