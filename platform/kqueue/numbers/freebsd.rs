//! Signal numbers of FreeBSD ([`signal(3)`]).
//!
//! [`signal(3)`]: https://man.freebsd.org/cgi/man.cgi?query=signal&sektion=3

use crate::platform::ByDefault;

crate::signal::named_signals! {
    /// The names that this system has beside POSIX's.
    NAMES:
    EMT "SIGEMT" libc::SIGEMT, "an instruction that has to be emulated";
    INFO "SIGINFO" libc::SIGINFO, "the terminal asks what is going on (Ctrl-T)";
    THR "SIGTHR" libc::SIGTHR, "the C library's own, to cancel threads: not receivable";
    LIBRT "SIGLIBRT" libc::SIGLIBRT, "the C library's own, for timers and queues: not receivable";
}

/// The first and last real-time signal, `SIGRTMIN` and `SIGRTMAX` of `<signal.h>`.
pub(crate) fn real_time() -> Option<(i32, i32)> {
    Some((65, 126))
}

/// Whether the system has a signal of this number. Those without a name or
/// a place among the real-time signals can be sent all the same.
pub(crate) fn exists(number: i32) -> bool {
    (1..=128).contains(&number)
}

/// Whether the system lets a receiver have it: not what the C library handles itself.
pub(crate) fn receivable(number: i32) -> bool {
    number != libc::SIGTHR && number != libc::SIGLIBRT
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
