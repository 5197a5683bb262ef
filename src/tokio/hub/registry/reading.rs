//! What a subscriber has not read, in the order of arrival.

use std::mem;

use super::Registry;
use crate::SignalInfo;
use crate::tokio::hub::event::HubEvent;
use crate::tokio::hub::queue::Mark;
use crate::tokio::hub::taken::Taken;

impl Registry {
    /// The subscriber's unread standard signals: since which record, and where their mark is.
    #[inline]
    fn unread_marks(&self, number: usize) -> impl Iterator<Item = (u64, usize)> {
        let marks = self.queues[number].marks.iter().enumerate();
        marks.filter_map(|(index, mark)| {
            let since = self.signals.get(mark.signal)?.unread_since(mark.group)?;
            Some((since, index))
        })
    }

    /// How many real-time signals the subscriber has not read.
    #[inline]
    fn unread_real_time(&self, number: usize) -> usize {
        let queue = &self.queues[number];
        queue.entries.len() + self.classes.log(queue).map_or(0, |log| log.unread(queue))
    }

    /// The arrival of the subscriber's first real-time signal, which it has not read.
    fn first_arrival(&self, number: usize) -> u64 {
        let queue = &self.queues[number];
        match queue.entries.front() {
            Some(entry) => entry.arrival,
            None => self.classes.log(queue).map_or(u64::MAX, |log| log.arrival(queue)),
        }
    }

    /// Whether something is unread.
    pub(in crate::tokio) fn is_unread(&self, number: usize) -> bool {
        self.unread_real_time(number) > 0 || self.unread_marks(number).next().is_some()
    }

    /// The subscriber's first unread signal, and whether it has more, but for those that it takes into
    /// `taken`, which has been emptied: they come next.
    #[inline]
    pub(in crate::tokio) fn pop(
        &mut self,
        number: usize,
        taken: &mut Taken,
    ) -> Option<(HubEvent, bool)> {
        self.pass_taken(number, taken);
        let mut standard = 0;
        let first = self.unread_marks(number).inspect(|_| standard += 1).min();
        let mut real_time = self.unread_real_time(number);
        let (info, merged) = match first {
            None if real_time == 0 => return None,
            Some((since, mark)) if real_time == 0 || since < self.first_arrival(number) => {
                self.read_standard(number, mark)
            }
            _ => {
                let before = first.map_or(u64::MAX, |(since, _)| since);
                let info = self.read_real_time(number, before, taken)?;
                real_time -= taken.len();
                (info, 0)
            }
        };
        let clamped = |count| u32::try_from(count).unwrap_or(u32::MAX);
        let dropped = mem::take(&mut self.queues[number].dropped);
        let event = HubEvent { info, merged: clamped(merged), dropped: clamped(dropped) };
        Some((event, standard + real_time > 1))
    }

    /// The subscriber has returned what `taken` says of what it has taken.
    #[inline]
    pub(in crate::tokio) fn pass_taken(&mut self, number: usize, taken: &mut Taken) {
        let queue = &mut self.queues[number];
        if let (Some(class), false) = (queue.class, queue.taken.is_empty()) {
            let log = self.classes.log_mut(class);
            log.pass_taken(queue, taken.returned(), &mut self.records);
            taken.fill(std::iter::empty());
        }
    }

    #[inline]
    fn read_standard(&mut self, number: usize, mark: usize) -> (SignalInfo, u64) {
        let Mark { signal, group } = &mut self.queues[number].marks[mark];
        let state = self.signals.get_mut(*signal).expect("a subscribed signal has its state");
        let (entered, info, merged) = state.read(*group);
        *group = entered;
        (info, merged)
    }

    #[inline]
    fn read_real_time(
        &mut self,
        number: usize,
        before: u64,
        taken: &mut Taken,
    ) -> Option<SignalInfo> {
        let queue = &mut self.queues[number];
        let log = self.classes.log_mut(queue.class?);
        let had_room = log.has_room();
        let info = log.read(queue, &mut self.records);
        log.take(queue, before, &self.records, taken);
        self.is_watch_stale |= had_room != log.has_room();
        Some(info)
    }
}
