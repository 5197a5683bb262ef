//! `Signals`: the receiver, which owns the descriptor.

#[cfg(feature = "tokio")]
mod acquired;
mod builder;
mod iter;

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::{Duration, Instant};

pub use self::builder::Builder;
pub use self::iter::Iter;
use crate::platform::Receiver;
use crate::{OpenError, SignalInfo, SignalSet};

/// A receiver of signals: an owned, nonblocking, close-on-exec descriptor that is readable while a
/// signal of its set is pending.
///
/// From the moment it is open, a signal sent to this process is either received, once, or, if it
/// was still unread when the receiver was dropped or its set was narrowed, acts as it would have
/// acted before: its earlier handler runs, it kills, it is ignored. The queue is the kernel's.
///
/// It may be moved to other threads and shared between them; each record goes to one of the
/// threads that wait. A signal has one receiver in a process.
///
/// # Platform notes
///
/// Linux and Android (`signalfd(2)`): the set is blocked in the calling thread, and every other
/// thread must block it already, or opening fails. Threads that are started later inherit the
/// block. A thread that unblocks a signal by its own doing takes it away from the receiver.
/// Signals directed at one thread (`raise(3)`, `pthread_kill(3)`, a broken pipe's `SIGPIPE`) are
/// received by that thread alone. The lowest pending number is read first: under a flood of a
/// low-numbered signal, reading one by one can hold back a higher one;
/// [`try_recv_many`](Self::try_recv_many) sees all that are pending, and a receiver of its own
/// gives an urgent signal its own descriptor.
///
/// After `fork(2)` without exec the child reads its own signals from an inherited receiver, but no
/// inherited event loop (epoll) will wake it: open a new receiver and loop in the child. Dropping
/// an inherited receiver takes nothing from the child's own nor from the parent.
///
/// macOS and the BSDs (`EVFILT_SIGNAL`, `kqueue(2)`): while it is received, a signal that would end or
/// stop the process is ignored (`SIG_IGN`), and `CHLD` is at its default; dropping puts the earlier
/// actions back, with their flags and masks, and sends the process once more what was unread. A signal
/// that arrives in the very moment of opening or dropping may be received and act as well. No
/// mask plays a part. A record has the signal and the count alone. Different signals come in the
/// order in which they were first sent. A kqueue is not inherited by `fork(2)`: in the child every
/// call on an inherited receiver is an error.
///
/// # Examples
///
/// ```
/// use signal_source::{Signal, Signals, send};
///
/// let signals = Signals::new([Signal::TERM, Signal::HUP])?;
/// send::kill(std::process::id(), Signal::TERM)?;
/// assert_eq!(signals.recv()?.signal(), Signal::TERM);
/// assert!(signals.try_recv()?.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a receiver that is dropped at once receives nothing"]
pub struct Signals {
    receiver: Receiver,
    audit: bool,
}

/// The set, if it can be received.
pub(crate) fn receivable(set: SignalSet) -> Result<SignalSet, OpenError> {
    if set.is_empty() {
        return Err(OpenError::Empty);
    }
    match set.iter().find(|signal| !signal.is_receivable()) {
        Some(signal) => Err(OpenError::NotReceivable(signal)),
        None => Ok(set),
    }
}

