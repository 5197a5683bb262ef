//! The registry beside a plain one, in which each subscriber has a queue of its own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

use super::Registry;
use crate::tokio::hub::QUEUE;
use crate::tokio::hub::taken::Taken;
use crate::tokio::source::Sink;
use crate::tokio::waiters::Woken;
use crate::{Origin, Signal, SignalInfo, SignalSet};

/// Records of one batch, at most.
const BATCH: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    /// One subscribes; first, so many records of its signals are read for the others.
    Subscribe(SignalSet, usize),
    Update(Index, SignalSet),
    Drop(Index),
    Pop(Index),
    Batch(Vec<Index>),
}

fn signals() -> Vec<Signal> {
    let real_time = (0..3).filter_map(Signal::rt);
    real_time.chain([Signal::USR1, Signal::USR2]).collect()
}

fn sets() -> impl Strategy<Value = SignalSet> {
    subsequence(signals(), 1..=3).prop_map(SignalSet::from_iter)
}

fn steps() -> impl Strategy<Value = Step> {
    let batch = prop::collection::vec(any::<Index>(), 1..=BATCH);
    prop_oneof![
        2 => (sets(), 0..=1_usize).prop_map(|(set, pending)| Step::Subscribe(set, pending)),
        1 => (any::<Index>(), sets()).prop_map(|(which, set)| Step::Update(which, set)),
        1 => any::<Index>().prop_map(Step::Drop),
        8 => any::<Index>().prop_map(Step::Pop),
        8 => batch.prop_map(Step::Batch),
    ]
}

#[derive(Debug)]
struct Unread {
    signal: Signal,
    value: usize,
    dropped: u32,
}

#[derive(Debug, Default)]
struct Plain {
    set: SignalSet,
    /// By signal: since which record, the latest one, and how many merged into it.
    standard: BTreeMap<Signal, (usize, usize, u32)>,
    real_time: VecDeque<Unread>,
    dropped: u32,
    /// How many of those it has taken, and what it has returned of them since it last looked.
    taken: usize,
    returned: Vec<usize>,
}

impl Plain {
    fn has_room(&self) -> bool {
        self.real_time.len() - self.taken < QUEUE
    }

    fn miss(&mut self, count: u32) {
        let latest = self.real_time.back_mut().map(|unread| &mut unread.dropped);
        *latest.unwrap_or(&mut self.dropped) += count;
    }

    fn change(&mut self, set: SignalSet) {
        self.set = set;
        self.standard.retain(|&signal, _| set.contains(signal));
        for unread in std::mem::take(&mut self.real_time) {
            if set.contains(unread.signal) {
                self.real_time.push_back(unread);
            } else {
                self.miss(unread.dropped);
            }
        }
    }

    /// Signal, value, and how many merged and were dropped.
    fn pop(&mut self) -> Option<(Signal, usize, u32, u32)> {
        let first = self.standard.iter().map(|(&signal, &(since, ..))| (since, signal)).min();
        let real_time = self.real_time.front().map_or(usize::MAX, |unread| unread.value);
        match first {
            Some((since, signal)) if since < real_time => {
                let (_, value, merged) = self.standard.remove(&signal)?;
                Some((signal, value, merged, std::mem::take(&mut self.dropped)))
            }
            _ => {
                let Unread { signal, value, dropped } = self.real_time.pop_front()?;
                Some((signal, value, 0, std::mem::take(&mut self.dropped) + dropped))
            }
        }
    }
}

struct Both {
    registry: Registry,
    plain: BTreeMap<usize, Plain>,
    taken: BTreeMap<usize, Taken>,
    woken: Woken,
    watched: SignalSet,
    /// Values are in order, as are arrivals.
    last: usize,
    /// Real-time ones that were put.
    queued: BTreeSet<usize>,
    read: BTreeSet<usize>,
    acted: BTreeSet<usize>,
    put_at_joins: usize,
}

impl Both {
    fn new() -> Both {
        Both {
            registry: Registry::new(SignalSet::EMPTY, false),
            plain: BTreeMap::new(),
            taken: BTreeMap::new(),
            woken: Woken::default(),
            watched: SignalSet::EMPTY,
            last: 0,
            queued: BTreeSet::new(),
            read: BTreeSet::new(),
            acted: BTreeSet::new(),
            put_at_joins: 0,
        }
    }

    fn which(&self, which: Index) -> Option<usize> {
        let count = self.plain.len();
        (count > 0).then(|| *self.plain.keys().nth(which.index(count)).expect("one of them"))
    }

    /// What the receiver receives is what is needed; the rest acts.
    fn narrow(&mut self, needed: SignalSet) {
        let mut unread = Vec::new();
        self.registry.received(needed, &mut unread);
        self.watched = needed;
        for info in unread {
            assert!(self.acted.insert(info.raw_value()), "acts twice");
        }
    }

    fn put(&mut self, signal: Signal) {
        self.last += 1;
        let value = self.last;
        let info = SignalInfo::new(signal, 1, None, Origin::Unknown, value);
        self.registry.put(info, &mut self.woken);
        let mut taken = 0;
        for (&number, plain) in self.plain.iter_mut().filter(|(_, one)| one.set.contains(signal)) {
            if !signal.is_real_time() {
                let latest = plain.standard.entry(signal).and_modify(|(_, _, merged)| *merged += 1);
                latest.or_insert((value, value, 0)).1 = value;
                continue;
            }
            // Which one takes what none has room for, the registry says.
            let latest = self.registry.queues[number].entries.back();
            let is_overfilled = latest.is_some_and(|entry| entry.arrival == value as u64);
            assert!(!is_overfilled || !plain.has_room());
            if plain.has_room() || is_overfilled {
                plain.real_time.push_back(Unread { signal, value, dropped: 0 });
                taken += 1;
            } else {
                plain.miss(1);
            }
        }
        if signal.is_real_time() {
            assert!(taken > 0, "{value} reaches none");
            self.queued.insert(value);
        }
    }

