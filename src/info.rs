//! `SignalInfo`: what the kernel said of one signal, as plain data.

use std::fmt;
use std::time::Duration;

use crate::Signal;

/// Who sent a signal: what the kernel reported, not what the sender claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sender {
    /// The process, as a number of this process' pid namespace. It may have gone since.
    pub pid: u32,
    /// The real user.
    pub uid: u32,
}

/// One received signal.
///
/// It holds what the kernel said and nothing else: a field that the platform does not fill is
/// absent (`None`), never zero. macOS and the BSDs fill the signal and the count alone.
///
/// # Examples
///
/// ```
/// use signal_source::{Signal, Signals, send};
///
/// let signals = Signals::new(Signal::USR1)?;
/// send::kill(std::process::id(), Signal::USR1)?;
///
/// let info = signals.recv()?;
/// assert_eq!(info.signal(), Signal::USR1);
/// if let Some(sender) = info.sender() {
///     assert_eq!(sender.pid, std::process::id());
/// }
/// println!("{info}"); // SIGUSR1 from process 4321 (uid 1000)
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
#[doc(alias = "siginfo_t")]
#[doc(alias = "signalfd_siginfo")]
pub struct SignalInfo {
    signal: Signal,
    count: u32,
    code: Option<i32>,
    origin: Origin,
    value_ptr: usize,
}

/// What made the kernel send a signal (`si_code`, [`sigaction(2)`]).
///
/// [`sigaction(2)`]: https://man7.org/linux/man-pages/man2/sigaction.2.html
///
/// # Examples
///
/// ```
/// use signal_source::{ChildStatus, Origin, SignalInfo};
///
/// fn tell(info: &SignalInfo) {
///     match info.origin() {
///         Origin::Process(sender) => println!("from process {}", sender.pid),
///         Origin::Queue { value, .. } => println!("with value {value}"),
///         Origin::Child(child) => match child.status {
///             ChildStatus::Exited(code) => println!("{} exited with {code}", child.pid),
///             status => println!("{} {status}", child.pid),
///         },
///         _ => println!("{info}"),
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A process called `kill(2)` (`SI_USER`).
    Process(Sender),
    /// A process directed it at this very thread, by `tgkill(2)`, `pthread_kill(3)` or `raise(3)`
    /// (`SI_TKILL`).
    Thread(Sender),
    /// A process called `sigqueue(3)` (`SI_QUEUE`).
    Queue {
        /// Absent if the sender is outside this process' pid namespace.
        sender: Option<Sender>,
        /// The integer that came along.
        value: i32,
    },
    /// A POSIX timer ran out (`SI_TIMER`, `timer_create(2)`).
    Timer {
        /// The kernel's number of the timer; not the `timer_t` of the C library.
        id: u32,
        /// How often it ran out again before this record was read.
        overrun: u32,
        /// The integer set when the timer was made.
        value: i32,
    },
    /// A message arrived in an empty POSIX message queue (`SI_MESGQ`, `mq_notify(3)`).
    MessageQueue {
        /// Who sent the message.
        sender: Option<Sender>,
        /// The integer set with the notification.
        value: i32,
    },
    /// An asynchronous input or output request is complete (`SI_ASYNCIO`, `aio(7)`).
    AsyncIo {
        /// The process that made the request.
        sender: Option<Sender>,
        /// The integer set with the request.
        value: i32,
    },
    /// A descriptor became ready, and `F_SETSIG` chose this signal to say so (`POLL_IN` and its
    /// like, `fcntl(2)`).
    Io {
        /// The descriptor.
        fd: i32,
        /// The events, as `poll(2)` numbers them.
        band: i32,
    },
    /// A child changed its state (`CLD_EXITED` and its like).
    Child(ChildInfo),
    /// The kernel itself: a terminal, an interval timer, a descriptor without `F_SETSIG`
    /// (`SI_KERNEL`).
    Kernel,
    /// The platform does not say, or what it said was lost: the sender is outside this process'
    /// pid namespace, or the queue of pending signals was full.
    Unknown,
}

/// What the kernel said about a child, with `SIGCHLD`.
///
/// Records of `SIGCHLD` merge while one is pending: they say that *some* children changed, so wait
/// for each that did (`waitpid(2)` with `WNOHANG`, until it finds none).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChildInfo {
    /// The child.
    pub pid: u32,
    /// The child's real user.
    pub uid: u32,
    /// What became of it.
    pub status: ChildStatus,
    /// The user CPU time that it consumed, in steps of 10 ms.
    pub user_time: Duration,
    /// The system CPU time that it consumed, in steps of 10 ms.
    pub system_time: Duration,
}

/// What became of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChildStatus {
    /// It ended with this code (`CLD_EXITED`).
    Exited(i32),
    /// A signal killed it (`CLD_KILLED`).
    Killed(Signal),
    /// A signal killed it, with a core dump (`CLD_DUMPED`).
    Dumped(Signal),
    /// A traced child trapped (`CLD_TRAPPED`).
    Trapped(Signal),
    /// A signal stopped it (`CLD_STOPPED`).
    Stopped(Signal),
    /// A signal made it go on (`CLD_CONTINUED`).
    Continued(Signal),
}

