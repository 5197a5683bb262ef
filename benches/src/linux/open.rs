//! `open`: opening a receiver and dropping it, by number of signals and of threads.
//!
//! Beside it the same system calls made bare: block, one pass over `/proc`'s threads, signalfd,
//! close, mask back. The pass reads the file that has each signal's mask; the audit may do with a shorter
//! one (`stat`) where no real-time signal is in the set. And both without the audit.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::thread;
use std::time::Instant;

use nix::sys::signal::SigmaskHow;
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::fs::{CWD, Mode, OFlags, RawDir, openat};
use serde::{Deserialize, Serialize};
use signal_source::{Signal, SignalSet, Signals, mask};

use crate::linux::child::{self, Role};
use crate::linux::receivers::raw;
use crate::linux::stats::{in_turns, median};

const THREADS: &[usize] = &[1, 10, 100, 1000];
const SIGNALS: &[usize] = &[1, 8, 31];

/// The figures for one number of threads and signals; a time is for opening and dropping once.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub threads: usize,
    pub signals: usize,
    pub ours_ns: f64,
    pub bare_ns: f64,
    pub unaudited_ns: f64,
    pub bare_unaudited_ns: f64,
}

/// How much to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    /// How often to open with one thread; less often with more.
    pub times: usize,
}

pub fn run(effort: Effort) -> Vec<Row> {
    let rows = THREADS.iter().flat_map(|&threads| {
        let times = (effort.times / threads.isqrt()).max(3);
        let arguments = [threads, times, effort.times].map(|number| number.to_string());
        let role = Role::start(&[], "opener", &arguments.each_ref().map(String::as_str));
        role.finish::<Vec<Row>>()
    });
    rows.collect()
}

/// The role of a process with so many threads that opens and drops.
pub fn opener(arguments: &[String]) {
    let numbers: Vec<usize> =
        arguments.iter().map(|text| text.parse().expect("a number")).collect();
    let [threads, times, unaudited_times] = numbers[..] else {
        panic!("{arguments:?}: threads, times with the audit, times without");
    };
    // The others block what they inherit; this one lets it in until it opens.
    let guard = mask::block(SignalSet::all()).expect("blocked");
    for _ in 1..threads {
        let thread = thread::Builder::new().stack_size(16 * 1024);
        thread.spawn(park_for_ever).expect("a thread");
    }
    drop(guard);
    child::say_ready();
    let measure = |&signals| measure(threads, signals, times, unaudited_times);
    let rows: Vec<Row> = SIGNALS.iter().map(measure).collect();
    child::say_outcome(&rows);
}

fn park_for_ever() {
    loop {
        thread::park();
    }
}

fn measure(threads: usize, signals: usize, times: usize, unaudited_times: usize) -> Row {
    // Without CHLD, which asks for its disposition too.
    let set: SignalSet = SignalSet::all().without(Signal::CHLD).iter().take(signals).collect();
    let raw: Vec<i32> = set.iter().map(Signal::as_raw).collect();
    let audited = || drop(Signals::new(set).expect("a receiver"));
    let unaudited = || drop(Signals::builder().audit(false).open(set).expect("a receiver"));
    let [ours_ns, bare_ns] = medians(times, [&audited, &|| bare(&raw, true)]);
    // Apart: a pass over many threads leaves none of this in the CPU's caches. And as often whatever the
    // number of threads, on which it does not depend.
    let [unaudited_ns, bare_unaudited_ns] =
        medians(unaudited_times, [&unaudited, &|| bare(&raw, false)]);
    Row { threads, signals, ours_ns, bare_ns, unaudited_ns, bare_unaudited_ns }
}

fn medians(times: usize, mut ways: [&dyn Fn(); 2]) -> [f64; 2] {
    let results = in_turns(times, &mut ways, |_, way| {
        let start = Instant::now();
        way();
        start.elapsed().as_nanos() as f64
    });
    [0, 1].map(|way| median(&results[way]))
}

/// What the kernel has to be asked for, and nothing more.
fn bare(signals: &[i32], audit: bool) {
    let set = raw::sigset(signals);
    let before = set.thread_swap_mask(SigmaskHow::SIG_BLOCK).expect("blocked");
    if audit {
        pass_over_threads();
    }
    let fd = SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
        .expect("a signalfd");
    drop(fd);
    before.thread_set_mask().expect("the mask back");
}

/// Reads each status in one call, by its path from the directory, and looks at none.
fn pass_over_threads() {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let tasks = openat(CWD, c"/proc/self/task", flags | OFlags::DIRECTORY, Mode::empty());
    let tasks = tasks.expect("threads");
    let (mut entries, mut status) = ([MaybeUninit::uninit(); 32 * 1024], [0; 4096]);
    let mut entries = RawDir::new(&tasks, &mut entries);
    let mut path = Vec::with_capacity(32);
    while let Some(entry) = entries.next() {
        let entry = entry.expect("a thread");
        let name = entry.file_name().to_bytes();
        if name.starts_with(b".") {
            continue;
        }
        path.clear();
        path.extend_from_slice(name);
        path.extend_from_slice(b"/status\0");
        let path = CStr::from_bytes_with_nul(&path).expect("a path");
        let file = openat(&tasks, path, flags, Mode::empty()).expect("a status");
        assert!(rustix::io::read(&file, &mut status).expect("read") > 0);
    }
}