impl Signals {
    /// Opens a receiver for a signal, an array of them or a set (`signalfd(2)`; `kqueue(2)`).
    ///
    /// Open it in `main`, before any other thread exists: with tokio before the runtime is built,
    /// and hand it in. Or reserve the signals before, with [`reserve`](crate::reserve()) or
    /// [`reserve_at_start!`](crate::reserve_at_start), and open it anywhere.
    ///
    /// # Errors
    ///
    /// An empty set, a signal that can't be received, a signal that another receiver has, a thread
    /// that does not block the signals, or no descriptor left: see [`OpenError`]. Nothing has been
    /// changed then.
    ///
    /// # Platform notes
    ///
    /// Linux and Android: blocks the set in the calling thread (`pthread_sigmask(3)`) and looks at every
    /// other thread of the process (`/proc/self/task/*/stat`, and `status` where that has too little, as of
    /// real-time signals): 3 to 15 µs a thread by the machine, nine tenths of which are the kernel's, which
    /// writes each file anew. A further list of the threads shows that none was missed, so it takes 1.1 to
    /// 1.3 times as long as listing and reading them once (measured with 100 and 1,000 threads). Where a
    /// signal has a handler, each thread is looked at twice, a millisecond apart. Without the
    /// [audit](Builder::audit) the number of threads does not matter: opening and dropping take 2 to 3 µs.
    /// Where `/proc` is not mounted, or shows no masks (gVisor), no thread is looked at. Linux makes no
    /// `CHLD` at all while that is ignored: it is put to its default while the receiver is open.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::{OpenError, Signal, Signals};
    ///
    /// let signals = Signals::new([Signal::TERM, Signal::HUP])?;
    /// assert!(matches!(Signals::new(Signal::HUP), Err(OpenError::AlreadyReceived(_))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "signalfd")]
    #[doc(alias = "kqueue")]
    pub fn new(set: impl Into<SignalSet>) -> Result<Signals, OpenError> {
        Signals::builder().open(set)
    }

    /// A [`Builder`]: options that [`new`](Self::new) does not have.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::{Signal, Signals};
    ///
    /// // In a program that knows that each of its threads blocks the signal.
    /// let signals = Signals::builder().audit(false).open(Signal::TERM)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// The signals that it receives.
    pub fn set(&self) -> SignalSet {
        self.receiver.set()
    }

