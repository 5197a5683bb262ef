//! The example supervisor, with workers that crash, hang, and leave orphans.
//!
//! Its source is a part of this binary, and runs as a role of it.
#![allow(unsafe_code)] // `pre_exec`

mod harness;
#[path = "../examples/supervisor/main.rs"]
mod supervisor;

use std::io::{BufRead, BufReader, Lines};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use harness::{eventually, role, set_ignored};
use signal_source::{Signal, send};

fn main() {
    harness::main(
        cases![
            a_crashing_worker_is_started_again,
            the_pause_doubles,
            the_pause_is_short_again_after_a_long_run,
            a_command_that_does_not_start_is_tried_again,
            a_command_of_the_users,
            hup_goes_on_to_the_workers,
            hup_ignored_at_the_start_stays_ignored,
            term_stops_gracefully,
            int_stops_gracefully,
            stopping_starts_nothing_again,
            hanging_workers_are_killed_with_their_helpers,
            the_second_signal_kills_at_once,
            a_killed_worker_is_started_again,
            workers_block_nothing,
            #[cfg(target_os = "linux", "pid namespaces and subreapers are Linux's")]
            orphans_are_waited_for,
            #[cfg(target_os = "linux", "pid namespaces and subreapers are Linux's")]
            first_process_of_a_container,
            #[cfg(target_os = "linux", "pid namespaces and subreapers are Linux's")]
            first_process_of_a_container_kills_what_hangs,
        ],
        roles![supervises],
    );
}

