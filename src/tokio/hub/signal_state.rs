//! What a hub knows of one received signal.

use crate::SignalInfo;
use crate::tokio::slab::Slab;

/// One received signal: its subscribers, and what became of its records.
///
/// The subscribers of a standard signal are in groups, by how far they have read. A record does not
/// touch them one by one: it closes the group of those that had read everything, at that place in the
/// order of records. A subscriber that reads takes the latest record; the counter tells how many came
/// since its group was closed, and it goes over to the group of those that have read everything.
#[derive(Debug, Default)]
pub(in crate::tokio) struct SignalState {
    /// How many subscribers it has.
    pub(super) subscribers: usize,
    /// The classes of subscribers whose set it is in.
    pub(super) classes: Vec<usize>,
    /// How many records have been read.
    pub(super) count: u64,
    /// Of a standard signal, as are the groups.
    pub(super) latest: Option<Latest>,
    groups: Slab<Group>,
    /// The number of the group that has read everything; none if it is empty.
    open: Option<usize>,
    /// What no subscriber has read, nor can any more.
    pub(super) unread: Vec<SignalInfo>,
}

/// Subscribers that have read a standard signal as far.
#[derive(Debug, Default)]
struct Group {
    members: usize,
    /// Of one that is closed: which one of all records closed it, and how many of the signal's had
    /// been read before.
    arrival: u64,
    before: u64,
}

/// The latest record of a standard signal. A subscriber that reads it has read all that merged with
/// it.
#[derive(Debug)]
pub(super) struct Latest {
    info: SignalInfo,
    is_read: bool,
}

impl SignalState {
    /// Takes a standard signal's record, which `count` has in it. There are subscribers.
    pub(super) fn put(&mut self, info: SignalInfo, arrival: u64) {
        if let Some(open) = self.open.take() {
            let group = &mut self.groups[open];
            (group.arrival, group.before) = (arrival, self.count - 1);
        }
        self.latest = Some(Latest { info, is_read: false });
    }

    /// Of a subscriber in this group: which record it has to read first, if there is one.
    #[inline]
    pub(super) fn unread_since(&self, group: usize) -> Option<u64> {
        (self.open != Some(group)).then(|| self.groups[group].arrival)
    }

    /// Reads the latest record for a subscriber in this group, which is closed. Returns the group that
    /// it is in from now on, the record, and how many merged into it.
    #[inline]
    pub(super) fn read(&mut self, group: usize) -> (usize, SignalInfo, u64) {
        let merged = self.count - self.groups[group].before - 1;
        self.leave_group(group);
        let latest = self.latest.as_mut().expect("a closed group is of a record");
        latest.is_read = true;
        let info = latest.info;
        (self.enter(), info, merged)
    }

    /// The group of a subscriber that has read everything.
    pub(super) fn enter(&mut self) -> usize {
        let open = *self.open.get_or_insert_with(|| self.groups.insert(Group::default()));
        self.groups[open].members += 1;
        open
    }

    fn leave_group(&mut self, group: usize) {
        self.groups[group].members -= 1;
        if self.groups[group].members == 0 {
            self.groups.remove(group);
            if self.open == Some(group) {
                self.open = None;
            }
        }
    }

    /// Takes a subscriber out of this group, one that is counted no more. Of a record that no subscriber
    /// has read, nor can any more, it was the last one that could.
    pub(super) fn leave(&mut self, group: usize) {
        self.leave_group(group);
        let up_to_date = self.open.map_or(0, |open| self.groups[open].members);
        if self.subscribers == up_to_date {
            let latest = self.latest.take().filter(|latest| !latest.is_read);
            self.unread.extend(latest.map(|latest| latest.info));
        }
    }

    /// Appends what has to act when the signal is not received any more.
    pub(super) fn give_up(mut self, unread: &mut Vec<SignalInfo>) {
        unread.append(&mut self.unread);
        if let Some(latest) = self.latest.filter(|latest| !latest.is_read) {
            unread.push(latest.info);
        }
    }
}
