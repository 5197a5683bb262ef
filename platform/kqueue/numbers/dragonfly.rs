//! Signal numbers of DragonFly BSD ([`sigaction(2)`]).
//!
//! [`sigaction(2)`]: https://man.dragonflybsd.org/?command=sigaction&section=2
//!
//! There are signals up to 127, but the headers name none beyond 34: there is neither a `SIGRTMIN`
//! nor a `sigqueue(2)`. So those numbers are plain signals without a name, and the kernel ignores
//! them by default up to 63, the last one in its table.

use crate::Signal;
use crate::platform::ByDefault;

crate::signal::named_signals! {
    /// The names that this system has beside POSIX's.
    NAMES:
    EMT "SIGEMT" libc::SIGEMT, "an instruction that has to be emulated";
    INFO "SIGINFO" libc::SIGINFO, "the terminal asks what is going on (Ctrl-T)";
    THR "SIGTHR" 32, "the C library's own, to cancel threads: not receivable";
    CKPT "SIGCKPT" libc::SIGCKPT, "write a checkpoint and go on (Ctrl-E)";
    CKPTEXIT "SIGCKPTEXIT" libc::SIGCKPTEXIT, "write a checkpoint and exit";
}

/// There are no real-time signals by that name.
pub(crate) fn real_time() -> Option<(i32, i32)> {
    None
}

/// Whether the system has a signal of this number.
pub(crate) fn exists(number: i32) -> bool {
    (1..=127).contains(&number)
}

/// Whether the system lets a receiver have it: not what the C library handles itself,
/// and not `CONT`, which the kernel records only for a signal handler.
pub(crate) fn receivable(number: i32) -> bool {
    number != Signal::THR.as_raw() && number != libc::SIGCONT
}

/// What a signal does by default.
pub(crate) fn by_default(number: i32) -> ByDefault {
    match number {
        libc::SIGCHLD | libc::SIGCONT | libc::SIGURG => ByDefault::Ignored,
        libc::SIGIO | libc::SIGWINCH | libc::SIGINFO => ByDefault::Ignored,
        libc::SIGSTOP | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU => ByDefault::Stops,
        libc::SIGCKPT => ByDefault::Stops,
        32 | 35..=63 => ByDefault::Ignored,
        _ => ByDefault::Ends,
    }
}
