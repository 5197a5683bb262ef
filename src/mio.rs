//! `Signals` as a mio `event::Source`.

use std::io;
use std::os::fd::AsRawFd;

use ::mio::event::Source;
use ::mio::unix::SourceFd;
use ::mio::{Interest, Registry, Token};

use crate::Signals;

/// Registers the receiver's descriptor, for reading.
///
/// Readiness is edge-triggered: after an event, call [`Signals::try_recv`] until it returns `None`,
/// or [`Signals::try_recv_many`] until it returns 0. A signal that was pending before the
/// registration makes an event too.
///
/// # Errors
///
/// `InvalidInput` if `interests` has more or less than `READABLE`: there is nothing to write to.
/// What `epoll_ctl(2)` or `kevent(2)` reports, such as `AlreadyExists` for a second registration.
///
/// # Examples
///
/// ```no_run
/// use mio::{Events, Interest, Poll, Token};
/// use signal_source::{Signal, Signals};
///
/// let mut signals = Signals::new([Signal::TERM, Signal::HUP])?;
/// let mut poll = Poll::new()?;
/// poll.registry().register(&mut signals, Token(0), Interest::READABLE)?;
/// let mut events = Events::with_capacity(16);
/// loop {
///     match poll.poll(&mut events, None) {
///         // Some other handler of the program interrupted the wait.
///         Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
///         polled => polled?,
///     }
///     for _event in &events {
///         while let Some(info) = signals.try_recv()? {
///             println!("{info}");
///         }
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg_attr(docsrs, doc(cfg(feature = "mio")))]
impl Source for Signals {
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        SourceFd(&self.as_raw_fd()).register(registry, token, readable(interests)?)
    }

    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        SourceFd(&self.as_raw_fd()).reregister(registry, token, readable(interests)?)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        SourceFd(&self.as_raw_fd()).deregister(registry)
    }
}

/// A kqueue that is watched for anything but reading is refused by the kernel, with less to say.
fn readable(interests: Interest) -> io::Result<Interest> {
    if interests == Interest::READABLE {
        return Ok(interests);
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        format!(
            "signals can only be read: register them with Interest::READABLE, not {interests:?}"
        ),
    ))
}
