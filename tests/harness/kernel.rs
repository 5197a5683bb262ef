//! What differs by kernel: one table, which is also the one in the crate's documentation.

/// In which order signals that are pending together are received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The lowest number first.
    Number,
    /// As they were first sent.
    Arrival,
}

/// What a case may expect of the kernel that it runs on.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// A received signal has to stay blocked in every thread; opening audits them.
    pub masked: bool,
    /// A blocked signal whose default is to be ignored is not kept pending.
    pub discards_blocked_by_default: bool,
    /// The sender's pid and uid are told.
    pub sender: bool,
    /// The integer of `sigqueue` is told, and each real-time signal is a record of its own.
    pub value: bool,
    /// Every sending counts, also of a signal that is pending already.
    pub counts: bool,
    pub order: Order,
    /// Real-time signals exist.
    pub real_time: bool,
    /// The highest number of a signal.
    pub highest: i32,
    /// `sigqueue` exists.
    pub sigqueue: bool,
    /// `raise` is received by the thread that raised.
    pub raise: bool,
    /// A signal directed at another thread is received.
    pub directed_elsewhere: bool,
    /// What is pending for the process is shown to each of its threads (`sigpending`), so that one that
    /// opens a receiver has it received.
    pub shows_pending: bool,
    /// CONT is received.
    pub cont: bool,
    /// A forked child inherits the descriptor and reads its own signals from it.
    pub inherits_descriptor: bool,
}

#[cfg(any(target_os = "linux", target_os = "android"))]
pub const KERNEL: Kernel = Kernel {
    masked: true,
    discards_blocked_by_default: false,
    sender: true,
    value: true,
    counts: false,
    order: Order::Number,
    real_time: true,
    highest: if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 127 } else { 64 },
    sigqueue: true,
    raise: true,
    directed_elsewhere: false,
    shows_pending: true,
    cont: true,
    inherits_descriptor: true,
};

/// What the kqueue kernels have in common.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const KQUEUE: Kernel = Kernel {
    masked: false,
    discards_blocked_by_default: false,
    sender: false,
    value: false,
    counts: true,
    order: Order::Arrival,
    real_time: false,
    highest: 31,
    sigqueue: false,
    raise: true,
    directed_elsewhere: true,
    shows_pending: true,
    cont: true,
    inherits_descriptor: false,
};

#[cfg(target_os = "freebsd")]
pub const KERNEL: Kernel = Kernel {
    discards_blocked_by_default: true,
    real_time: true,
    highest: 128,
    sigqueue: true,
    ..KQUEUE
};

#[cfg(target_os = "netbsd")]
pub const KERNEL: Kernel = Kernel {
    discards_blocked_by_default: true,
    real_time: true,
    highest: 63,
    sigqueue: true,
    ..KQUEUE
};

#[cfg(target_os = "openbsd")]
pub const KERNEL: Kernel = Kernel { highest: 32, ..KQUEUE };

#[cfg(target_os = "dragonfly")]
pub const KERNEL: Kernel = Kernel { highest: 127, cont: false, ..KQUEUE };

#[cfg(any(target_os = "macos", target_os = "ios"))]
pub const KERNEL: Kernel =
    Kernel { raise: false, directed_elsewhere: false, shows_pending: false, ..KQUEUE };
