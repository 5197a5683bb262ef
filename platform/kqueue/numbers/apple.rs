//! Signal numbers of macOS and iOS ([`sigaction(2)`]).
//!
//! [`sigaction(2)`]: https://developer.apple.com/library/archive/documentation/System/Conceptual/ManPages_iPhoneOS/man2/sigaction.2.html

use crate::platform::ByDefault;

crate::signal::named_signals! {
    /// The names that this system has beside POSIX's.
    NAMES:
    EMT "SIGEMT" libc::SIGEMT, "an instruction that has to be emulated";
    INFO "SIGINFO" libc::SIGINFO, "the terminal asks what is going on (Ctrl-T)";
}

/// There are no real-time signals.
pub(crate) fn real_time() -> Option<(i32, i32)> {
    None
}

/// Whether the system has a signal of this number.
pub(crate) fn exists(number: i32) -> bool {
    (1..=31).contains(&number)
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
        _ => ByDefault::Ends,
    }
}
