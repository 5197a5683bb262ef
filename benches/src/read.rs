//! `read`: what a record costs, by how many are read at a time.
//!
//! The queue is filled with real-time signals that carry an integer, then drained with the clock
//! running: by reading the descriptor raw, and through the crate, from the same descriptor in turn.
//! Both look at the number and the integer of every record.

use std::mem::MaybeUninit;
use std::time::Instant;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use signal_source::{Signal, SignalInfo, Signals};

use crate::alloc;
use crate::child::{self, Role};
use crate::receivers::{ours, raw};
use crate::stats::{interleave, median};

pub const BATCHES: &[usize] = &[1, 4, 16, 64, 256];

/// One batch size's figures.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub batch: usize,
    pub raw_ns: f64,
    pub ours_ns: f64,
    /// `try_recv`, which reads one record.
    pub one_ns: Option<f64>,
    /// For each record, through the crate.
    pub allocations: f64,
}

/// How much to measure.
pub struct Effort {
    pub rounds: usize,
    pub records: usize,
}

pub fn run(effort: &Effort) -> Vec<Row> {
    let arguments = [effort.rounds.to_string(), effort.records.to_string()];
    Role::start(&[], "drain", &arguments.each_ref().map(String::as_str)).finish()
}

/// The role of the process that fills and drains its queue.
pub fn drain(arguments: &[String]) {
    let [rounds, records] = arguments else { panic!("{arguments:?}: rounds and records") };
    let effort = Effort {
        rounds: rounds.parse().expect("a number"),
        records: records.parse().expect("a number"),
    };
    let job = Signal::rt(1).expect("a real-time signal").as_raw();
    let signals = ours::open(&[job]);
    child::say_ready();
    let drain = Drain { signals, signal: job, records: effort.records };
    child::say_outcome(&drain.measure(effort.rounds));
}

struct Drain {
    signals: Signals,
    signal: i32,
    records: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum How {
    Raw(usize),
    Many(usize),
    One,
}

impl Drain {
    fn measure(&self, rounds: usize) -> Vec<Row> {
        let pairs = BATCHES.iter().flat_map(|&batch| [How::Raw(batch), How::Many(batch)]);
        let cases: Vec<How> = pairs.chain([How::One]).collect();
        let mut infos = Vec::with_capacity(256);
        self.fill_and_drain(How::One, &mut infos); // the first pages of the queue
        let results = interleave(rounds, &cases, |&how| self.fill_and_drain(how, &mut infos));
        let figures = |how| {
            let index = cases.iter().position(|&case| case == how).expect("a case");
            let times: Vec<f64> = results[index].iter().map(|result| result.0).collect();
            let allocations = results[index].iter().map(|result| result.1).fold(0.0, f64::max);
            (median(&times), allocations)
        };
        let row = |&batch: &usize| {
            let (ours_ns, allocations) = figures(How::Many(batch));
            let one_ns = (batch == 1).then(|| figures(How::One).0);
            Row { batch, raw_ns: figures(How::Raw(batch)).0, ours_ns, one_ns, allocations }
        };
        BATCHES.iter().map(row).collect()
    }

    /// Nanoseconds and allocations a record.
    fn fill_and_drain(&self, how: How, infos: &mut Vec<SignalInfo>) -> (f64, f64) {
        let pid = std::process::id() as i32;
        let sent = (0..).take(self.records).filter(|&value| raw::sigqueue(pid, self.signal, value));
        let sent = sent.count();
        assert_eq!(sent, self.records, "the queue is too short (ulimit -i)");
        let before = alloc::count();
        let start = Instant::now();
        let (count, sum) = match how {
            How::Raw(batch) => self.raw(batch),
            How::Many(batch) => self.many(batch, infos),
            How::One => self.one(),
        };
        let time = start.elapsed().as_nanos() as f64;
        let allocations = (alloc::count() - before) as f64;
        let records = self.records as i64;
        assert_eq!((count, sum), (self.records, records * (records - 1) / 2));
        (time / count as f64, allocations / count as f64)
    }

    fn raw(&self, batch: usize) -> (usize, i64) {
        let mut buffer = [MaybeUninit::<u8>::uninit(); 256 * raw::RECORD];
        let (mut count, mut sum) = (0, 0);
        loop {
            match rustix::io::read(&self.signals, &mut buffer[..batch * raw::RECORD]) {
                Ok((bytes, _)) => {
                    for (signal, value) in raw::records(bytes) {
                        count += usize::from(signal == self.signal);
                        sum += i64::from(value);
                    }
                }
                Err(Errno::AGAIN) => return (count, sum),
                Err(errno) => panic!("read: {errno}"),
            }
        }
    }

    fn many(&self, batch: usize, infos: &mut Vec<SignalInfo>) -> (usize, i64) {
        let (mut count, mut sum) = (0, 0);
        while self.signals.try_recv_many(infos, batch).expect("read") > 0 {
            for info in infos.drain(..) {
                count += usize::from(info.signal().as_raw() == self.signal);
                sum += i64::from(info.value().expect("an integer"));
            }
        }
        (count, sum)
    }

    fn one(&self) -> (usize, i64) {
        let (mut count, mut sum) = (0, 0);
        while let Some(info) = self.signals.try_recv().expect("read") {
            count += usize::from(info.signal().as_raw() == self.signal);
            sum += i64::from(info.value().expect("an integer"));
        }
        (count, sum)
    }
}
