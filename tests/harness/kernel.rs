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
    /// The sender's pid and uid are told.
    pub sender: bool,
    /// The integer of `sigqueue` is told, and each real-time signal is a record of its own.
    pub value: bool,
    /// Every sending counts, also of a signal that is pending already.
    pub counts: bool,
    pub order: Order,
    /// Real-time signals exist.
    pub real_time: bool,
    /// `sigqueue` exists.
    pub sigqueue: bool,
    /// `raise` is received by the thread that raised.
    pub raise: bool,
    /// A signal directed at another thread is received.
    pub directed_elsewhere: bool,
    /// CONT is received.
    pub cont: bool,
    /// A forked child inherits the descriptor and reads its own signals from it.
    pub inherits_descriptor: bool,
}

#[cfg(any(target_os = "linux", target_os = "android"))]
pub const KERNEL: Kernel = Kernel {
    masked: true,
    sender: true,
    value: true,
    counts: false,
    order: Order::Number,
    real_time: true,
    sigqueue: true,
    raise: true,
    directed_elsewhere: false,
    cont: true,
    inherits_descriptor: true,
};

/// What the kqueue kernels have in common.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const KQUEUE: Kernel = Kernel {
    masked: false,
    sender: false,
    value: false,
    counts: true,
    order: Order::Arrival,
    real_time: false,
    sigqueue: false,
    raise: true,
    directed_elsewhere: true,
    cont: true,
    inherits_descriptor: false,
};

#[cfg(any(target_os = "freebsd", target_os = "netbsd"))]
pub const KERNEL: Kernel = Kernel { real_time: true, sigqueue: true, ..KQUEUE };

#[cfg(target_os = "openbsd")]
pub const KERNEL: Kernel = KQUEUE;

#[cfg(target_os = "dragonfly")]
pub const KERNEL: Kernel = Kernel { cont: false, ..KQUEUE };

#[cfg(any(target_os = "macos", target_os = "ios"))]
pub const KERNEL: Kernel = Kernel { raise: false, directed_elsewhere: false, ..KQUEUE };
