//! `SignalSet`: a set of signals, without a system call.

use std::fmt;
use std::iter::FusedIterator;
use std::ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, Sub, SubAssign};

use crate::Signal;

/// A set of [`Signal`]s: 128 bits, wide enough for every system.
///
/// Unlike C's `sigset_t` it needs no initialisation, compares, hashes and can be a constant.
/// Wherever this crate takes a set, it takes one signal or an array of them too.
///
/// # Examples
///
/// ```
/// use signal_source::{Signal, SignalSet};
///
/// const STOP: SignalSet = SignalSet::EMPTY.with(Signal::INT).with(Signal::TERM);
/// let all = STOP | Signal::HUP;
///
/// assert!(all.contains(Signal::HUP));
/// assert_eq!(all - STOP, SignalSet::from([Signal::HUP]));
/// assert_eq!(Signal::HUP | Signal::INT | Signal::TERM, all);
/// assert_eq!(format!("{all:?}"), "{SIGHUP, SIGINT, SIGTERM}");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
#[doc(alias = "sigset_t")]
pub struct SignalSet(u128);

impl SignalSet {
    /// No signal.
    #[doc(alias = "sigemptyset")]
    pub const EMPTY: SignalSet = SignalSet(0);

    /// Every signal of this system that can be received ([`Signal::is_receivable`]), real-time
    /// signals included.
    ///
    /// # Examples
    ///
    /// ```
    /// use signal_source::{Signal, SignalSet};
    ///
    /// let set = SignalSet::all();
    /// assert!(set.contains(Signal::TERM) && !set.contains(Signal::KILL));
    /// ```
    #[doc(alias = "sigfillset")]
    pub fn all() -> SignalSet {
        (1..=128).filter_map(Signal::from_raw).filter(|signal| signal.is_receivable()).collect()
    }

    /// This set and `signal`.
    #[must_use]
    #[doc(alias = "sigaddset")]
    pub const fn with(self, signal: Signal) -> SignalSet {
        SignalSet(self.0 | bit(signal))
    }

    /// This set less `signal`.
    #[must_use]
    #[doc(alias = "sigdelset")]
    pub const fn without(self, signal: Signal) -> SignalSet {
        SignalSet(self.0 & !bit(signal))
    }

    /// Whether `signal` is in the set.
    #[doc(alias = "sigismember")]
    pub const fn contains(self, signal: Signal) -> bool {
        self.0 & bit(signal) != 0
    }

    /// The number of signals in the set.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether the set has no signal.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The signals, in the order of their numbers.
    pub fn iter(self) -> SetIter {
        SetIter(self.0)
    }

    /// Bit `n` stands for signal `n + 1`, as in the kernel's own sets.
    pub(crate) const fn from_bits(bits: u128) -> SignalSet {
        SignalSet(bits)
    }

    pub(crate) const fn bits(self) -> u128 {
        self.0
    }
}

const fn bit(signal: Signal) -> u128 {
    1 << (signal.as_raw() - 1)
}

/// The signals of a [`SignalSet`], in the order of their numbers.
#[derive(Clone, Debug)]
#[must_use = "iterators are lazy"]
pub struct SetIter(u128);

impl Iterator for SetIter {
    type Item = Signal;

    fn next(&mut self) -> Option<Signal> {
        if self.0 == 0 {
            return None;
        }
        let number = self.0.trailing_zeros() + 1;
        self.0 &= self.0 - 1;
        Signal::from_kernel(number)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.0.count_ones() as usize;
        (len, Some(len))
    }
}

impl ExactSizeIterator for SetIter {}

impl FusedIterator for SetIter {}

impl IntoIterator for SignalSet {
    type Item = Signal;
    type IntoIter = SetIter;

    fn into_iter(self) -> SetIter {
        self.iter()
    }
}

impl From<Signal> for SignalSet {
    fn from(signal: Signal) -> SignalSet {
        SignalSet::EMPTY.with(signal)
    }
}

impl<const N: usize> From<[Signal; N]> for SignalSet {
    fn from(signals: [Signal; N]) -> SignalSet {
        signals.into_iter().collect()
    }
}

impl From<&[Signal]> for SignalSet {
    fn from(signals: &[Signal]) -> SignalSet {
        signals.iter().copied().collect()
    }
}

impl From<Vec<Signal>> for SignalSet {
    fn from(signals: Vec<Signal>) -> SignalSet {
        signals.into_iter().collect()
    }
}

impl FromIterator<Signal> for SignalSet {
    fn from_iter<I: IntoIterator<Item = Signal>>(signals: I) -> SignalSet {
        let mut set = SignalSet::EMPTY;
        for signal in signals {
            set = set.with(signal);
        }
        set
    }
}

impl Extend<Signal> for SignalSet {
    fn extend<I: IntoIterator<Item = Signal>>(&mut self, signals: I) {
        *self |= signals.into_iter().collect();
    }
}

impl BitOr for SignalSet {
    type Output = SignalSet;

    /// The signals of either set.
    fn bitor(self, other: SignalSet) -> SignalSet {
        SignalSet(self.0 | other.0)
    }
}

impl BitOr<Signal> for SignalSet {
    type Output = SignalSet;

    /// The set and the signal.
    fn bitor(self, signal: Signal) -> SignalSet {
        self.with(signal)
    }
}

impl BitOr<SignalSet> for Signal {
    type Output = SignalSet;

    /// The signal and the set.
    fn bitor(self, set: SignalSet) -> SignalSet {
        set.with(self)
    }
}

impl BitOr for Signal {
    type Output = SignalSet;

    /// The set of both signals.
    fn bitor(self, other: Signal) -> SignalSet {
        SignalSet::from([self, other])
    }
}

impl BitAnd for SignalSet {
    type Output = SignalSet;

    /// The signals of both sets.
    fn bitand(self, other: SignalSet) -> SignalSet {
        SignalSet(self.0 & other.0)
    }
}

impl Sub for SignalSet {
    type Output = SignalSet;

    /// The signals of this set that the other lacks.
    fn sub(self, other: SignalSet) -> SignalSet {
        SignalSet(self.0 & !other.0)
    }
}

impl BitOrAssign for SignalSet {
    fn bitor_assign(&mut self, other: SignalSet) {
        *self = *self | other;
    }
}

impl BitAndAssign for SignalSet {
    fn bitand_assign(&mut self, other: SignalSet) {
        *self = *self & other;
    }
}

impl SubAssign for SignalSet {
    fn sub_assign(&mut self, other: SignalSet) {
        *self = *self - other;
    }
}

impl fmt::Debug for SignalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl fmt::Display for SignalSet {
    /// `SIGHUP, SIGTERM`: for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, signal) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{signal}")?;
        }
        Ok(())
    }
}
