//! The command line, and what each bench is asked for.

mod alloc;
mod build_cost;
mod bystanders;
mod child;
mod disturbance;
mod fanout;
mod flood;
mod machine;
mod messages;
mod open;
mod read;
mod receivers;
mod report;
mod scale;
mod spawn;
mod stats;
mod syscalls;
mod wake;

use std::path::Path;
use std::process::ExitCode;

use crate::linux::machine::Machine;
use crate::linux::report::Report;

const USAGE: &str = "\
usage: cargo bench --bench report -- [--smoke | --draw] [BENCH...]

  BENCH    wake, messages, read, flood, open, scale, bystanders, fanout, spawn, build; all of them unless
           some are named
  --smoke  a little of each but build: does everything work? Says nothing about speed
  --draw   measures nothing: draws the plots anew from results/report.json
";

/// How much to measure.
#[derive(Clone, Copy)]
struct Effort {
    wake: wake::Effort,
    messages: messages::Effort,
    read: read::Effort,
    flood: flood::Effort,
    open: open::Effort,
    scale: scale::Effort,
    bystanders: bystanders::Effort,
    fanout: fanout::Effort,
    spawn: spawn::Effort,
}

const FULL: Effort = Effort {
    wake: wake::Effort { processes: 10, slices: 51, signals: 100, count_system_calls: true },
    messages: messages::Effort { slices: 60, rounds: 2000 },
    read: read::Effort { fills: 100, records: 20_000 },
    flood: flood::Effort { signals: 1_000_000, slices: 300, slice: 2000 },
    open: open::Effort { times: 1000 },
    scale: scale::Effort { rounds: 25, signals: 10_000, most_subscribers: 10_000 },
    bystanders: bystanders::Effort { rounds: 9, signals: 400 },
    fanout: fanout::Effort { rounds: 3, signals: 1_000_000, joins: 2000 },
    spawn: spawn::Effort { times: 300, largest_mib: 8192 },
};

const SMOKE: Effort = Effort {
    wake: wake::Effort { processes: 2, slices: 3, signals: 20, count_system_calls: false },
    messages: messages::Effort { slices: 2, rounds: 50 },
    read: read::Effort { fills: 3, records: 6000 },
    flood: flood::Effort { signals: 10_000, slices: 3, slice: 1000 },
    open: open::Effort { times: 5 },
    scale: scale::Effort { rounds: 1, signals: 100, most_subscribers: 100 },
    bystanders: bystanders::Effort { rounds: 1, signals: 20 },
    fanout: fanout::Effort { rounds: 1, signals: 10_000, joins: 20 },
    spawn: spawn::Effort { times: 5, largest_mib: 16 },
};

pub(crate) fn main() -> ExitCode {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, role, rest @ ..] = &arguments[..]
        && flag == child::ROLE
    {
        play(role, rest);
        return ExitCode::SUCCESS;
    }
    let (mut smoke, mut named) = (false, Vec::new());
    for argument in arguments {
        match argument.as_str() {
            "--bench" => {} // cargo's own
            "--smoke" => smoke = true,
            "--draw" => {
                let results = here.join("results");
                Report::read(&results).expect("what was measured").draw(&results);
                return ExitCode::SUCCESS;
            }
            "wake" | "messages" | "read" | "flood" | "open" | "scale" | "bystanders" | "fanout"
            | "spawn" | "build" => named.push(argument),
            _ => {
                eprint!("{USAGE}");
                return ExitCode::FAILURE;
            }
        }
    }
    child::pin();
    let effort = if smoke { SMOKE } else { FULL };
    let mut report = measure(effort, |bench| match named.is_empty() {
        true => !(smoke && bench == "build"),
        false => named.iter().any(|name| name == bench),
    });
    report.judge();
    // A part or a little is no result to keep.
    let whole = named.is_empty() && !smoke;
    let folder = here.join(if whole { "results" } else { "target/results" });
    report.write(&folder).expect("written");
    println!("{}", std::fs::read_to_string(folder.join("report.md")).expect("the report"));
    check(&report, smoke)
}

/// Runs the benches that are wanted.
fn measure(effort: Effort, wants: impl Fn(&str) -> bool) -> Report {
    fn bench<T>(wanted: bool, name: &str, run: impl FnOnce() -> Vec<T>) -> Vec<T> {
        if !wanted {
            return Vec::new();
        }
        eprintln!("{name} ...");
        run()
    }
    Report {
        machine: Machine::this(),
        bars: Vec::new(),
        wake: bench(wants("wake"), "wake", || wake::run(effort.wake)),
        messages: bench(wants("messages"), "messages", || messages::run(effort.messages)),
        read: bench(wants("read"), "read", || read::run(effort.read)),
        flood: bench(wants("flood"), "flood", || flood::run(effort.flood)),
        open: bench(wants("open"), "open", || open::run(effort.open)),
        scale: bench(wants("scale"), "scale", || scale::run(effort.scale)),
        bystanders: bench(wants("bystanders"), "bystanders", || bystanders::run(effort.bystanders)),
        fanout: bench(wants("fanout"), "fanout", || fanout::run(effort.fanout)),
        spawn: bench(wants("spawn"), "spawn", || spawn::run(effort.spawn)),
        build: bench(wants("build"), "build", build_cost::run),
    }
}

/// An aim that is missed fails the run; of a smoke run only what has nothing to do with speed: counts
/// that must be zero.
fn check(report: &Report, smoke: bool) -> ExitCode {
    let judged = report.bars.iter().filter(|bar| !smoke || bar.limit == 0.0);
    let failed: Vec<_> = judged.filter(|bar| !bar.met).collect();
    for bar in &failed {
        eprintln!("{}: {:.3}, at most {}", bar.what, bar.ratio, bar.limit);
    }
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// In a child.
fn play(role: &str, arguments: &[String]) {
    match role {
        "answer" => wake::answer(arguments),
        "itself" => wake::itself(arguments),
        "drain" => read::drain(arguments),
        "flooded" => flood::flooded(arguments),
        "disturbed" => flood::disturbed(arguments),
        "opener" => open::opener(arguments),
        "crowd" => scale::crowd(arguments),
        "aside" => bystanders::aside(arguments),
        "fan-out" => fanout::fan_out(arguments),
        "parent" => spawn::parent(arguments),
        _ => panic!("no role {role}"),
    }
}