    fn pop(&mut self, number: usize) -> bool {
        let plain = self.plain.get_mut(&number).expect("one of them");
        let expected = plain.pop();
        let taken = self.taken.entry(number).or_default();
        let event = match taken.next() {
            Some(event) => {
                plain.taken -= 1;
                plain.returned.push(event.info().raw_value());
                Some(event)
            }
            None => {
                let popped = self.registry.pop(number, taken);
                (plain.taken, plain.returned) = (taken.len(), Vec::new());
                let rest = plain.standard.len() + plain.real_time.len();
                assert!(popped.is_none_or(|(_, has_more)| has_more == (rest > plain.taken)));
                popped.map(|(event, _)| event)
            }
        };
        let popped = event.map(|event| {
            (event.signal(), event.info().raw_value(), event.merged(), event.dropped())
        });
        assert_eq!(popped, expected, "{number}");
        self.read.extend(popped.map(|(_, value, ..)| value));
        popped.is_some()
    }

    /// A subscriber that changes its set, or goes, has not read what it has not returned.
    fn pass_taken(&mut self, number: usize) {
        self.registry.pass_taken(number, self.taken.entry(number).or_default());
        if let Some(plain) = self.plain.get_mut(&number) {
            (plain.taken, plain.returned) = (0, Vec::new());
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Subscribe(set, pending) => {
                let wanted = self.registry.needed() | set;
                let known = self.registry.needed() & set;
                self.narrow(wanted);
                for signal in known.iter().take(pending) {
                    self.put(signal);
                    self.put_at_joins += 1;
                }
                let number = self.registry.add();
                self.registry.join(number, set, &mut self.woken);
                self.plain.insert(number, Plain { set, ..Plain::default() });
            }
            Step::Update(which, set) => {
                let Some(number) = self.which(which) else { return };
                let plain = self.plain.get_mut(&number).expect("one of them");
                let before = plain.set;
                plain.change(set);
                self.narrow(self.registry.needed() | set);
                self.pass_taken(number);
                self.registry.join(number, set - before, &mut self.woken);
                self.registry.leave(number, before - set, &mut self.woken);
                self.narrow(self.registry.needed());
            }
            Step::Drop(which) => {
                let Some(number) = self.which(which) else { return };
                self.pass_taken(number);
                let Plain { set, .. } = self.plain.remove(&number).expect("one of them");
                self.registry.leave(number, set, &mut self.woken);
                self.registry.remove(number);
                self.narrow(self.registry.needed());
            }
            Step::Pop(which) => {
                let Some(number) = self.which(which) else { return };
                self.pop(number);
            }
            Step::Batch(batch) => {
                let readable: Vec<_> = self.watched.iter().collect();
                for which in batch.iter().filter(|_| !readable.is_empty()) {
                    self.put(readable[which.index(readable.len())]);
                }
            }
        }
    }

    /// What holds after each step.
    fn check(&mut self) {
        self.watched = self.registry.watch().unwrap_or(self.watched);
        let wanted = self.plain.values().flat_map(|plain| {
            let has_room = plain.has_room();
            plain.set.iter().filter(move |signal| has_room || !signal.is_real_time())
        });
        assert_eq!(self.watched, wanted.collect());
        for (&number, plain) in &self.plain {
            let is_unread = plain.standard.len() + plain.real_time.len() > plain.taken;
            assert_eq!(self.registry.is_unread(number), is_unread);
            let most = QUEUE + BATCH + Taken::MOST + self.put_at_joins;
            assert!(plain.real_time.len() < most, "unbounded");
        }
        let kept = self.plain.values().flat_map(|plain| {
            let unread = plain.real_time.iter().map(|unread| unread.value);
            unread.chain(plain.returned.iter().copied())
        });
        let kept: BTreeSet<_> = kept.collect();
        assert_eq!(self.registry.records.len(), kept.len());
        assert!(
            self.registry.classes.longest_log() <= 2 * kept.len(),
            "what has been read is kept"
        );
    }

    /// In the end all have gone, and each record was read, merged or acts.
    fn end(mut self) {
        while let Some(&number) = self.plain.keys().next() {
            if number % 2 == 0 {
                while self.pop(number) {}
            }
            self.pass_taken(number);
            let Plain { set, .. } = self.plain.remove(&number).expect("one of them");
            self.registry.leave(number, set, &mut self.woken);
            self.registry.remove(number);
            self.narrow(self.registry.needed());
        }
        assert!(self.read.is_disjoint(&self.acted));
        assert!(self.queued.iter().all(|one| self.read.contains(one) || self.acted.contains(one)));
        assert_eq!(self.registry.records.len(), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn receives_as_plain_queues_would(steps in prop::collection::vec(steps(), 1..120)) {
        let mut both = Both::new();
        for step in steps {
            both.step(step);
            both.check();
        }
        both.end();
    }
}
