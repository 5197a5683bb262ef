//! `HubEvent`: what a subscriber receives.

use std::fmt;

use crate::{Signal, SignalInfo};

/// What a [`Subscriber`](super::Subscriber) receives: a signal's record, and how many like it were
/// merged into it or dropped.
///
/// # Examples
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use signal_source::Signal;
/// use signal_source::tokio::SignalHub;
///
/// let mut subscriber = SignalHub::new(Signal::HUP)?.subscribe(Signal::HUP)?;
/// let event = subscriber.recv_blocking()?;
/// println!("{}, and {} more before it", event.info(), event.merged());
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HubEvent {
    pub(super) info: SignalInfo,
    pub(super) merged: u32,
    pub(super) dropped: u32,
}

impl HubEvent {
    /// The signal.
    pub fn signal(&self) -> Signal {
        self.info.signal()
    }

    /// The latest record of the signal.
    pub fn info(&self) -> SignalInfo {
        self.info
    }

    /// How many records of the same signal came before the latest one and were not read: they
    /// merged with it. 0 for real-time signals.
    ///
    /// The kernel merges standard signals too, while they are pending: what it merged is in
    /// [`SignalInfo::count`] where it counts, and nowhere on Linux.
    pub fn merged(&self) -> u32 {
        self.merged
    }

    /// How many real-time signals came after this one that this subscriber missed, because it had
    /// left [`SignalHub::QUEUE`](super::SignalHub::QUEUE) unread. Other subscribers have them.
    ///
    /// If [`Subscriber::update`](super::Subscriber::update) removed the one that they came after,
    /// the next one tells it.
    pub fn dropped(&self) -> u32 {
        self.dropped
    }
}

impl fmt::Display for HubEvent {
    /// `SIGHUP from process 4321 (uid 1000), 2 merged`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.info)?;
        if self.merged > 0 {
            write!(f, ", {} merged", self.merged)?;
        }
        if self.dropped > 0 {
            write!(f, ", {} after it dropped", self.dropped)?;
        }
        Ok(())
    }
}
