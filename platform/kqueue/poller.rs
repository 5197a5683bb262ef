//! What the reader thread waits with: a kqueue of kqueues.
//!
//! Descriptors are added, armed and removed on any thread while the reader thread waits, and the
//! kernel itself tells it. So nothing has to wake it, and no wake-up can be lost between a look at
//! the descriptors and the wait.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;
use std::time::Duration;

use rustix::event::kqueue::{self, Event, EventFilter, EventFlags};
use rustix::io::Errno;

/// Descriptors to wait for, each with the number that it was added with.
#[derive(Debug)]
pub(crate) struct Poller(OwnedFd);

impl Poller {
    pub(crate) fn new() -> io::Result<Poller> {
        // None is inherited by a fork; an exec closes it.
        let queue = kqueue::kqueue()?;
        rustix::io::fcntl_setfd(&queue, rustix::io::FdFlags::CLOEXEC)?;
        Ok(Poller(queue))
    }

    /// Adds a descriptor, not armed yet.
    pub(crate) fn add(&self, fd: BorrowedFd<'_>, number: u64) -> io::Result<()> {
        self.change(fd, number, EventFlags::ADD | EventFlags::DISABLE)
    }

    /// Has [`wait`](Self::wait) name the descriptor for as long as it is readable, or not any more.
    pub(crate) fn arm(&self, fd: BorrowedFd<'_>, number: u64, armed: bool) -> io::Result<()> {
        // Without EV_CLEAR: what the reader thread leaves unread is named again.
        let flag = if armed { EventFlags::ENABLE } else { EventFlags::DISABLE };
        self.change(fd, number, EventFlags::ADD | flag)
    }

    /// Removes a descriptor; it must still be open.
    pub(crate) fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.change(fd, 0, EventFlags::DELETE)
    }

    /// Sleeps until an armed descriptor is readable, and puts the numbers of those that are into
    /// `ready`.
    pub(crate) fn wait(&self, ready: &mut Vec<u64>) -> io::Result<()> {
        let nothing = Event::new(EventFilter::Read(0), EventFlags::empty(), ptr::null_mut());
        let mut events = [nothing; 16];
        ready.clear();
        // SAFETY: there are no changes, so no descriptor is added.
        match unsafe { kqueue::kevent(&self.0, &[], &mut events[..], None) } {
            Ok(count) => {
                let numbers = events[..count].iter().map(|event| event.udata().addr() as u64);
                ready.extend(numbers);
                Ok(())
            }
            Err(Errno::INTR) => Ok(()), // stopped and continued
            Err(errno) => Err(errno.into()),
        }
    }

    /// A change that is made again, after an interruption, changes nothing more.
    fn change(&self, fd: BorrowedFd<'_>, number: u64, flags: EventFlags) -> io::Result<()> {
        // A number of one for each registration of a process: it fits every word.
        let udata = ptr::without_provenance_mut(usize::try_from(number).unwrap_or(usize::MAX));
        let change = [Event::new(EventFilter::Read(fd.as_raw_fd()), flags, udata)];
        let mut none: [Event; 0] = [];
        loop {
            // SAFETY: the caller's descriptor is open, and is removed before it is closed.
            match unsafe { kqueue::kevent(&self.0, &change, &mut none, Some(Duration::ZERO)) } {
                Err(Errno::INTR) => {}
                result => return Ok(result.map(drop)?),
            }
        }
    }
}
