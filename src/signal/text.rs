//! Signals as text and as numbers, read and written.

use std::fmt;
use std::io;
use std::str::FromStr;

use super::{ALIASES, POSIX, Signal};
use crate::platform::numbers;

impl fmt::Display for Signal {
    /// `SIGTERM`, `SIGRTMIN`, `SIGRTMIN+3`; `SIG33` for a number without a name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = self.name() {
            return f.pad(&format!("SIG{name}"));
        }
        match numbers::real_time() {
            Some((min, _)) if self.as_raw() == min => f.pad("SIGRTMIN"),
            Some((min, max)) if (min..=max).contains(&self.as_raw()) => {
                f.pad(&format!("SIGRTMIN+{}", self.as_raw() - min))
            }
            _ => f.pad(&format!("SIG{}", self.0)),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The error of parsing a [`Signal`]: the text is no signal's name or number on this system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseSignalError {
    input: String,
}

impl fmt::Display for ParseSignalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a signal of this system: write a name with or without SIG (TERM, \
             SIGTERM), ",
            self.input
        )?;
        if numbers::real_time().is_some() {
            f.write_str("a real-time signal (RTMIN+3, RTMAX-1), ")?;
        }
        f.write_str("or a number (15)")
    }
}

impl std::error::Error for ParseSignalError {}

/// This system has no signal of the number: the error of `Signal::try_from`.
///
/// # Examples
///
/// ```
/// use signal_source::{Signal, SignalNumberError};
///
/// assert_eq!(Signal::try_from(15), Ok(Signal::TERM));
/// let error: SignalNumberError = Signal::try_from(-1).unwrap_err();
/// assert_eq!(error.number(), -1);
/// assert!(error.to_string().starts_with("-1 is not the number of a signal of this system"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalNumberError {
    number: i32,
}

impl SignalNumberError {
    /// The number.
    pub const fn number(self) -> i32 {
        self.number
    }
}

impl fmt::Display for SignalNumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = (1..=128).rev().find(|&number| Signal::from_raw(number).is_some());
        write!(f, "{} is not the number of a signal of this system", self.number)?;
        last.map_or(Ok(()), |last| write!(f, ": they go from 1 to {last}"))
    }
}

impl std::error::Error for SignalNumberError {}

impl From<SignalNumberError> for io::Error {
    fn from(error: SignalNumberError) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidInput, error)
    }
}

impl TryFrom<i32> for Signal {
    type Error = SignalNumberError;

    /// As [`Signal::from_raw`].
    fn try_from(number: i32) -> Result<Signal, SignalNumberError> {
        Signal::from_raw(number).ok_or(SignalNumberError { number })
    }
}

impl From<ParseSignalError> for io::Error {
    fn from(error: ParseSignalError) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidInput, error)
    }
}

impl FromStr for Signal {
    type Err = ParseSignalError;

    /// Reads `TERM`, `SIGTERM`, `RTMIN+3`, `RTMAX-1` or `15`; upper and lower case are alike.
    fn from_str(input: &str) -> Result<Signal, ParseSignalError> {
        let upper = input.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        named(name)
            .or_else(|| parse_real_time(name))
            .or_else(|| Signal::from_raw(parse_digits(name)?))
            .ok_or_else(|| ParseSignalError { input: input.to_owned() })
    }
}

fn named(name: &str) -> Option<Signal> {
    for table in [POSIX, numbers::NAMES, ALIASES] {
        for &(known, signal) in table {
            if known == name {
                return Some(signal);
            }
        }
    }
    None
}

/// `RTMIN`, `RTMIN+n`, `RTMAX`, `RTMAX-n`.
fn parse_real_time(name: &str) -> Option<Signal> {
    let (min, max) = numbers::real_time()?;
    let number = if let Some(rest) = name.strip_prefix("RTMIN") {
        if rest.is_empty() { min } else { min.checked_add(parse_digits(rest.strip_prefix('+')?)?)? }
    } else {
        let rest = name.strip_prefix("RTMAX")?;
        if rest.is_empty() { max } else { max.checked_sub(parse_digits(rest.strip_prefix('-')?)?)? }
    };
    (min..=max).contains(&number).then(|| Signal::constant(number))
}

/// Decimal digits alone: `i32::from_str` would take a sign too.
fn parse_digits(text: &str) -> Option<i32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}
