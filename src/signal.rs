//! `Signal`: a signal number and its names.

mod text;

use std::io;

pub use self::text::{ParseSignalError, SignalNumberError};

use crate::platform::{self, numbers};

/// A signal number, such as `Signal::TERM` for `SIGTERM`.
///
/// The constants are POSIX's names without `SIG`, and the platform's own beside them (`PWR` and
/// `STKFLT` on Linux; `INFO`, `EMT` and others on macOS and the BSDs). Real-time signals have no
/// constants, because the C library decides at run time where they begin: see [`Signal::rt`].
///
/// A `Signal` always is a number that this system knows. Not each can be received
/// ([`Signal::is_receivable`]).
///
/// # Examples
///
/// ```
/// use signal_source::Signal;
///
/// assert_eq!(Signal::TERM.to_string(), "SIGTERM");
/// assert_eq!("hup".parse::<Signal>()?, Signal::HUP);
/// assert_eq!("15".parse::<Signal>()?, Signal::TERM);
/// assert_eq!(Signal::from_raw(1), Some(Signal::HUP));
/// # Ok::<(), signal_source::ParseSignalError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(u8);

/// What a signal does to the process while no receiver has it: [`Signal::disposition`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Disposition {
    /// The system's default action (`SIG_DFL`).
    Default,
    /// The signal is ignored (`SIG_IGN`).
    Ignore,
    /// A function of this process handles it.
    Handler,
}

