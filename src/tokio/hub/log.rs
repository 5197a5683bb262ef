//! The real-time signals that the subscribers of one class have before them, each once.
//!
//! A subscriber is at a position of the log, and reads on from there. So a record costs the same however
//! many subscribers the class has, and one that joins begins at the end. What a subscriber may read
//! ends at its *limit*, where it has [`QUEUE`] unread: it is full there, and what comes after that is
//! not for it. Nothing is done to a subscriber that becomes full: the log counts its subscribers by
//! their limits, and so knows how many each record is for. One that reads on and finds its limit before
//! the end of the log takes out what it has before its limit, into a queue of its own, and goes on at
//! the end: what lies between, it has missed.
//!
//! Of what it has before it, a subscriber takes some into its own memory at once ([`Taken`]), and tells the
//! next time which of those it has returned. They do not count for its limit any more, but stay in the log.
//!
//! A record that no subscriber has before it any more is not kept: a stuck subscriber keeps its own
//! ones, and none of those that came after them.

use std::collections::VecDeque;
use std::mem;

use super::QUEUE;
use super::queue::{Entry, Queue};
use super::records::Records;
use super::taken::Taken;
use crate::{Signal, SignalInfo, SignalSet};

#[derive(Debug)]
pub(super) struct Log {
    /// By position. Those that no subscriber has before it go when they are the first, or the most.
    nodes: VecDeque<Node>,
    unused: usize,
    /// The position of the next record.
    end: u64,
    /// How many subscribers have room: their limits are after `end`.
    roomy: u32,
    /// How many of them have this limit, by its remainder: they are `end + 1` to `end + QUEUE`. Empty, if
    /// the class has no real-time signal.
    limits: Box<[u32]>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    position: u64,
    signal: Signal,
    arrival: u64,
    record: usize,
    /// How many subscribers have it before them, and whether others have read it.
    readers: u32,
    is_read: bool,
}

/// Up to where the log is the subscriber's.
fn limit(queue: &Queue) -> u64 {
    queue.position + QUEUE.saturating_sub(queue.entries.len()) as u64
}

/// Where those with this limit are counted.
fn remainder(limit: u64) -> usize {
    usize::try_from(limit % QUEUE as u64).expect("less than QUEUE")
}

impl Log {
    /// For subscribers with this set.
    pub(super) fn new(set: SignalSet) -> Log {
        let longest = if set.iter().any(Signal::is_real_time) { QUEUE } else { 0 };
        Log { nodes: VecDeque::new(), unused: 0, end: 0, roomy: 0, limits: vec![0; longest].into() }
    }

    #[cfg(all(test, not(shuttle)))]
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the next record is for a subscriber.
    pub(super) fn has_room(&self) -> bool {
        self.roomy > 0
    }

    /// Appends a record. Returns whether it is for a subscriber.
    pub(super) fn put(&mut self, signal: Signal, arrival: u64, record: usize) -> bool {
        let (position, readers) = (self.end, self.roomy);
        if readers > 0 {
            let node = Node { position, signal, arrival, record, readers, is_read: false };
            self.nodes.push_back(node);
        }
        self.end += 1;
        // Those that have their limit here are full.
        self.roomy -= self.limits.get_mut(remainder(self.end)).map_or(0, mem::take);
        readers > 0
    }

    /// Has a subscriber that is full take the next record all the same.
    pub(super) fn overfill(&mut self, queue: &mut Queue, next: Entry, records: &mut Records) {
        self.take_out(queue, records);
        queue.entries.push_back(next);
        queue.position += 1;
    }

    /// How many records the subscriber has here.
    #[inline]
    pub(super) fn unread(&self, queue: &Queue) -> usize {
        let unread = self.end.min(limit(queue)) - queue.position;
        usize::try_from(unread).expect("no more than QUEUE")
    }

    /// The arrival of the first of those.
    #[inline]
    pub(super) fn arrival(&self, queue: &Queue) -> u64 {
        self.nodes[self.index(queue.position)].arrival
    }

    /// Reads the first real-time signal that the subscriber has, here or in its own queue.
    #[inline]
    pub(super) fn read(&mut self, queue: &mut Queue, records: &mut Records) -> SignalInfo {
        if limit(queue) < self.end {
            self.take_out(queue, records);
        }
        self.uncount(limit(queue));
        let info = match queue.pop() {
            Some(entry) => records.read(entry.record),
            None => {
                let index = self.index(queue.position);
                let info = records.get(self.nodes[index].record);
                self.pass(index, 1, records);
                queue.position += 1;
                info
            }
        };
        self.count(limit(queue));
        info
    }

