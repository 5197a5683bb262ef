//! Signal numbers of Linux and Android ([`signal(7)`]).
//!
//! [`signal(7)`]: https://man7.org/linux/man-pages/man7/signal.7.html

use crate::platform::ByDefault;

// libc 0.2.191 has the numbers of other architectures for 64-bit MIPS with glibc: a receiver of `USR1` would
// have received `BUS`.
#[cfg(any(
    target_arch = "mips",
    target_arch = "mips32r6",
    target_arch = "mips64",
    target_arch = "mips64r6"
))]
const _: () = assert!(
    libc::SIGUSR1 == 16 && libc::SIGCHLD == 18 && libc::SIGSTOP == 23,
    "this version of the libc crate has the signal numbers of another architecture: use 0.2.189 \
     (`cargo update -p libc --precise 0.2.189`, with mio 1.2.0), or one that was mended"
);

crate::signal::named_signals! {
    /// The names that this system has beside POSIX's.
    NAMES:
    PWR "SIGPWR" libc::SIGPWR, "the power fails";
    #[cfg(not(any(
        target_arch = "mips", target_arch = "mips32r6", target_arch = "mips64",
        target_arch = "mips64r6", target_arch = "sparc", target_arch = "sparc64"
    )))]
    STKFLT "SIGSTKFLT" libc::SIGSTKFLT, "for the program to use: no kernel sends it";
    // A number: the libc crate has the name with some C libraries alone.
    #[cfg(any(
        target_arch = "mips", target_arch = "mips32r6", target_arch = "mips64",
        target_arch = "mips64r6", target_arch = "sparc", target_arch = "sparc64"
    ))]
    EMT "SIGEMT" 7, "an instruction that has to be emulated";
}

/// The first and last real-time signal; the C library decides, and keeps some below for itself.
pub(crate) fn real_time() -> Option<(i32, i32)> {
    Some((libc::SIGRTMIN(), libc::SIGRTMAX()))
}

/// Whether the system has a signal of this number: up to 64, on MIPS 127. There the kernel knows a
/// 128th, but not the C library: a wait status has no room for it.
pub(crate) fn exists(number: i32) -> bool {
    (1..=libc::SIGRTMAX()).contains(&number)
}

/// Whether the system lets a receiver have it: not the numbers between the standard signals (the
/// last is 31) and `SIGRTMIN`.
pub(crate) fn receivable(number: i32) -> bool {
    number < 32 || number >= libc::SIGRTMIN()
}

/// What a signal does by default.
pub(crate) fn by_default(number: i32) -> ByDefault {
    match number {
        libc::SIGCHLD | libc::SIGCONT | libc::SIGURG | libc::SIGWINCH => ByDefault::Ignored,
        libc::SIGSTOP | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU => ByDefault::Stops,
        _ => ByDefault::Ends,
    }
}