/// Defines associated constants of [`Signal`] and the table of their names: for the POSIX names
/// here, for a system's own beside its backend in `platform/`.
macro_rules! named_signals {
    ($(#[$table_doc:meta])* $table:ident:
        $($(#[$cfg:meta])* $name:ident $alias:literal $number:expr, $doc:literal;)*) => {
        impl $crate::Signal {
            $(
                $(#[$cfg])*
                #[doc = concat!("`", $alias, "`: ", $doc)]
                #[doc(alias = $alias)]
                pub const $name: $crate::Signal = $crate::Signal::constant($number);
            )*
        }
        $(#[$table_doc])*
        pub(crate) const $table: &[(&str, $crate::Signal)] =
            &[$($(#[$cfg])* (stringify!($name), $crate::Signal::$name)),*];
    };
}
pub(crate) use named_signals;

named_signals! {
    /// The names that every supported system has.
    POSIX:
    HUP "SIGHUP" libc::SIGHUP, "the terminal hung up; by custom: reload the configuration";
    INT "SIGINT" libc::SIGINT, "interrupt from the terminal (Ctrl-C)";
    QUIT "SIGQUIT" libc::SIGQUIT, "quit from the terminal (Ctrl-\\\\), with a core dump";
    ILL "SIGILL" libc::SIGILL, "illegal instruction (a fault: not receivable)";
    TRAP "SIGTRAP" libc::SIGTRAP, "trace or breakpoint trap (a fault: not receivable)";
    ABRT "SIGABRT" libc::SIGABRT, "sent by `abort(3)`";
    BUS "SIGBUS" libc::SIGBUS, "bus error (a fault: not receivable)";
    FPE "SIGFPE" libc::SIGFPE, "arithmetic fault (a fault: not receivable)";
    KILL "SIGKILL" libc::SIGKILL, "kills; can be neither received nor blocked";
    USR1 "SIGUSR1" libc::SIGUSR1, "for the program to use";
    SEGV "SIGSEGV" libc::SIGSEGV, "invalid memory access (a fault: not receivable)";
    USR2 "SIGUSR2" libc::SIGUSR2, "for the program to use";
    PIPE "SIGPIPE" libc::SIGPIPE, "write to a pipe or socket whose other end is closed; Linux directs it at the writing thread";
    ALRM "SIGALRM" libc::SIGALRM, "the timer of `alarm(2)` or `setitimer(2)` ran out";
    TERM "SIGTERM" libc::SIGTERM, "please terminate";
    CHLD "SIGCHLD" libc::SIGCHLD, "some child exited, stopped or continued: wait for all that did";
    CONT "SIGCONT" libc::SIGCONT, "continue after a stop";
    STOP "SIGSTOP" libc::SIGSTOP, "stops; can be neither received nor blocked";
    TSTP "SIGTSTP" libc::SIGTSTP, "stop from the terminal (Ctrl-Z)";
    TTIN "SIGTTIN" libc::SIGTTIN, "a background process reads from the terminal";
    TTOU "SIGTTOU" libc::SIGTTOU, "a background process writes to the terminal";
    URG "SIGURG" libc::SIGURG, "out-of-band data on a socket";
    XCPU "SIGXCPU" libc::SIGXCPU, "the limit of CPU time was exceeded";
    XFSZ "SIGXFSZ" libc::SIGXFSZ, "the limit of a file's size was exceeded";
    VTALRM "SIGVTALRM" libc::SIGVTALRM, "the virtual timer of `setitimer(2)` ran out";
    PROF "SIGPROF" libc::SIGPROF, "the profiling timer of `setitimer(2)` ran out";
    WINCH "SIGWINCH" libc::SIGWINCH, "the terminal's window changed its size";
    IO "SIGIO" libc::SIGIO, "input or output is possible on a descriptor";
    SYS "SIGSYS" libc::SIGSYS, "bad system call (a fault: not receivable)";
}

/// Second names that `FromStr` understands.
const ALIASES: &[(&str, Signal)] =
    &[("IOT", Signal::ABRT), ("CLD", Signal::CHLD), ("POLL", Signal::IO)];

impl Signal {
    /// For the tables of constants: the number is a C library constant. 128 is the last of any
    /// system (MIPS, FreeBSD).
    #[allow(clippy::cast_possible_truncation)] // asserted, when the constant is evaluated
    pub(crate) const fn constant(number: i32) -> Signal {
        assert!(number >= 1 && number <= 128);
        Signal(number as u8)
    }

    /// A number that came from the kernel, which does not invent any.
    pub(crate) fn from_kernel(number: u32) -> Option<Signal> {
        match u8::try_from(number) {
            Ok(number @ 1..=128) => Some(Signal(number)),
            _ => None,
        }
    }

    /// The real-time signal `SIGRTMIN + n`, or `None` if that is past `SIGRTMAX` or the system has
    /// no real-time signals (macOS, iOS, OpenBSD).
    ///
    /// `SIGRTMIN` is the C library's: glibc begins at 34, musl at 35, FreeBSD at 65. Linux queues
    /// real-time signals one by one, each with its own payload ([`signal(7)`]).
    ///
    /// [`signal(7)`]: https://man7.org/linux/man-pages/man7/signal.7.html
    ///
    /// ```
    /// use signal_source::Signal;
    ///
    /// if let Some(signal) = Signal::rt(3) {
    ///     assert_eq!(signal.to_string(), "SIGRTMIN+3");
    /// }
    /// assert_eq!(Signal::rt(200), None);
    /// ```
    #[doc(alias = "SIGRTMIN")]
    pub fn rt(n: u8) -> Option<Signal> {
        let (min, max) = numbers::real_time()?;
        let number = min + i32::from(n);
        (number <= max).then(|| Signal::constant(number))
    }

    /// The signal with this number, or `None` if this system has none. `Signal::try_from` is the
    /// same with an error that names the number.
    ///
    /// The numbers that the C library keeps for itself (32 and 33 with glibc) do exist; they are
    /// not receivable.
    pub fn from_raw(number: i32) -> Option<Signal> {
        numbers::exists(number).then(|| Signal::constant(number))
    }

    /// The number, as C has it.
    pub const fn as_raw(self) -> i32 {
        self.0 as i32
    }

    /// Whether it is a real-time signal (`SIGRTMIN` to `SIGRTMAX`): Linux queues these
    /// one by one, each with its value, instead of merging them. Never on the systems without any.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::Signal;
    ///
    /// assert!(!Signal::TERM.is_real_time());
    /// if let Some(signal) = Signal::rt(0) {
    ///     assert!(signal.is_real_time());
    /// }
    /// ```
    #[doc(alias = "SIGRTMIN")]
    pub fn is_real_time(self) -> bool {
        numbers::real_time().is_some_and(|(min, max)| (min..=max).contains(&self.as_raw()))
    }

    /// Whether [`Signals`](crate::Signals) can receive this signal.
    ///
    /// Not receivable are `KILL` and `STOP`, which the kernel lets no process receive; `ILL`, `TRAP`,
    /// `BUS`, `FPE`, `SEGV` and `SYS`, which report a fault of the very thread that runs and would
    /// kill it nevertheless; and the numbers that the C library keeps for its own threads.
    /// `CONT` is not receivable on DragonFly BSD, whose kernel never records it.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::Signal;
    ///
    /// assert!(Signal::TERM.is_receivable());
    /// assert!(!Signal::KILL.is_receivable());
    /// ```
    pub fn is_receivable(self) -> bool {
        !matches!(
            self,
            Signal::KILL
                | Signal::STOP
                | Signal::ILL
                | Signal::TRAP
                | Signal::BUS
                | Signal::FPE
                | Signal::SEGV
                | Signal::SYS
        ) && numbers::receivable(self.as_raw())
    }

    /// What this signal does to the process while no receiver has it, read by `sigaction(2)`.
    ///
    /// A program that may run under `nohup` or as a shell's background job looks here before it
    /// opens a receiver for `HUP` or `INT`: what was ignored at the start should stay ignored.
    /// While a receiver is open, the answer may be its doing: on macOS and the BSDs a received
    /// signal is ignored.
    ///
    /// # Errors
    ///
    /// For the numbers that the C library keeps for itself: it does not tell.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::{Disposition, Signal, SignalSet};
    ///
    /// let mut set = SignalSet::from([Signal::INT, Signal::TERM]);
    /// if Signal::INT.disposition()? == Disposition::Ignore {
    ///     set = set.without(Signal::INT); // a shell's background job
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "sigaction")]
    pub fn disposition(self) -> io::Result<Disposition> {
        platform::disposition(self)
    }

    /// The name without `SIG`, for the signals that have one.
    fn name(self) -> Option<&'static str> {
        for table in [numbers::NAMES, POSIX] {
            for &(name, signal) in table {
                if signal == self {
                    return Some(name);
                }
            }
        }
        None
    }
}
