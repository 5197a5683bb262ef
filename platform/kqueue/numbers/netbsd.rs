//! Signal numbers of NetBSD ([`signal(7)`]).
//!
//! [`signal(7)`]: https://man.netbsd.org/signal.7

use crate::platform::ByDefault;

crate::signal::named_signals! {
    /// The names that this system has beside POSIX's.
    NAMES:
    EMT "SIGEMT" libc::SIGEMT, "an instruction that has to be emulated";
    INFO "SIGINFO" libc::SIGINFO, "the terminal asks what is going on (Ctrl-T)";
    PWR "SIGPWR" 32, "the power fails, or is back";
}

/// The first and last real-time signal, `SIGRTMIN` and `SIGRTMAX` of `<signal.h>`.
pub(crate) fn real_time() -> Option<(i32, i32)> {
    Some((33, 63))
}

/// Whether the system has a signal of this number.
pub(crate) fn exists(number: i32) -> bool {
    (1..=63).contains(&number)
}

/// Whether the system lets a receiver have it: each, as far as numbers go.
pub(crate) fn receivable(_number: i32) -> bool {
    true
}

/// What a signal does by default.
pub(crate) fn by_default(number: i32) -> ByDefault {
    match number {
        libc::SIGCHLD | libc::SIGCONT | libc::SIGURG => ByDefault::Ignored,
        libc::SIGIO | libc::SIGWINCH | libc::SIGINFO => ByDefault::Ignored,
        libc::SIGSTOP | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU => ByDefault::Stops,
        32 => ByDefault::Ignored, // PWR
        _ => ByDefault::Ends,
    }
}
