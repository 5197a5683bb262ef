//! `spawn`: starting a child and waiting for its end, with and without `restore_signals`.

use std::process::Command;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use signal_source::Signal;
use signal_source::process::CommandExt as _;

use crate::linux::child::{self, Role};
use crate::linux::receivers::ours;
use crate::linux::stats::{in_turns, median};

/// One way to start a child.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub name: String,
    pub ns: f64,
}

/// How much to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    pub times: usize,
}

pub fn run(effort: Effort) -> Vec<Row> {
    Role::start(&[], "parent", &[&effort.times.to_string()]).finish()
}

/// The role of a process that receives signals and starts children.
pub fn parent(arguments: &[String]) {
    let [times] = arguments else { panic!("{arguments:?}: times") };
    let _signals = ours::open(&[Signal::TERM.as_raw(), Signal::INT.as_raw()]);
    child::say_ready();
    let mut commands = [
        ("plain (posix_spawn)", command(|_| ())),
        ("with an empty pre_exec (fork, exec)", command(fork)),
        ("restore_signals (fork, exec)", command(|command| _ = command.restore_signals())),
    ];
    let results = in_turns(times.parse().expect("a number"), &mut commands, |_, (_, command)| {
        let start = Instant::now();
        assert!(command.status().expect("a child").success());
        start.elapsed().as_nanos() as f64
    });
    let row = |((name, _), times): (&(&str, _), Vec<f64>)| Row {
        name: (*name).into(),
        ns: median(&times),
    };
    child::say_outcome(&commands.iter().zip(results).map(row).collect::<Vec<_>>());
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
