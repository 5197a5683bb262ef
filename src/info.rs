//! `SignalInfo`: what the kernel said of one signal, as plain data.

mod kind;
mod origin;
mod text;

use std::hash::{Hash, Hasher};

pub(crate) use self::kind::Kind;
pub use self::origin::{ChildInfo, ChildStatus, Origin, Sender};
use crate::Signal;

/// What the kernel said of one received signal: its number, its sender, its payload, its count.
///
/// It holds what the kernel said and nothing else: a field that the platform does not fill is
/// absent (`None`), never zero. macOS and the BSDs fill the signal and the count alone.
///
/// Of some signals the kernel only passes on what the sender wrote:
/// [`is_verified`](Self::is_verified).
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
    // The kernel's numbers as they came, since a record is copied far more often than it is asked for
    // its origin: `kind` tells what `numbers` and `wide` mean.
    signal: Signal,
    kind: Kind,
    has_code: bool,
    code: i32,
    count: u32,
    numbers: [u32; 3],
    wide: [u64; 2],
}

/// It is copied from queue to queue.
const _: () = assert!(size_of::<SignalInfo>() <= 40);

impl SignalInfo {
    /// What a backend was told; `value_ptr` counts only with an origin that carries a value.
    pub(crate) fn new(
        signal: Signal,
        count: u32,
        code: Option<i32>,
        origin: Origin,
        value_ptr: usize,
    ) -> SignalInfo {
        let (kind, numbers, times) = kind::parts(origin);
        let wide = times.unwrap_or([value_ptr as u64, 0]);
        let (has_code, code) = (code.is_some(), code.unwrap_or(0));
        SignalInfo { signal, kind, has_code, code, count, numbers, wide }
    }

    /// The same from the numbers that the kind has; all but a child's.
    #[inline(always)]
    #[allow(dead_code)] // kqueue tells no origin
    pub(crate) fn of_kind(
        signal: Signal,
        code: i32,
        kind: Kind,
        numbers: [u32; 3],
        value_ptr: usize,
    ) -> SignalInfo {
        let wide = [value_ptr as u64, 0];
        SignalInfo { signal, kind, has_code: true, code, count: 1, numbers, wide }
    }

    /// What counts in a comparison: not a pointer that came with no value, which is a leftover.
    fn parts(&self) -> (Signal, u32, Option<i32>, Origin, Option<usize>) {
        (self.signal, self.count, self.code(), self.origin(), self.value_ptr())
    }

    /// What tests of the hub tell one record from another by.
    #[cfg(all(test, feature = "tokio"))]
    pub(crate) fn raw_value(&self) -> usize {
        self.pointer()
    }

    #[allow(clippy::cast_possible_truncation)] // it was one that was widened
    fn pointer(&self) -> usize {
        self.wide[0] as usize
    }

    /// The signal.
    #[inline]
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// What made the kernel send it; or, where it is not [verified](Self::is_verified), what the
    /// sender says did.
    pub fn origin(&self) -> Origin {
        kind::origin(self.kind, self.numbers, self.wide)
    }

    /// The process and user behind it, where the kernel reported them: the caller of `kill`, `tgkill`
    /// or `sigqueue`, the sender of the message, with `SIGCHLD` the child.
    ///
    /// With a queued signal it is what the sender wrote, which can be anything: ask
    /// [`is_verified`](Self::is_verified) before anything depends on it.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::{Sender, SignalInfo};
    ///
    /// /// Who sent it, if that is certain.
    /// fn certain_sender(info: &SignalInfo) -> Option<Sender> {
    ///     info.sender().filter(|_| info.is_verified())
    /// }
    /// ```
    #[doc(alias = "si_pid")]
    #[doc(alias = "si_uid")]
    pub fn sender(&self) -> Option<Sender> {
        match self.origin() {
            Origin::Process(sender) | Origin::Thread(sender) => Some(sender),
            Origin::Queue { sender, .. }
            | Origin::MessageQueue { sender, .. }
            | Origin::AsyncIo { sender, .. } => sender,
            Origin::Child(child) => Some(Sender { pid: child.pid, uid: child.uid }),
            Origin::Timer { .. } | Origin::Io { .. } | Origin::Kernel | Origin::Unknown => None,
        }
    }

    /// Whether [`origin`](Self::origin) and [`sender`](Self::sender) are the kernel's word, so that
    /// the sender can't have written them: of `kill`, `tgkill` and their like, of a child, a
    /// descriptor and of what the kernel itself sends.
    ///
    /// Not of what is queued: the kernel takes a whole record from its sender, except with the codes
    /// above ([`rt_sigqueueinfo(2)`], and `pidfd_send_signal(2)`). Timers and message queues use codes
    /// that a sender may write too, so theirs are not verified either. A process that sends to
    /// itself may write any code.
    ///
    /// [`rt_sigqueueinfo(2)`]: https://man7.org/linux/man-pages/man2/rt_sigqueueinfo.2.html
    ///
    /// # Platform notes
    ///
    /// Always false on macOS and the BSDs, which tell no origin ([`Origin::Unknown`]).
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::{Signal, Signals, send};
    ///
    /// let signals = Signals::new(Signal::USR1)?;
    /// send::kill(std::process::id(), Signal::USR1)?;
    /// # #[cfg(target_os = "linux")]
    /// assert!(signals.recv()?.is_verified());
    /// # #[cfg(target_os = "linux")]
    /// send::sigqueue(std::process::id(), Signal::USR1, 7)?;
    /// # #[cfg(target_os = "linux")]
    /// assert!(!signals.recv()?.is_verified());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_verified(&self) -> bool {
        match self.origin() {
            Origin::Process(_) | Origin::Thread(_) | Origin::Child(_) | Origin::Kernel => true,
            // The kernel's codes are positive; SI_SIGIO is not.
            Origin::Io { .. } => self.code().is_some_and(|code| code > 0),
            Origin::Queue { .. }
            | Origin::Timer { .. }
            | Origin::MessageQueue { .. }
            | Origin::AsyncIo { .. }
            | Origin::Unknown => false,
        }
    }

    /// The integer that came along with `sigqueue(3)`, a timer, a message queue or asynchronous
    /// input and output.
    #[doc(alias = "sival_int")]
    #[inline]
    pub fn value(&self) -> Option<i32> {
        self.kind.has_value().then_some(self.numbers[2] as i32)
    }

    /// The same as [`value`](Self::value), as wide as a pointer: what a sender wrote into
    /// `sival_ptr`. It is a number of the sender's, never an address to follow.
    #[doc(alias = "sival_ptr")]
    pub fn value_ptr(&self) -> Option<usize> {
        self.value().map(|_| self.pointer())
    }

    /// How often the signal was sent since it was last received, by the kernel's count: always 1
    /// on Linux, which merges standard signals while one is pending and queues real-time signals
    /// one by one; every sending on macOS and the BSDs.
    #[inline]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The raw `si_code`, where the platform has one.
    #[doc(alias = "si_code")]
    #[inline]
    pub fn code(&self) -> Option<i32> {
        self.has_code.then_some(self.code)
    }
}

/// All that can be asked for is the same.
impl PartialEq for SignalInfo {
    fn eq(&self, other: &SignalInfo) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for SignalInfo {}

impl Hash for SignalInfo {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}