    /// Has a subscriber that has none in its own queue take some of what it has here, those that came
    /// before `before`. Its limit is as if it had read them, but they stay here as its own until it has
    /// told which of them it has: see [`pass_taken`](Self::pass_taken).
    #[inline]
    pub(super) fn take(
        &mut self,
        queue: &mut Queue,
        before: u64,
        records: &Records,
        taken: &mut Taken,
    ) {
        let most = self.unread(queue).min(Taken::MOST);
        if most == 0 || !queue.entries.is_empty() {
            return;
        }
        let first = self.index(queue.position);
        // They are there one after the other: each has this subscriber.
        let nodes = self.nodes.range(first..first + most);
        let count = match before {
            u64::MAX => most,
            _ => nodes.clone().take_while(|node| node.arrival < before).count(),
        };
        taken.fill(nodes.take(count).map(|node| records.get(node.record)));
        self.uncount(limit(queue));
        let end = queue.position + count as u64;
        queue.taken = mem::replace(&mut queue.position, end)..end;
        self.count(limit(queue));
    }

    /// The subscriber has read so many of what it has taken. The rest goes back to its own queue when it
    /// [leaves](Self::leave).
    #[inline]
    pub(super) fn pass_taken(&mut self, queue: &mut Queue, count: usize, records: &mut Records) {
        if count > 0 {
            self.pass(self.index(queue.taken.start), count, records);
            queue.taken.start += count as u64;
        }
    }

    /// Adds a subscriber: it sees what comes.
    pub(super) fn enter(&mut self, queue: &mut Queue) {
        queue.position = self.end;
        self.count(limit(queue));
    }

    /// Removes a subscriber. It has in its own queue what it has not read.
    pub(super) fn leave(&mut self, queue: &mut Queue, records: &mut Records) {
        self.uncount(limit(queue));
        self.take_out(queue, records);
        for position in mem::take(&mut queue.taken).rev() {
            let entry = self.give_up(position, records);
            queue.entries.push_front(entry);
        }
    }

    /// Moves what the subscriber has here to its own queue, and notes what it has missed.
    fn take_out(&mut self, queue: &mut Queue, records: &mut Records) {
        let limit = limit(queue);
        for position in queue.position..limit.min(self.end) {
            queue.entries.push_back(self.give_up(position, records));
        }
        queue.note_dropped(self.end.saturating_sub(limit));
        queue.position = self.end;
    }

    /// Makes a record that a subscriber has here one of its own queue.
    fn give_up(&mut self, position: u64, records: &mut Records) -> Entry {
        let index = self.index(position);
        let node = &mut self.nodes[index];
        node.readers -= 1;
        let Node { signal, arrival, record, readers, is_read, .. } = *node;
        records.keep(record);
        if readers == 0 {
            records.leave(record, is_read);
            self.forget(1);
        }
        Entry { signal, arrival, record, dropped: 0 }
    }

    #[inline]
    fn index(&self, position: u64) -> usize {
        // All that came after what a subscriber without misses has before it is there.
        let last = self.nodes.back().map_or(0, |node| node.position);
        let after = usize::try_from(last - position).unwrap_or(usize::MAX);
        let index = self.nodes.len().wrapping_sub(after).wrapping_sub(1);
        if self.nodes.get(index).is_some_and(|node| node.position == position) {
            return index;
        }
        let found = self.nodes.binary_search_by_key(&position, |node| node.position);
        found.expect("what a subscriber has before it is kept")
    }

    /// A subscriber has read the record here, and those after it, so many together.
    #[inline]
    fn pass(&mut self, first: usize, count: usize, records: &mut Records) {
        let mut unused = 0;
        for node in self.nodes.range_mut(first..first + count) {
            node.readers -= 1;
            node.is_read = true;
            if node.readers == 0 {
                unused += 1;
                records.leave(node.record, true);
            }
        }
        self.forget(unused);
    }

    /// So many more of the nodes have no subscriber.
    #[inline]
    fn forget(&mut self, unused: usize) {
        if unused == 0 {
            return;
        }
        self.unused += unused;
        while self.nodes.front().is_some_and(|node| node.readers == 0) {
            self.nodes.pop_front();
            self.unused -= 1;
        }
        if self.unused > self.nodes.len() / 2 {
            self.nodes.retain(|node| node.readers > 0);
            self.unused = 0;
        }
    }

    /// How many have this limit, if those have room.
    #[inline]
    fn at(&mut self, limit: u64) -> Option<&mut u32> {
        if limit > self.end { self.limits.get_mut(remainder(limit)) } else { None }
    }

    #[inline]
    fn count(&mut self, limit: u64) {
        if let Some(count) = self.at(limit) {
            *count += 1;
            self.roomy += 1;
        }
    }

    #[inline]
    fn uncount(&mut self, limit: u64) {
        if let Some(count) = self.at(limit) {
            *count -= 1;
            self.roomy -= 1;
        }
    }
}
