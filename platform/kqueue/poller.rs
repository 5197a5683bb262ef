//! What the reader thread waits with: a kqueue of kqueues.
//!
//! Descriptors are added, armed and removed on any thread while the reader thread waits, and the
//! kernel itself tells it. So nothing has to wake it, and no wake-up can be lost between a look at
//! the descriptors and the wait.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::event::{EvFlags, EventFilter, FilterFlag, KEvent, Kqueue};

/// Descriptors to wait for, each with the number that it was added with.
#[derive(Debug)]
pub(crate) struct Poller(Kqueue);

impl Poller {
    pub(crate) fn new() -> io::Result<Poller> {
        // None is inherited by a fork; an exec closes it.
        let queue = Kqueue::new()?;
        rustix::io::fcntl_setfd(&queue, rustix::io::FdFlags::CLOEXEC)?;
        Ok(Poller(queue))
    }

    /// Adds a descriptor, not armed yet.
    pub(crate) fn add(&self, fd: BorrowedFd<'_>, number: u64) -> io::Result<()> {
        self.change(fd, number, EvFlags::EV_ADD | EvFlags::EV_DISABLE)
    }

    /// Has [`wait`](Self::wait) name the descriptor for as long as it is readable, or not any more.
    pub(crate) fn arm(&self, fd: BorrowedFd<'_>, number: u64, armed: bool) -> io::Result<()> {
        // Without EV_CLEAR: what the reader thread leaves unread is named again.
        let flag = if armed { EvFlags::EV_ENABLE } else { EvFlags::EV_DISABLE };
        self.change(fd, number, EvFlags::EV_ADD | flag)
    }

    /// Removes a descriptor; it must still be open.
    pub(crate) fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.change(fd, 0, EvFlags::EV_DELETE)
    }

    /// Sleeps until an armed descriptor is readable, and puts the numbers of those that are into
    /// `ready`.
    pub(crate) fn wait(&self, ready: &mut Vec<u64>) -> io::Result<()> {
        let (filter, none) = (EventFilter::EVFILT_READ, FilterFlag::empty());
        let mut events = [KEvent::new(0, filter, EvFlags::empty(), none, 0, 0); 16];
        ready.clear();
        match self.0.kevent(&[], &mut events, None) {
            Ok(count) => {
                let numbers = events[..count].iter().map(|event| event.udata() as u64);
                ready.extend(numbers);
                Ok(())
            }
            Err(Errno::EINTR) => Ok(()), // stopped and continued
            Err(errno) => Err(errno.into()),
        }
    }

    /// A change that is made again, after an interruption, changes nothing more.
    fn change(&self, fd: BorrowedFd<'_>, number: u64, flags: EvFlags) -> io::Result<()> {
        let (filter, none) = (EventFilter::EVFILT_READ, FilterFlag::empty());
        let ident = fd.as_raw_fd().unsigned_abs() as usize;
        // A number of one for each registration of a process: it fits every word.
        let udata = isize::try_from(number).unwrap_or(isize::MAX);
        let change = [KEvent::new(ident, filter, flags, none, 0, udata)];
        let now = nix::libc::timespec { tv_sec: 0, tv_nsec: 0 };
        loop {
            match self.0.kevent(&change, &mut [], Some(now)) {
                Err(Errno::EINTR) => {}
                result => return Ok(result.map(drop)?),
            }
        }
    }
}
