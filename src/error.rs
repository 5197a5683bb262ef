//! `OpenError`: why a receiver could not be opened or changed.

use std::borrow::Cow;
use std::fmt;
use std::io;

use crate::mask::ThreadInfo;
use crate::platform::THREAD;
use crate::{Signal, SignalSet};

/// Why [`Signals::new`](crate::Signals::new) or [`update`](crate::Signals::update) refused.
///
/// Whatever the reason, nothing was changed: mask, dispositions, descriptors and other receivers
/// are as they were. The message says what to do. `Debug` shows it too, since that is what `expect`
/// prints, and the runtime of Rust for an error that `main` returns.
///
/// # Examples
///
/// ```
/// use signal_source::{OpenError, Signal, Signals};
///
/// match Signals::new([Signal::TERM, Signal::KILL]) {
///     Err(error @ OpenError::NotReceivable(_)) => println!("{error}"),
///     // SIGKILL cannot be received: the kernel lets no process receive, block or ignore it; ...
///     other => drop(other),
/// }
/// ```
#[non_exhaustive]
pub enum OpenError {
    /// The set has no signal, so nothing would ever be received.
    Empty,
    /// The signal can't be received: see [`Signal::is_receivable`].
    NotReceivable(Signal),
    /// Another receiver of this process has these signals.
    AlreadyReceived(SignalSet),
    /// Other threads do not block the signals, so the kernel could give the signals to them and
    /// not to the receiver (Linux, Android).
    UnblockedThreads {
        /// All signals that some thread does not block.
        signals: SignalSet,
        /// The threads, and what each does not block.
        threads: Vec<ThreadInfo>,
    },
    /// So many threads wait in `recv`, `recv_timeout` or the iterator of the receiver, for the set as
    /// it is, and would not learn of another one (Linux, Android). Those that come later would: see
    /// [`update`](crate::Signals::update).
    Waiting(u32),
    /// The system refused: no descriptor left, say.
    Os(io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Empty => {
                f.write_str("no signal to receive: the set is empty; name at least one")
            }
            OpenError::NotReceivable(signal) => not_receivable(f, *signal),
            OpenError::AlreadyReceived(signals) => write!(
                f,
                "{signals}: already received by another receiver of this process; drop that one \
                 first, or receive once and hand the signals on, as tokio::SignalHub does (feature \
                 `tokio`)"
            ),
            OpenError::UnblockedThreads { signals, threads } => {
                unblocked_threads(f, *signals, threads)
            }
            OpenError::Waiting(threads) => {
                let plural = if *threads == 1 { " waits" } else { "s wait" };
                write!(
                    f,
                    "{threads} thread{plural} in recv for the set as it is, and would not learn of a \
                     change: change it when they have returned; threads that come to recv or \
                     recv_timeout from now on wait for the descriptor, and are not in the way"
                )
            }
            OpenError::Os(error) => error.fmt(f),
        }
    }
}

impl fmt::Debug for OpenError {
    /// The variant and the message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variant = match self {
            OpenError::Empty => "Empty",
            OpenError::NotReceivable(_) => "NotReceivable",
            OpenError::AlreadyReceived(_) => "AlreadyReceived",
            OpenError::UnblockedThreads { .. } => "UnblockedThreads",
            OpenError::Waiting(_) => "Waiting",
            // The number and the kind, beside what the message says.
            OpenError::Os(error) => return f.debug_tuple("Os").field(error).finish(),
        };
        write!(f, "{variant}: {self}")
    }
}

fn not_receivable(f: &mut fmt::Formatter<'_>, signal: Signal) -> fmt::Result {
    let reason = match signal {
        Signal::KILL | Signal::STOP => "the kernel lets no process receive, block or ignore it",
        Signal::ILL | Signal::TRAP | Signal::BUS | Signal::FPE | Signal::SEGV | Signal::SYS => {
            "it reports a fault of the thread that runs, which can't go on before it is handled"
        }
        Signal::CONT => "this system's kernel never records it without a signal handler",
        _ => "the C library keeps this number for itself",
    };
    write!(f, "{signal} cannot be received: {reason}; take it out of the set")
}

/// How many threads a message names.
const NAMED: usize = 8;

fn unblocked_threads(
    f: &mut fmt::Formatter<'_>,
    signals: SignalSet,
    threads: &[ThreadInfo],
) -> fmt::Result {
    let (count, plural) = (threads.len(), if threads.len() == 1 { " does" } else { "s do" });
    write!(
        f,
        "{count} thread{plural} not block {signals}, so signals would bypass the receiver: "
    )?;
    for (index, thread) in threads.iter().take(NAMED).enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(f, "{comma}{thread}")?;
    }
    if count > NAMED {
        write!(f, " and {} more", count - NAMED)?;
    }
    if threads.iter().any(|thread| thread.name == THREAD) {
        return write!(
            f,
            ". {THREAD:?} is this crate's own thread, which is inside a signal handler of the \
             program: open the receiver when that has returned"
        );
    }
    ways_out(f, signals)
}

/// How a program comes to have the signals blocked in every thread: the first way that fits it.
fn ways_out(f: &mut fmt::Formatter<'_>, signals: SignalSet) -> fmt::Result {
    f.write_str(
        ". Open the receiver in main before starting threads, with tokio before building the \
         runtime (inside #[tokio::main] its threads exist already); or reserve the signals for a \
         receiver on any thread, with ",
    )?;
    // Real-time signals have no constants, so the macro can't name them.
    if !signals.iter().any(Signal::is_real_time) {
        f.write_str("signal_source::reserve_at_start!(")?;
        for (index, signal) in signals.iter().enumerate() {
            let (comma, name) = (if index == 0 { "" } else { ", " }, signal.to_string());
            write!(f, "{comma}{}", name.trim_start_matches("SIG"))?;
        }
        f.write_str("); beside main, or with ")?;
    }
    f.write_str(
        "signal_source::reserve first in main; or block them there with mask::block, so that every \
         thread inherits it",
    )
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            OpenError::Os(error) => error.source(),
            _ => None,
        }
    }
}

impl From<OpenError> for io::Error {
    /// Keeps an operating-system error as it is: it names the call that was refused, and what the
    /// system said is its inner error's [`source`](std::error::Error::source). The others become the
    /// inner error of one whose kind is `InvalidInput`, `ResourceBusy` or `Other`.
    fn from(error: OpenError) -> io::Error {
        let kind = match error {
            OpenError::Os(error) => return error,
            OpenError::Empty | OpenError::NotReceivable(_) => io::ErrorKind::InvalidInput,
            OpenError::AlreadyReceived(_) | OpenError::Waiting(_) => io::ErrorKind::ResourceBusy,
            OpenError::UnblockedThreads { .. } => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> OpenError {
        OpenError::Os(error)
    }
}

/// A system call or a file that failed, with the error.
#[derive(Debug)]
pub(crate) struct Refused {
    what: Cow<'static, str>,
    error: io::Error,
}

impl Refused {
    /// The error, of the same kind, saying what was refused.
    pub(crate) fn wrap(what: impl Into<Cow<'static, str>>, error: io::Error) -> io::Error {
        io::Error::new(error.kind(), Refused { what: what.into(), error })
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.error)
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
