//! What the reader thread waits with: `epoll(7)`.
//!
//! Descriptors are added, armed and removed on any thread while the reader thread waits, and the
//! kernel itself tells it. So nothing has to wake it, and no wake-up can be lost between a look at
//! the descriptors and the wait.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

/// Descriptors to wait for, each with the number that it was added with.
#[derive(Debug)]
pub(crate) struct Poller(OwnedFd);

impl Poller {
    pub(crate) fn new() -> io::Result<Poller> {
        Ok(Poller(epoll::create(CreateFlags::CLOEXEC)?))
    }

    /// Adds a descriptor, not armed yet.
    pub(crate) fn add(&self, fd: BorrowedFd<'_>, number: u64) -> io::Result<()> {
        Ok(epoll::add(&self.0, fd, EventData::new_u64(number), EventFlags::empty())?)
    }

    /// Has [`wait`](Self::wait) name the descriptor for as long as it is readable, or not any more.
    pub(crate) fn arm(&self, fd: BorrowedFd<'_>, number: u64, armed: bool) -> io::Result<()> {
        // Level-triggered: what the reader thread leaves unread is named again.
        let flags = if armed { EventFlags::IN } else { EventFlags::empty() };
        Ok(epoll::modify(&self.0, fd, EventData::new_u64(number), flags)?)
    }

    /// Removes a descriptor; it must still be open.
    pub(crate) fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        Ok(epoll::delete(&self.0, fd)?)
    }

    /// Sleeps until an armed descriptor is readable, and puts the numbers of those that are into
    /// `ready`.
    pub(crate) fn wait(&self, ready: &mut Vec<u64>) -> io::Result<()> {
        let nothing = Event { flags: EventFlags::empty(), data: EventData::new_u64(0) };
        let mut events = [nothing; 16];
        ready.clear();
        match epoll::wait(&self.0, &mut events[..], None) {
            Ok(count) => {
                // A packed structure's field is copied, not borrowed.
                ready.extend(events[..count].iter().map(|event| { event.data }.u64()));
                Ok(())
            }
            Err(Errno::INTR) => Ok(()), // stopped and continued
            Err(errno) => Err(errno.into()),
        }
    }
}