impl SignalInfo {
    /// What a backend was told; `value_ptr` counts only with an origin that carries a value.
    pub(crate) fn new(
        signal: Signal,
        count: u32,
        code: Option<i32>,
        origin: Origin,
        value_ptr: usize,
    ) -> SignalInfo {
        SignalInfo { signal, count, code, origin, value_ptr }
    }

    /// What the model of the kernel told one record from another by.
    #[cfg(all(test, shuttle, feature = "tokio"))]
    pub(crate) fn raw_value(&self) -> usize {
        self.value_ptr
    }

    /// The signal.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// What made the kernel send it.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The process and user behind it, where the kernel reported them: who called `kill`, `tgkill`
    /// or `sigqueue`; who wrote the message; with `SIGCHLD` the child.
    pub fn sender(&self) -> Option<Sender> {
        match self.origin {
            Origin::Process(sender) | Origin::Thread(sender) => Some(sender),
            Origin::Queue { sender, .. }
            | Origin::MessageQueue { sender, .. }
            | Origin::AsyncIo { sender, .. } => sender,
            Origin::Child(child) => Some(Sender { pid: child.pid, uid: child.uid }),
            Origin::Timer { .. } | Origin::Io { .. } | Origin::Kernel | Origin::Unknown => None,
        }
    }

    /// The integer that came along with `sigqueue(3)`, a timer, a message queue or asynchronous
    /// input and output.
    #[doc(alias = "sival_int")]
    pub fn value(&self) -> Option<i32> {
        match self.origin {
            Origin::Queue { value, .. }
            | Origin::Timer { value, .. }
            | Origin::MessageQueue { value, .. }
            | Origin::AsyncIo { value, .. } => Some(value),
            _ => None,
        }
    }

    /// The same as [`value`](Self::value), as wide as a pointer: what a sender wrote into
    /// `sival_ptr`. It is a number of the sender's, never an address to follow.
    #[doc(alias = "sival_ptr")]
    pub fn value_ptr(&self) -> Option<usize> {
        self.value().map(|_| self.value_ptr)
    }

    /// How often the signal was sent since it was last received, by the kernel's count: always 1
    /// on Linux, which merges standard signals while one is pending and queues real-time signals
    /// one by one; every sending on macOS and the BSDs.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The raw `si_code`, where the platform has one.
    #[doc(alias = "si_code")]
    pub fn code(&self) -> Option<i32> {
        self.code
    }
}

impl fmt::Debug for SignalInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignalInfo")
            .field("signal", &self.signal)
            .field("count", &self.count)
            .field("code", &self.code)
            .field("origin", &self.origin)
            .field("value_ptr", &self.value_ptr())
            .finish()
    }
}

impl fmt::Display for SignalInfo {
    /// One line: `SIGTERM from process 4321 (uid 1000)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.signal)?;
        match self.origin {
            Origin::Process(sender) => write!(f, " from {sender}"),
            Origin::Thread(sender) => write!(f, " directed at this thread by {sender}"),
            Origin::Queue { sender, value } => {
                write!(f, " queued by {} with value {value}", Or(sender))
            }
            Origin::Timer { id, overrun, value } => {
                write!(f, " from timer {id} with value {value}, overrun {overrun}")
            }
            Origin::MessageQueue { sender, value } => {
                write!(f, " for a message of {} with value {value}", Or(sender))
            }
            Origin::AsyncIo { sender, value } => {
                write!(f, " for a request of {} with value {value}", Or(sender))
            }
            Origin::Io { fd, band } => write!(f, " for descriptor {fd}, events {band:#x}"),
            Origin::Child(child) => write!(f, ": {child}"),
            Origin::Kernel => write!(f, " from the kernel"),
            Origin::Unknown => Ok(()),
        }?;
        if self.count > 1 { write!(f, ", sent {} times", self.count) } else { Ok(()) }
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} (uid {})", self.pid, self.uid)
    }
}

/// A sender, or that there is none to name.
struct Or(Option<Sender>);

impl fmt::Display for Or {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(sender) => sender.fmt(f),
            None => f.write_str("an unknown process"),
        }
    }
}

impl fmt::Display for ChildInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "child {} (uid {}) {}", self.pid, self.uid, self.status)
    }
}

impl fmt::Display for ChildStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChildStatus::Exited(code) => write!(f, "exited with code {code}"),
            ChildStatus::Killed(signal) => write!(f, "was killed by {signal}"),
            ChildStatus::Dumped(signal) => write!(f, "was killed by {signal}, core dumped"),
            ChildStatus::Trapped(signal) => write!(f, "trapped on {signal}"),
            ChildStatus::Stopped(signal) => write!(f, "was stopped by {signal}"),
            ChildStatus::Continued(signal) => write!(f, "was continued by {signal}"),
        }
    }
}
