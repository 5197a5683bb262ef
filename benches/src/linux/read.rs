//! `read`: what a record costs, by how many are read at a time.
//!
//! The queue is filled with real-time signals that carry an integer and then drained in slices, in
//! turn by reading the descriptor raw and through the crate. Both look at number and integer of
//! every record. A slice is so short that few are hit by what else the machine does.

use std::mem::MaybeUninit;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use signal_source::{Signal, SignalInfo, Signals};

use crate::linux::alloc;
use crate::linux::child::{self, Role};
use crate::linux::receivers::{ours, raw};
use crate::linux::stats::median;

/// Records of one read.
const BATCHES: &[usize] = &[1, 4, 16, 64, 256];

/// Records of one slice: whole batches of every size.
const SLICE: usize = 512;

/// One batch size's figures; the times are for one record.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub batch: usize,
    pub raw_ns: f64,
    /// `try_recv_many`.
    pub ours_ns: f64,
    /// `try_recv`, which reads one record.
    pub one_ns: Option<f64>,
    /// Of `try_recv_many` and `try_recv`.
    pub allocations: u64,
}

/// How much to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    /// How often the queue is filled.
    pub fills: usize,
    pub records: usize,
}

pub fn run(effort: Effort) -> Vec<Row> {
    let arguments = [effort.fills.to_string(), effort.records.to_string()];
    Role::start(&[], "drain", &arguments.each_ref().map(String::as_str)).finish()
}

/// The role of the process that fills and drains its queue.
pub fn drain(arguments: &[String]) {
    let [fills, records] = arguments else { panic!("{arguments:?}: fills and records") };
    let fills: usize = fills.parse().expect("a number");
    let slices = records.parse::<usize>().expect("a number") / SLICE;
    let signal = Signal::rt(1).expect("a real-time signal").as_raw();
    let mut drain = Drain {
        signals: ours::open(&[signal]),
        signal,
        infos: Vec::with_capacity(SLICE),
        buffer: Box::new(Records([[MaybeUninit::uninit(); raw::RECORD]; SLICE])),
    };
    child::say_ready();
    let mut cases = Case::all();
    for fill in 0..fills {
        drain.fill(slices * SLICE);
        for slice in 0..slices {
            // Each fill begins with another case, so that all meet long and short queues.
            let index = (fill + slice) % cases.len();
            drain.slice(&mut cases[index], slice);
        }
        assert!(drain.signals.try_recv().expect("read").is_none(), "drained");
    }
    child::say_outcome(&rows(&cases));
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Raw(usize),
    Many(usize),
    One,
}

struct Case {
    how: How,
    /// For each record, slice by slice.
    times_ns: Vec<f64>,
    allocations: u64,
}

impl Case {
    fn all() -> Vec<Case> {
        let pairs = BATCHES.iter().flat_map(|&batch| [How::Raw(batch), How::Many(batch)]);
        let case = |how| Case { how, times_ns: Vec::with_capacity(4096), allocations: 0 };
        pairs.chain([How::One]).map(case).collect()
    }
}

fn rows(cases: &[Case]) -> Vec<Row> {
    let case = |how| cases.iter().find(|case| case.how == how).expect("a case");
    let one = case(How::One);
    let row = |&batch: &usize| {
        let ours = case(How::Many(batch));
        Row {
            batch,
            raw_ns: median(&case(How::Raw(batch)).times_ns),
            ours_ns: median(&ours.times_ns),
            one_ns: (batch == 1).then(|| median(&one.times_ns)),
            allocations: ours.allocations + one.allocations,
        }
    };
    BATCHES.iter().map(row).collect()
}

/// Records begin where cache lines begin: the kernel writes whole lines faster than parts.
#[repr(align(64))]
struct Records([[MaybeUninit<u8>; raw::RECORD]; SLICE]);

struct Drain {
    signals: Signals,
    signal: i32,
    infos: Vec<SignalInfo>,
    buffer: Box<Records>,
}

impl Drain {
    fn fill(&self, records: usize) {
        let pid = std::process::id() as i32;
        let sent = (0..).take(records).filter(|&value| raw::sigqueue(pid, self.signal, value));
        assert_eq!(sent.count(), records, "the queue is too short (ulimit -i)");
    }

    /// Drains one slice as the case does, and checks what it read.
    fn slice(&mut self, case: &mut Case, slice: usize) {
        let allocations = alloc::count();
        let start = Instant::now();
        let tally = match case.how {
            How::Raw(batch) => self.raw(batch),
            How::Many(batch) => self.many(batch),
            How::One => self.one(),
        };
        let time = start.elapsed().as_nanos() as f64;
        case.allocations += alloc::count() - allocations;
        let first = slice * SLICE;
        let sum = (first..first + SLICE).sum::<usize>() as i64;
        assert_eq!(tally, Tally { count: SLICE, sum }, "{:?}", case.how);
        case.times_ns.push(time / SLICE as f64);
    }

    fn raw(&mut self, batch: usize) -> Tally {
        let buffer = &mut self.buffer.0.as_flattened_mut()[..batch * raw::RECORD];
        let mut tally = Tally::default();
        while tally.count < SLICE {
            let (bytes, _) = rustix::io::read(&self.signals, &mut *buffer).expect("records");
            for (signal, value) in raw::records(bytes) {
                tally.add(signal == self.signal, value);
            }
        }
        tally
    }

    fn many(&mut self, batch: usize) -> Tally {
        let mut tally = Tally::default();
        while tally.count < SLICE {
            self.signals.try_recv_many(&mut self.infos, batch).expect("records");
            for info in &self.infos {
                tally.add(info.signal().as_raw() == self.signal, info.value().expect("an integer"));
            }
            self.infos.clear();
        }
        tally
    }

    fn one(&mut self) -> Tally {
        let mut tally = Tally::default();
        while tally.count < SLICE {
            let info = self.signals.try_recv().expect("read").expect("a record");
            tally.add(info.signal().as_raw() == self.signal, info.value().expect("an integer"));
        }
        tally
    }
}

#[derive(Debug, Default, PartialEq)]
struct Tally {
    count: usize,
    sum: i64,
}

impl Tally {
    fn add(&mut self, is_ours: bool, value: i32) {
        self.count += usize::from(is_ours);
        self.sum += i64::from(value);
    }
}
