//! What a hub knows of one received signal.

use std::collections::VecDeque;

use crate::SignalInfo;

/// One received signal: its subscribers, and what became of its records.
#[derive(Debug, Default)]
pub(in crate::tokio) struct SignalState {
    /// How many subscribers it has.
    pub(super) subscribers: usize,
    /// The subscribers whose queue takes the next record.
    pub(super) active: Vec<usize>,
    /// How many records have been read.
    pub(super) count: u64,
    /// Of a standard signal.
    pub(super) latest: Option<Latest>,
    /// Of a real-time signal: the last one to leave `active` because it was full. It takes what
    /// the rest of a batch brings.
    pub(super) last_full: Option<usize>,
    /// What no subscriber has read, nor can any more.
    pub(super) unread: VecDeque<SignalInfo>,
}

/// The latest record of a standard signal. A subscriber that reads it has read all that merged with
/// it.
#[derive(Debug)]
pub(super) struct Latest {
    pub(super) info: SignalInfo,
    /// How many queues have it.
    pub(super) queues: usize,
    pub(super) is_read: bool,
}

impl SignalState {
    /// What has to act when the signal is not received any more.
    pub(super) fn into_unread(self) -> impl Iterator<Item = SignalInfo> {
        let latest = self.latest.filter(|latest| !latest.is_read).map(|latest| latest.info);
        self.unread.into_iter().chain(latest)
    }
}
