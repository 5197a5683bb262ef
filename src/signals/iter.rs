//! Received signals as an iterator.

use std::io;
use std::iter::FusedIterator;

use super::Signals;
use crate::SignalInfo;

/// A blocking iterator over received signals: [`Signals::iter`]. It never ends.
#[derive(Clone, Debug)]
#[must_use = "iterators are lazy"]
pub struct Iter<'a> {
    signals: &'a Signals,
}

impl<'a> Iter<'a> {
    pub(super) fn new(signals: &'a Signals) -> Iter<'a> {
        Iter { signals }
    }
}

impl Iterator for Iter<'_> {
    type Item = io::Result<SignalInfo>;

    #[inline]
    fn next(&mut self) -> Option<io::Result<SignalInfo>> {
        Some(self.signals.recv())
    }
}

impl FusedIterator for Iter<'_> {}

impl<'a> IntoIterator for &'a Signals {
    type Item = io::Result<SignalInfo>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}
