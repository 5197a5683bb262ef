//! What a subscriber has taken from its class' log, to return it without the lock.

use super::event::HubEvent;
use crate::SignalInfo;

/// Real-time signals that a subscriber has taken, in its own memory, and how many of them it has returned.
///
/// They stay in the log as the subscriber's, for what it has not returned it has not read: when it looks
/// under the lock again, changes its set or goes, it tells the log which of them it has. So a flood costs
/// a subscriber one lock for many signals, and one that goes in the midst of it loses none.
#[derive(Debug, Default)]
pub(in crate::tokio) struct Taken {
    infos: Vec<SignalInfo>,
    returned: usize,
}

impl Taken {
    /// The most that are taken at once: see [`SignalHub`](super::SignalHub).
    pub(super) const MOST: usize = if cfg!(test) { 2 } else { 32 };

    /// The next one, with nothing dropped after it: a subscriber that has some of these has all that came
    /// since up to its limit.
    #[inline]
    pub(super) fn next(&mut self) -> Option<HubEvent> {
        let info = *self.infos.get(self.returned)?;
        self.returned += 1;
        Some(HubEvent { info, merged: 0, dropped: 0 })
    }

    /// How many of them have been returned.
    pub(super) fn returned(&self) -> usize {
        self.returned
    }

    /// How many were taken.
    pub(super) fn len(&self) -> usize {
        self.infos.len()
    }

    /// Takes others instead: the log knows which of the earlier ones were returned.
    #[inline]
    pub(super) fn fill(&mut self, infos: impl Iterator<Item = SignalInfo>) {
        self.infos.clear();
        self.infos.extend(infos);
        self.returned = 0;
    }
}
