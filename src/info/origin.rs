//! What made the kernel send a signal, and the process behind it.

use std::time::Duration;

use crate::Signal;
#[cfg(doc)]
use crate::SignalInfo;

/// The process and user that sent a signal (`si_pid`, `si_uid`, [`sigaction(2)`]).
///
/// The kernel vouches for it only where [`SignalInfo::is_verified`] says so: with a signal that was
/// queued, both numbers are what the sender wrote, and any process of the same user can write that
/// it is process 1 of user 0 (`rt_sigqueueinfo(2)`). Decide nothing by it that such a process must
/// not decide.
///
/// [`sigaction(2)`]: https://man7.org/linux/man-pages/man2/sigaction.2.html
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sender {
    /// The process, as a number of this process' pid namespace. It may have gone since, and the
    /// number may be another process' by now.
    pub pid: u32,
    /// The real user, as a number of this process' user namespace.
    ///
    /// 65534, the overflow uid, is not to be taken for a user: see
    /// [`is_overflow_uid`](Self::is_overflow_uid).
    pub uid: u32,
}

impl Sender {
    /// Whether the uid is 65534, which the kernel writes for every user that has no number in this
    /// process' user namespace ([`user_namespaces(7)`]).
    ///
    /// The system's own user of that number, by custom called `nobody`, can't be told from those: what
    /// is known is only that it is none of the other users of this namespace.
    ///
    /// [`user_namespaces(7)`]: https://man7.org/linux/man-pages/man7/user_namespaces.7.html
    ///
    /// # Platform notes
    ///
    /// Linux lets the administrator choose another number, for the whole system
    /// (`/proc/sys/kernel/overflowuid`); that file is not read. Elsewhere no sender is told.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::Sender;
    ///
    /// assert!(Sender { pid: 4321, uid: 65534 }.is_overflow_uid());
    /// assert!(!Sender { pid: 4321, uid: 1000 }.is_overflow_uid());
    /// ```
    #[doc(alias = "overflowuid")]
    pub const fn is_overflow_uid(&self) -> bool {
        self.uid == 65534
    }
}

/// What made the kernel send a signal (`si_code`, [`sigaction(2)`]).
///
/// `Process`, `Thread`, `Child` and `Kernel` are the kernel's word. `Queue`, `Timer`,
/// `MessageQueue` and `AsyncIo` are the *sender's*: `rt_sigqueueinfo(2)` lets a process write any
/// negative code but `SI_TKILL`, and all that belongs to it, sender and value included, into a
/// signal for another process of the same user. Records that the kernel made look the same, so none
/// is verified. `Io` can be either: [`SignalInfo::is_verified`] tells.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// A process called `kill(2)` (`SI_USER`). The sender is the kernel's word.
    Process(Sender),
    /// A process directed it at this very thread, by `tgkill(2)`, `pthread_kill(3)` or `raise(3)`
    /// (`SI_TKILL`). The sender is the kernel's word.
    Thread(Sender),
    /// A process called `sigqueue(3)` (`SI_QUEUE`). Nothing of it is verified.
    Queue {
        /// The sender, as it claims; the C library's function writes the truth. Absent if the sender is
        /// outside this process' pid namespace.
        sender: Option<Sender>,
        /// The integer that came along.
        value: i32,
    },
    /// A POSIX timer ran out (`SI_TIMER`, `timer_create(2)`); or a process wrote so: nothing of it is
    /// verified.
    Timer {
        /// The kernel's number of the timer; not the `timer_t` of the C library.
        id: u32,
        /// How often it ran out again before this record was read.
        overrun: u32,
        /// The integer set when the timer was made.
        value: i32,
    },
    /// A message arrived in an empty POSIX message queue (`SI_MESGQ`, `mq_notify(3)`); or a
    /// process wrote so: nothing of it is verified.
    MessageQueue {
        /// Who sent the message, so it claims.
        sender: Option<Sender>,
        /// The integer set with the notification.
        value: i32,
    },
    /// An asynchronous input or output request is complete (`SI_ASYNCIO`, `aio(7)`). The C
    /// library sends it, or any process that writes so: nothing of it is verified.
    AsyncIo {
        /// The process that made the request, so it claims.
        sender: Option<Sender>,
        /// The integer set with the request.
        value: i32,
    },
    /// A descriptor became ready, and `F_SETSIG` chose this signal to say so (`POLL_IN` and its
    /// like, `fcntl(2)`): the kernel's word. With the code `SI_SIGIO`, which no kernel since Linux
    /// 2.4 sends, a process wrote it.
    Io {
        /// The descriptor.
        fd: i32,
        /// The events, as `poll(2)` numbers them.
        band: i32,
    },
    /// A child changed its state (`CLD_EXITED` and its like): the kernel's word.
    Child(ChildInfo),
    /// The kernel itself: a terminal, an interval timer, a descriptor without `F_SETSIG`
    /// (`SI_KERNEL`). No process can write it for another.
    Kernel,
    /// The platform does not say, or what it said was lost: the sender is outside this process'
    /// pid namespace, or the queue of pending signals was full; or a process wrote a code that means
    /// nothing.
    Unknown,
}

/// What the kernel said about a child, with `SIGCHLD`.
///
/// Records of `SIGCHLD` merge while one is pending: they say that *some* children changed, so wait
/// for each that did (`waitpid(2)` with `WNOHANG`, until it finds none).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ChildInfo {
    /// The child.
    pub pid: u32,
    /// The child's real user; 65534 as with [`Sender::uid`].
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
