//! `spawn`: starting a child and waiting for its end, from processes of different sizes.
//!
//! A fork copies the page tables of all memory in use; `posix_spawn(3)` copies none.

use std::fs;
use std::process::Command;
use std::time::Instant;

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use signal_source::Signal;
use signal_source::process::{CommandExt as _, Spawn};

use crate::linux::child::{self, Role};
use crate::linux::receivers::ours;
use crate::linux::stats::{in_turns, median};

/// How much memory the parent has in use, in MiB.
const SIZES: [usize; 3] = [16, 1024, 8192];

/// One size's figures: for each way to start a child, until it has been waited for.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub name: String,
    pub ns: f64,
    /// Of the parent.
    #[serde(default)]
    pub resident_mib: usize,
}

/// How much to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    pub times: usize,
    pub largest_mib: usize,
}

/// Without the sizes for which the machine has not twice the memory.
pub fn run(effort: Effort) -> Vec<Row> {
    let fits = |&size: &usize| size <= effort.largest_mib && 2 * size <= available_mib();
    let rows = SIZES.into_iter().filter(fits).flat_map(|size| {
        // A fork of the largest takes some hundred milliseconds.
        let forks = (effort.times / (1 + size / 128)).max(3);
        let arguments = [size, effort.times, forks].map(|number| number.to_string());
        let role = Role::start(&[], "parent", &arguments.each_ref().map(String::as_str));
        role.finish::<Vec<Row>>()
    });
    rows.collect()
}

fn available_mib() -> usize {
    let memory = fs::read_to_string("/proc/meminfo").expect("/proc");
    let line = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).expect("a size");
    kib.parse::<usize>().expect("a number") / 1024
}

/// The role of a process that receives signals, has so much memory in use and starts children.
pub fn parent(arguments: &[String]) {
    let numbers: Vec<usize> =
        arguments.iter().map(|text| text.parse().expect("a number")).collect();
    let [resident_mib, spawns, forks] = numbers[..] else {
        panic!("{arguments:?}: MiB, times by posix_spawn, times by fork");
    };
    let memory = std::hint::black_box(vec![1_u8; resident_mib << 20]);
    let _signals = ours::open(&[Signal::TERM.as_raw(), Signal::INT.as_raw()]);
    child::say_ready();
    let mut plain = Command::new("true");
    let mut forked = command(fork);
    let mut restored = command(|command| _ = command.restore_signals());
    let spawn = Spawn::new("true");
    let mut spawning: [Way<'_>; 2] = [
        (PLAIN, &mut || run_command(&mut plain)),
        (SPAWN, &mut || {
            let child = spawn.spawn().expect("a child");
            let pid = Pid::from_raw(child.pid() as i32);
            assert_eq!(waitpid(pid, None), Ok(WaitStatus::Exited(pid, 0)));
        }),
    ];
    let mut forking: [Way<'_>; 2] = [
        ("std, empty pre_exec (fork)", &mut || run_command(&mut forked)),
        ("std, restore_signals (fork)", &mut || run_command(&mut restored)),
    ];
    // Apart, and first: after a fork the parent's memory is the child's too, and costs more to touch.
    let mut rows = measure(spawns, resident_mib, &mut spawning);
    rows.extend(measure(forks, resident_mib, &mut forking));
    drop(memory);
    child::say_outcome(&rows);
}

/// A name, and starting a child and waiting for it once.
type Way<'a> = (&'static str, &'a mut dyn FnMut());

fn measure(times: usize, resident_mib: usize, ways: &mut [Way<'_>]) -> Vec<Row> {
    let results = in_turns(times, ways, |_, (_, way)| {
        let start = Instant::now();
        way();
        start.elapsed().as_nanos() as f64
    });
    let row = |((name, _), times): (&Way<'_>, Vec<f64>)| Row {
        name: (*name).into(),
        ns: median(&times),
        resident_mib,
    };
    ways.iter().zip(results).map(row).collect()
}

pub const PLAIN: &str = "std (posix_spawn)";
pub const SPAWN: &str = "Spawn (posix_spawn)";

fn run_command(command: &mut Command) {
    assert!(command.status().expect("a child").success());
}

fn command(prepare: impl Fn(&mut Command)) -> Command {
    let mut command = Command::new("true");
    prepare(&mut command);
    command
}

/// What any code between fork and exec costs: `posix_spawn` can't run it.
fn fork(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    // SAFETY: the closure does nothing.
    unsafe { command.pre_exec(|| Ok(())) };
}
