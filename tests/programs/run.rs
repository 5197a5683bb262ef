//! The example `run`: who gets which signal, and how often.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Command;
use std::{env, fs};

use signal_source::process::exit_by;
use signal_source::{Signal, SignalSet, Signals, send};

use crate::harness::{eventually, example, pid, raw_block, raw_pending};
use crate::program::Program;
use crate::terminal::{CTRL_BACKSLASH, CTRL_C, CTRL_Z, Terminal, with_role};

/// Role: ends, with a code or by a signal.
pub fn ends(arguments: &[String]) {
    match arguments[0].parse() {
        Ok(code) => std::process::exit(code),
        Err(_) => exit_by(arguments[0].parse().expect("a signal")),
    }
}

/// Role: tells each signal that it receives, but those that are to act as usual.
pub fn tells(arguments: &[String]) {
    let mut acts: SignalSet = [Signal::CHLD, Signal::TSTP, Signal::TTIN, Signal::TTOU].into();
    acts.extend(arguments.iter().map(|name| name.parse::<Signal>().expect("a signal")));
    let signals = Signals::new(SignalSet::all() - acts).expect("open");
    println!("READY {}", pid());
    for info in &signals {
        println!("[{}]", info.expect("recv"));
    }
}

pub fn this() -> String {
    env::current_exe().expect("this binary").to_str().expect("text").to_owned()
}

/// A command that runs this binary, in a role.
fn run(plays: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(example("run"));
    with_role(command.arg(this()).args(arguments), plays);
    command
}

/// Starts it with a child that tells, whose pid is returned.
pub fn told(command: &mut Command) -> (Program, u32) {
    let mut program = Program::spawn(command);
    let line = program.line().expect("a line");
    let child = line.strip_prefix("READY ").and_then(|pid| pid.parse().ok());
    (program, child.unwrap_or_else(|| panic!("{line}")))
}

// origin: tini exit codes (V2, N40)
pub fn run_gives_every_code_on() {
    for code in 0..=255 {
        let status = run("ends", &[&code.to_string()]).status().expect("it starts");
        assert_eq!(status.code(), Some(code), "{status}");
    }
}

pub fn run_dies_as_its_child() {
    let names = ["TERM", "INT", "HUP", "KILL", "USR1", "SEGV", "ABRT", "PIPE", "ALRM"];
    let signals = names.iter().map(|name| name.parse::<Signal>().expect("a signal"));
    for signal in signals.chain(Signal::rt(3)) {
        let status = run("ends", &[&signal.to_string()]).status().expect("it starts");
        assert_eq!(status.signal(), Some(signal.as_raw()), "{signal}: {status}");
        assert!(!status.core_dumped(), "{signal}: {status}");
    }
}

pub fn run_tells_why_nothing_was_started() {
    for (command, code) in [("/nonexistent", 127), ("/", 126)] {
        let mut program = Program::start("run", &[command]);
        let status = program.child.wait().expect("wait");
        let complaint = program.complaint();
        assert_eq!(status.code(), Some(code), "{complaint}");
        assert!(complaint.starts_with(&format!("run: {command}: ")), "{complaint}");
    }
}

// origin: uv#11009, `kill -INT` of the wrapper (N38)
#[cfg(target_os = "linux")]
pub fn run_sends_on_what_a_process_sends() {
    let (mut program, child) = told(&mut run("tells", &[]));
    let from = format!("from process {} ", program.pid());
    let stop = [Signal::CHLD, Signal::TSTP, Signal::TTIN, Signal::TTOU];
    for signal in SignalSet::all() - stop.into() {
        for _ in 0..3 {
            // Each is told before the next is sent, so none merges; a second one would show.
            program.send(signal);
            program.says(&[&format!("[{signal} {from}")]);
        }
    }
    let job = Signal::rt(3).expect("real-time signals");
    send::sigqueue(program.pid(), job, -42).expect("sigqueue");
    program.says(&["[SIGRTMIN+3 queued by process ", "with value -42"]);
    send::kill(child, Signal::KILL).expect("kill");
    assert_eq!(program.end().0.signal(), Some(Signal::KILL.as_raw()));
}

/// The letter of `proc_pid_stat(5)`: T for a stopped process.
pub fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

/// Stops the wrapper, or the child itself; either way both stop, and both continue.
pub fn run_stops_with_its_child() {
    let (mut program, child) = told(run("tells", &[]).process_group(0));
    for signal in [Signal::TSTP, Signal::TTIN, Signal::TTOU, Signal::TSTP] {
        program.send(signal);
        program.stops_by(signal);
        assert!(cfg!(not(target_os = "linux")) || state(child) == Some('T'));
        program.send(Signal::CONT);
        program.says(&["[SIGCONT"]);
    }
    for signal in [Signal::TSTP, Signal::STOP] {
        send::kill(child, signal).expect("kill");
        program.stops_by(signal);
        program.send(Signal::CONT);
        program.says(&["[SIGCONT"]);
    }
    send::kill(child, Signal::KILL).expect("kill");
    assert_eq!(program.end().0.signal(), Some(Signal::KILL.as_raw()));
}

