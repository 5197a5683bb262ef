//! The example `init`: what tini's own tests look at, and children of tokio's beside it.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, exit};
use std::thread;

use signal_source::{Disposition, Signal, SignalSet, send};
use tokio::task::JoinSet;

use crate::harness::{eventually, example, fork, raw_mask, role};
use crate::run::{in_terminal, state, this, told};
use crate::terminal::{CTRL_C, Terminal, with_role};

/// A command that runs this binary, in a role, as the child of `init`.
fn init(options: &[&str], plays: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(example("init"));
    with_role(command.args(options).arg(this()).args(arguments), plays);
    command
}

// origin: tini exit codes (V2, N40)
pub fn init_gives_every_code_on() {
    for code in 0..=255 {
        let status = init(&[], "ends", &[&code.to_string()]).status().expect("it starts");
        assert_eq!(status.code(), Some(code), "{status}");
    }
}

pub fn init_dies_as_its_child() {
    for name in ["TERM", "INT", "KILL", "USR1", "ABRT"] {
        let signal: Signal = name.parse().expect("a signal");
        let status = init(&[], "ends", &[name]).status().expect("it starts");
        assert_eq!(status.signal(), Some(signal.as_raw()), "{name}: {status}");
    }
}

// origin: tini signals (V1), sigconf (N40)
pub fn init_sends_every_signal_on() {
    let (mut program, child) = told(&mut init(&[], "tells", &[]));
    let stops = [Signal::TSTP, Signal::TTIN, Signal::TTOU];
    for signal in SignalSet::all() - [Signal::CHLD].into() - stops.into() {
        for _ in 0..2 {
            program.send(signal);
            program.says(&[&format!("[{signal}")]);
        }
    }
    for signal in stops {
        program.send(signal);
        eventually("the stop", || cfg!(not(target_os = "linux")) || state(child) == Some('T'));
        program.send(Signal::CONT);
        program.says(&["[SIGCONT"]);
    }
    program.send(Signal::INT);
    program.says(&["[SIGINT"]);
    send::kill(child, Signal::KILL).expect("kill");
    assert_eq!(program.end().0.signal(), Some(Signal::KILL.as_raw()));
}

/// Role: looks at the mask and the dispositions that it was started with.
pub fn starts_as_usual(_: &[String]) {
    assert_eq!(raw_mask(), SignalSet::EMPTY);
    // Rust's runtime ignores PIPE before `main`.
    for signal in SignalSet::all().without(Signal::PIPE) {
        let now = signal.disposition().expect("a disposition");
        assert_eq!(now, Disposition::Default, "{signal}");
    }
}

// origin: tini sigconf (N40)
pub fn init_starts_its_child_as_usual() {
    assert!(init(&[], "starts_as_usual", &[]).status().expect("it starts").success());
}

/// Role: starts a child, which shares its group, and waits for a signal.
pub fn has_a_child(_: &[String]) {
    #[allow(clippy::zombie_processes)] // the signal ends both
    role("tells", &["USR1"]).spawn().expect("a child");
    loop {
        thread::park();
    }
}

// origin: tini pgroup (V5): ends grandchild, child, self
pub fn init_sends_to_the_whole_group() {
    let (program, _) = told(&mut init(&["-g"], "has_a_child", &[]));
    program.send(Signal::USR1);
    // The pipe ends with the last process that has it.
    let (status, rest) = program.end();
    assert_eq!((status.signal(), rest.as_str()), (Some(Signal::USR1.as_raw()), ""));
}

/// Role: starts 1,000 children by tokio, each of which leaves an orphan, and waits for the children.
pub fn starts_a_thousand(_: &[String]) {
    const CHILDREN: i32 = 1000;
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let orphans = runtime.block_on(async {
        let (mut children, mut orphans) = (JoinSet::new(), Vec::new());
        for number in 0..CHILDREN {
            if children.len() == 8 {
                orphans.push(children.join_next().await.expect("a child").expect("no panic"));
            }
            children.spawn(async move {
                let code = number % 256;
                let mut command =
                    tokio::process::Command::from(role("leaves", &[&code.to_string()]));
                // An ECHILD would be an error here.
                let output = command.output().await.expect("its status");
                assert_eq!(output.status.code(), Some(code), "{}", output.status);
                let pid = String::from_utf8(output.stdout).expect("text");
                pid.trim().parse::<u32>().expect("a pid")
            });
        }
        while let Some(orphan) = children.join_next().await {
            orphans.push(orphan.expect("no panic"));
        }
        orphans
    });
    assert_eq!(orphans.len(), 1000);
    for orphan in orphans {
        // Also no zombie, which a signal could still be sent to.
        eventually("the orphan's end", || send::kill(orphan, Signal::URG).is_err());
    }
    exit(42);
}

/// Role: leaves an orphan that ends at once, and says its pid.
pub fn leaves(arguments: &[String]) {
    println!("{}", fork(|| ()));
    exit(arguments[0].parse().expect("a code"));
}

#[cfg(target_os = "linux")]
pub fn init_leaves_tokio_its_children() {
    let status = init(&[], "starts_a_thousand", &[]).status().expect("it starts");
    assert_eq!(status.code(), Some(42), "{status}");
}

#[cfg(target_os = "linux")]
pub fn init_as_the_first_process_leaves_tokio_its_children() {
    crate::harness::namespaces::children_in_a_pid_namespace();
    let status = init(&[], "starts_a_thousand", &[]).status().expect("it starts");
    assert_eq!(status.code(), Some(42), "{status}");
}

// origin: tini signals (V1): the first process exits with 128 + n
#[cfg(target_os = "linux")]
pub fn init_as_the_first_process_sends_every_signal_on() {
    crate::harness::namespaces::children_in_a_pid_namespace();
    let (mut program, child) = told(&mut init(&[], "tells", &["TERM"]));
    assert_eq!(child, 2, "the second process there");
    let stops = [Signal::TSTP, Signal::TTIN, Signal::TTOU];
    for signal in SignalSet::all() - [Signal::CHLD, Signal::TERM].into() - stops.into() {
        program.send(signal);
        program.says(&[&format!("[{signal} "), " process 1 "]);
    }
    program.send(Signal::TERM);
    let (status, rest) = program.end();
    assert_eq!((status.code(), rest.as_str()), (Some(128 + Signal::TERM.as_raw()), ""));
}

/// The child has the terminal, and its keys.
pub fn init_in_a_terminal_gives_it_to_the_child() {
    let (mut terminal, child) = in_terminal("init", &[]);
    for _ in 0..10 {
        terminal.press(CTRL_C);
        let seen = terminal.until("[SIGINT");
        assert_eq!(seen.matches("[SIG").count(), 1, "{seen}");
        send::kill(terminal.job, Signal::USR1).expect("kill");
        let seen = terminal.until("[SIGUSR1");
        assert_eq!(seen.matches("[SIG").count(), 1, "{seen}");
    }
    send::kill(child, Signal::KILL).expect("kill");
    terminal.says("killed by SIGKILL");
}

/// It begins in the background, and may be stopped for that before it is given the terminal.
pub fn init_in_a_terminal_runs_a_child_that_wants_it() {
    let (init, tui) = (example("init"), example("tui"));
    for _ in 0..20 {
        let job = [init.to_str().expect("text"), tui.to_str().expect("text")];
        let mut terminal = Terminal::run("", &job);
        terminal.until("0 keys");
        terminal.press(b"q");
        terminal.says("exited with 0");
    }
}