/// The supervisor; its demo workers are this role too.
fn supervises(_: &[String]) {
    if let Err(error) = supervisor::main() {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

/// A running supervisor, and what it and its workers say.
struct Supervisor {
    child: Child,
    pid: u32,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Supervisor {
    fn start(arguments: &[&str]) -> Supervisor {
        Supervisor::run(&mut role("supervises", arguments))
    }

    fn run(command: &mut Command) -> Supervisor {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null()) // the crashing workers' complaints
            .spawn()
            .expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Supervisor { pid: child.id(), child, lines }
    }

    /// The next line that says so.
    fn says(&mut self, what: &str) -> String {
        let mut seen = Vec::new();
        for line in self.lines.by_ref() {
            let line = line.expect("text");
            if line.contains(what) {
                return line;
            }
            seen.push(line);
        }
        panic!("never said {what:?}: {seen:#?}");
    }

    /// Waits until `count` lines say so, and returns the pids that they name, if any.
    fn say(&mut self, count: usize, what: &str) -> Vec<u32> {
        (0..count).filter_map(|_| pid_in(&self.says(what))).collect()
    }

    fn send(&self, signal: Signal) {
        send::kill(self.pid, signal).expect("it runs");
    }

    /// Waits for the end, and returns what was said until then. The pipe ends with the last process
    /// that has it, so no process is left afterwards.
    fn end(mut self) -> (ExitStatus, Vec<String>) {
        let said = self.lines.map(|line| line.expect("text")).collect();
        (self.child.wait().expect("wait"), said)
    }

    /// Stops it, which must end it by that signal.
    fn stop(self, signal: Signal) -> Vec<String> {
        self.send(signal);
        let (status, said) = self.end();
        assert_eq!(status.signal(), Some(signal.as_raw()), "{status}: {said:#?}");
        said
    }
}

/// The pid that a line names.
fn pid_in(line: &str) -> Option<u32> {
    let (_, rest) = line.split_once("(pid ")?;
    rest.split_once(')')?.0.parse().ok()
}

/// No process has the pid: also no zombie, which a signal could still be sent to.
fn gone(pid: u32) -> bool {
    send::kill(pid, Signal::CONT).is_err()
}

fn count(said: &[String], what: &str) -> usize {
    said.iter().filter(|line| line.contains(what)).count()
}

fn a_crashing_worker_is_started_again() {
    let mut supervisor =
        Supervisor::start(&["--workers=2", "--demo=crashing", "--pause=1", "--longest-pause=4"]);
    let pids = supervisor.say(12, "ended: exit status: 1");
    let started = supervisor.say(4, "started");
    for pid in pids {
        eventually("no zombie is left", || gone(pid));
        assert!(!started.contains(&pid));
    }
    supervisor.stop(Signal::TERM);
}

fn the_pause_doubles() {
    let arguments = ["--workers=1", "--pause=1", "--longest-pause=24", "/nonexistent"];
    let mut supervisor = Supervisor::start(&arguments);
    for pause in ["1ms", "2ms", "4ms", "8ms", "16ms", "24ms", "24ms"] {
        let line = supervisor.says("starts again in");
        assert!(line.ends_with(&format!(" {pause}")), "{line}");
    }
    supervisor.stop(Signal::TERM);
}

fn the_pause_is_short_again_after_a_long_run() {
    // A crashing worker runs for 20 ms.
    let arguments = ["--workers=1", "--demo=crashing", "--pause=1", "--longest-pause=2"];
    let mut supervisor = Supervisor::start(&arguments);
    for _ in 0..4 {
        let line = supervisor.says("starts again in");
        assert!(line.ends_with(" 1ms"), "{line}");
    }
    supervisor.stop(Signal::TERM);
}

fn a_command_that_does_not_start_is_tried_again() {
    let mut supervisor = Supervisor::start(&["--workers=1", "--pause=1", "--", "/nonexistent"]);
    supervisor.say(3, "does not start");
    supervisor.stop(Signal::TERM);
}

fn a_command_of_the_users() {
    let this = std::env::current_exe().expect("this binary");
    let this = this.to_str().expect("text");
    let mut supervisor = Supervisor::start(&["--workers=2", "--", this, "--as-worker"]);
    supervisor.say(2, "Steady worker");
    supervisor.stop(Signal::TERM);
}

fn hup_goes_on_to_the_workers() {
    let mut supervisor = Supervisor::start(&["--workers=3"]);
    let mut pids = supervisor.say(3, "is ready");
    pids.sort_unstable();
    for _ in 0..3 {
        // Sent again only after it has arrived: signals that are pending merge.
        supervisor.send(Signal::HUP);
        let mut reloaded = supervisor.say(3, "reloads");
        reloaded.sort_unstable();
        assert_eq!(reloaded, pids);
    }
    supervisor.stop(Signal::TERM);
}

// origin: Go TestNohup (G7)
fn hup_ignored_at_the_start_stays_ignored() {
    set_ignored(Signal::HUP);
    let mut supervisor = Supervisor::start(&["--workers=1"]);
    supervisor.says("is ready");
    supervisor.send(Signal::HUP);
    let said = supervisor.stop(Signal::TERM);
    assert_eq!(count(&said, "reloads"), 0, "{said:#?}");
}

// origin: dumb-init proxies_signals (V6), all_processes_receive_term_on_exit (V10)
fn term_stops_gracefully() {
    let mut supervisor = Supervisor::start(&["--workers=3", "--grace=100000000"]);
    supervisor.say(3, "is ready");
    let said = supervisor.stop(Signal::TERM);
    assert_eq!(count(&said, "stops"), 3, "{said:#?}");
    assert_eq!(count(&said, "ended: exit status: 0"), 3, "{said:#?}");
}

fn int_stops_gracefully() {
    let mut supervisor = Supervisor::start(&["--workers=2", "--grace=100000000"]);
    supervisor.say(2, "is ready");
    let said = supervisor.stop(Signal::INT);
    assert_eq!(count(&said, "ended: exit status: 0"), 2, "{said:#?}");
}

fn stopping_starts_nothing_again() {
    let mut supervisor =
        Supervisor::start(&["--workers=3", "--demo=crashing", "--pause=100000000"]);
    supervisor.say(2, "starts again");
    let said = supervisor.stop(Signal::TERM);
    assert_eq!(count(&said, "started"), 0, "{said:#?}");
}

// origin: tini pgroup (V5)
fn hanging_workers_are_killed_with_their_helpers() {
    let mut supervisor = Supervisor::start(&["--workers=2", "--demo=hanging", "--grace=50"]);
    supervisor.say(2, "Sleeping");
    let said = supervisor.stop(Signal::TERM);
    let killed = |line: &&String| line.starts_with("worker") && line.contains("signal: 9");
    assert_eq!(said.iter().filter(killed).count(), 2, "{said:#?}");
}

fn the_second_signal_kills_at_once() {
    let mut supervisor = Supervisor::start(&["--workers=1", "--demo=hanging", "--grace=100000000"]);
    supervisor.says("Sleeping");
    supervisor.send(Signal::TERM);
    supervisor.says("received SIGTERM");
    supervisor.send(Signal::INT);
    supervisor.says("killed");
    // It ends by the first.
    let (status, said) = supervisor.end();
    assert_eq!(status.signal(), Some(Signal::TERM.as_raw()), "{status}: {said:#?}");
}

fn a_killed_worker_is_started_again() {
    let mut supervisor = Supervisor::start(&["--workers=1", "--pause=1"]);
    let mut last = 0;
    for signal in [Signal::KILL, Signal::USR1].into_iter().chain(Signal::rt(1)) {
        let pid = pid_in(&supervisor.says("runs")).expect("a pid");
        assert_ne!(pid, last);
        send::kill(pid, signal).expect("it runs");
        let line = supervisor.says("ended");
        assert!(line.contains(&format!("signal: {}", signal.as_raw())), "{line}");
        last = pid;
    }
    supervisor.stop(Signal::TERM);
}

fn workers_block_nothing() {
    let mut supervisor = Supervisor::start(&["--workers=1"]);
    let line = supervisor.says("runs");
    assert!(line.ends_with("blocks {}"), "{line}");
    supervisor.stop(Signal::TERM);
}

#[cfg(target_os = "linux")]
fn orphans_are_waited_for() {
    use std::os::unix::process::CommandExt;
    let mut command = role("supervises", &["--workers=1", "--demo=forking", "--pause=5"]);
    let adopt = || Ok(nix::sys::prctl::set_child_subreaper(true)?);
    // SAFETY: one system call.
    unsafe { command.pre_exec(adopt) };
    let mut supervisor = Supervisor::run(&mut command);
    let orphans = supervisor.say(3, "Sleeping");
    for &orphan in &orphans {
        send::kill(orphan, Signal::KILL).expect("it sleeps");
        eventually("no zombie is left", || gone(orphan));
    }
    supervisor.send(Signal::TERM);
    // Outside a container, orphans are not the supervisor's to stop.
    let mut said = Vec::new();
    for line in supervisor.lines.by_ref() {
        let line = line.expect("text");
        if let Some(pid) = pid_in(&line).filter(|_| line.contains("Sleeping")) {
            send::kill(pid, Signal::KILL).expect("it sleeps");
        }
        said.push(line);
    }
    let (status, _) = supervisor.end();
    assert_eq!(status.signal(), Some(Signal::TERM.as_raw()), "{status}: {said:#?}");
}

/// A supervisor as the first process of a pid namespace, where that is permitted.
#[cfg(target_os = "linux")]
fn contained(arguments: &[&str]) -> Supervisor {
    harness::namespaces::children_in_a_pid_namespace();
    Supervisor::start(arguments)
}

// origin: tini signals (V1), dumb-init all_processes_receive_term_on_exit (V10)
#[cfg(target_os = "linux")]
fn first_process_of_a_container() {
    let arguments = ["--workers=2", "--demo=forking", "--pause=1", "--longest-pause=20"];
    let mut supervisor = contained(&arguments);
    supervisor.say(6, "Sleeping");
    supervisor.send(Signal::TERM);
    let (status, said) = supervisor.end();
    assert_eq!(status.code(), Some(128 + Signal::TERM.as_raw()), "{status}: {said:#?}");
    // All orphans were asked to terminate, and waited for.
    let orphans: Vec<_> = said.iter().filter(|line| line.starts_with("orphan")).collect();
    assert!(orphans.len() >= 6, "{said:#?}");
    assert!(orphans.iter().all(|line| line.contains("signal: 15")), "{said:#?}");
}

#[cfg(target_os = "linux")]
fn first_process_of_a_container_kills_what_hangs() {
    let arguments = ["--workers=2", "--demo=hanging", "--grace=50"];
    let mut supervisor = contained(&arguments);
    supervisor.say(2, "Sleeping");
    supervisor.send(Signal::INT);
    let (status, said) = supervisor.end();
    assert_eq!(status.code(), Some(128 + Signal::INT.as_raw()), "{status}: {said:#?}");
    let killed = |line: &&String| line.starts_with("worker") && line.contains("signal: 9");
    assert_eq!(said.iter().filter(killed).count(), 2, "{said:#?}");
}