/// A terminal in which an example runs a child that tells, and the child's pid.
pub fn in_terminal(name: &str, acts: &[&str]) -> (Terminal, u32) {
    let (program, this) = (example(name), this());
    let mut terminal =
        Terminal::run("tells", &[&[program.to_str().expect("text"), &this], acts].concat());
    terminal.until("READY ");
    let child = terminal.until("\r").trim_end().parse().expect("a pid");
    (terminal, child)
}

/// How often the child has told the signal, up to the answer to another one.
#[track_caller]
fn count(terminal: &mut Terminal, signal: Signal) -> usize {
    send::kill(terminal.job, Signal::USR1).expect("kill");
    terminal.until("[SIGUSR1").matches(&format!("[{signal}")).count()
}

// origin: uv#11009, Ctrl-C in a terminal (N38)
pub fn run_in_a_terminal_leaves_its_keys_to_the_child() {
    let (mut terminal, child) = in_terminal("run", &[]);
    for (key, signal) in [(CTRL_C, Signal::INT), (CTRL_BACKSLASH, Signal::QUIT)] {
        for _ in 0..20 {
            terminal.press(key);
            let seen = terminal.until(&format!("[{signal}")); // the first
            assert_eq!(seen.matches("[SIG").count(), 1, "{seen}");
            assert_eq!(count(&mut terminal, signal), 0, "{signal} once more");
        }
    }
    for rows in 30..40 {
        terminal.resize(rows, 100);
        terminal.until("[SIGWINCH");
        assert_eq!(count(&mut terminal, Signal::WINCH), 0, "SIGWINCH once more");
    }
    send::kill(child, Signal::KILL).expect("kill");
    terminal.says("killed by SIGKILL");

    // Both die of it, and the wrapper as the child did.
    let (mut terminal, _) = in_terminal("run", &["INT"]);
    terminal.press(CTRL_C);
    terminal.says("killed by SIGINT");
    terminal.close();
}

/// Role: has a key pressed before it becomes the program that it is given.
pub fn is_late(arguments: &[String]) {
    raw_block(Signal::INT);
    println!("blocks");
    eventually("Ctrl-C", || raw_pending().contains(Signal::INT));
    let mut command = Command::new(&arguments[0]);
    panic!("{}", with_role(command.args(&arguments[1..]), "tells").exec());
}

/// The terminal did not send it to the child: there was none.
pub fn run_in_a_terminal_sends_on_what_came_before_the_child() {
    let (this, run) = (this(), example("run"));
    let mut terminal = Terminal::run("is_late", &[&this, run.to_str().expect("text"), &this]);
    terminal.until("blocks");
    terminal.press(CTRL_C);
    terminal.until("READY ");
    let child = terminal.until("\r").trim_end().parse().expect("a pid");
    terminal.until("[SIGINT");
    assert_eq!(count(&mut terminal, Signal::INT), 0, "SIGINT once more");
    send::kill(child, Signal::KILL).expect("kill");
    terminal.says("killed by SIGKILL");
}

pub fn run_in_a_terminal_stops_and_continues() {
    let (mut terminal, child) = in_terminal("run", &[]);
    for _ in 0..5 {
        terminal.press(CTRL_Z);
        terminal.says("stopped by SIGTSTP");
        terminal.fg();
        terminal.until("[SIGCONT");
        assert_eq!(count(&mut terminal, Signal::CONT), 0, "SIGCONT once more");
        terminal.press(CTRL_C);
        terminal.until("[SIGINT");
    }
    send::kill(child, Signal::KILL).expect("kill");
    terminal.says("killed by SIGKILL");
    terminal.close();
}

/// The kernel tells a session's first process alone.
#[cfg(target_os = "linux")]
pub fn run_sends_on_that_the_terminal_hung_up() {
    use crate::terminal::{pty, take_terminal};
    let (screen, slave) = pty();
    let mut command = run("tells", &["INT"]);
    let terminal = slave.try_clone().expect("dup");
    // SAFETY: two system calls.
    unsafe { command.pre_exec(move || take_terminal(&terminal)) };
    let mut program = Program::spawn_reading(command.stdin(slave));
    drop(command); // and the last copy of the terminal here
    let line = program.line().expect("a line");
    assert!(line.starts_with("READY"), "{line}");
    drop(screen);
    let from = format!("[SIGHUP from process {} ", program.pid());
    program.says(&[&from]);
    program.send(Signal::INT);
    assert_eq!(program.end().0.signal(), Some(Signal::INT.as_raw()));
}