    /// Changes the set, all or nothing, and keeps the descriptor: it stays registered with mio,
    /// tokio or an event loop of the program's own.
    ///
    /// What is in both sets is not touched. A signal that is removed acts again as it would have
    /// before the receiver was opened, a pending one too.
    ///
    /// Any thread may call it, while others receive; of several calls at once one comes after the
    /// other.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), for the signals that are added; also in a forked child, for a
    /// receiver that it inherited. [`OpenError::Waiting`] while threads wait in [`recv`](Self::recv),
    /// [`recv_timeout`](Self::recv_timeout) or the iterator: see below. [`OpenError::Os`] of the kind
    /// [`ResourceBusy`](io::ErrorKind::ResourceBusy), if another thread has been changing the set for a
    /// second, which a signal handler of the program can make it do (Linux, Android). Nothing has been
    /// changed then.
    ///
    /// # Platform notes
    ///
    /// Linux and Android: a thread in [`recv`](Self::recv) waits for the set that it was given
    /// (`rt_sigtimedwait(2)`), so the change is refused while there is one. From then on this
    /// receiver's threads wait for its descriptor instead (`poll(2)`, then `read(2)`), which a change
    /// does not disturb, and which takes them three system calls for one. So the change succeeds once
    /// those threads that were waiting have received a signal, or their time is over.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::{Signal, Signals};
    ///
    /// let signals = Signals::new(Signal::TERM)?;
    /// signals.update(signals.set().with(Signal::HUP))?;
    /// assert_eq!(signals.set(), [Signal::TERM, Signal::HUP].into());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn update(&self, set: impl Into<SignalSet>) -> Result<(), OpenError> {
        self.receiver.update(receivable(set.into())?, self.audit)
    }

    /// The next pending signal, if there is one, without waiting (`read(2)`; `kevent(2)`).
    ///
    /// Under an edge-triggered event loop call it until it returns `None`, or
    /// [`try_recv_many`](Self::try_recv_many) until it returns 0: the next edge comes only then.
    ///
    /// # Errors
    ///
    /// What `read(2)` or `kevent(2)` reports; none is known to happen.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::{Signal, Signals, send};
    ///
    /// let signals = Signals::new(Signal::USR1)?;
    /// send::kill(std::process::id(), Signal::USR1)?;
    /// while let Some(info) = signals.try_recv()? {
    ///     println!("{info}");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_recv(&self) -> io::Result<Option<SignalInfo>> {
        self.receiver.read_one()
    }

    /// Appends up to `limit` pending signals to `buf`, without waiting, and returns how many.
    ///
    /// 0 means that nothing is left. Any other number, also one below `limit`, says nothing about
    /// what is left: a kernel may hand out fewer than it has. With `limit` 0 nothing is read. 64
    /// signals come in one system call; memory is allocated only if `buf` has no room for what was
    /// read.
    ///
    /// # Errors
    ///
    /// As [`try_recv`](Self::try_recv); nothing was appended then.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::{Signal, Signals, send};
    ///
    /// let signals = Signals::new([Signal::USR1, Signal::USR2])?;
    /// send::kill(std::process::id(), Signal::USR1)?;
    /// send::kill(std::process::id(), Signal::USR2)?;
    /// let mut infos = Vec::with_capacity(64);
    /// while signals.try_recv_many(&mut infos, 64)? > 0 {}
    /// assert_eq!(infos.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_recv_many(&self, buf: &mut Vec<SignalInfo>, limit: usize) -> io::Result<usize> {
        self.receiver.read_many(buf, limit)
    }

    /// The next signal; blocks the calling thread until there is one (`rt_sigtimedwait(2)`;
    /// `kevent(2)`).
    ///
    /// # Errors
    ///
    /// What the system call reports; none is known to happen, unless the process may not make it
    /// (`seccomp(2)`). A handler that interrupts the wait is not an error.
    ///
    /// # Platform notes
    ///
    /// Linux and Android: the call waits for the set that it was given, so a thread that is in it can
    /// be in the way of [`update`](Self::update), which says how. To the kernel, and so to
    /// [`mask::unblocked_threads`](crate::mask::unblocked_threads), the thread lets the set in
    /// meanwhile. The descriptor is not asked: a program that polls it on another thread finds the
    /// signal there, unless this call was faster.
    pub fn recv(&self) -> io::Result<SignalInfo> {
        self.receiver.wait()
    }

    /// The next signal, or `None` if none comes within `timeout`; blocks the calling thread
    /// (`rt_sigtimedwait(2)`; `kevent(2)`).
    ///
    /// The time is monotonic. A zero timeout looks once; one that is too long to count waits for
    /// ever.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Platform notes
    ///
    /// As with [`recv`](Self::recv).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use signal_source::{Signal, Signals};
    ///
    /// let signals = Signals::new(Signal::USR1)?;
    /// assert!(signals.recv_timeout(Duration::from_millis(1))?.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recv_timeout(&self, timeout: Duration) -> io::Result<Option<SignalInfo>> {
        // One that is too long to count is for ever.
        let Some(deadline) = Instant::now().checked_add(timeout) else {
            return self.recv().map(Some);
        };
        match self.receiver.wait_one(timeout) {
            Ok(None) => self.recv_until(deadline),
            received => received,
        }
    }

    /// What is left of a wait that has brought nothing.
    #[cold]
    fn recv_until(&self, deadline: Instant) -> io::Result<Option<SignalInfo>> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            if let Some(info) = self.receiver.wait_one(left)? {
                return Ok(Some(info));
            }
        }
    }

    /// Signals without end, as [`recv`](Self::recv) returns them: a blocking iterator.
    pub fn iter(&self) -> Iter<'_> {
        Iter::new(self)
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut signals = f.debug_struct("Signals");
        signals.field("set", &self.set()).field("fd", &self.as_raw_fd()).finish_non_exhaustive()
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.receiver.as_fd()
    }
}

impl AsRawFd for Signals {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

// A panic leaves nothing half done that could be seen through a receiver: records are in the kernel,
// and the crate's accounting, which the compiler can't see through, changes under its lock alone.
impl UnwindSafe for Signals {}
impl RefUnwindSafe for Signals {}
