//! An example that runs, with its output read line by line.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};

use serde_json::Value;
use signal_source::{Signal, send};

use crate::harness::{example, wait_for_stop};

pub struct Program {
    pub child: Child,
    /// The program: the child, unless that left it an orphan.
    pid: u32,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
}

impl Program {
    /// Starts an example.
    pub fn start(name: &str, arguments: &[&str]) -> Program {
        Program::spawn(Command::new(example(name)).args(arguments))
    }

    /// Starts an example that says when it is ready.
    pub fn ready(name: &str, arguments: &[&str]) -> Program {
        let mut program = Program::start(name, arguments);
        assert_eq!(program.line().as_deref(), Some("READY"));
        program
    }

    /// Starts `watch`, which says on stderr that it receives: its stdout is for signals alone.
    pub fn watch(arguments: &[&str]) -> Program {
        Program::start("watch", arguments).watching()
    }

    pub fn watching(mut self) -> Program {
        let mut line = String::new();
        self.stderr.read_line(&mut line).expect("stderr");
        assert!(line.contains(&format!("Process {} receives", self.pid())), "{line}");
        self
    }

    /// As [`watching`](Program::watching), for the orphan that the child leaves behind.
    pub fn orphaned(mut self) -> Program {
        assert!(self.child.wait().expect("wait").success());
        let mut line = String::new();
        self.stderr.read_line(&mut line).expect("stderr");
        let pid = line.strip_prefix("Process ").and_then(|line| line.split(' ').next());
        self.pid = pid.and_then(|pid| pid.parse().ok()).unwrap_or_else(|| panic!("{line}"));
        self
    }

    pub fn spawn(command: &mut Command) -> Program {
        // Its standard input stays open as long as the program is held here.
        Program::spawn_reading(command.stdin(Stdio::piped()))
    }

    /// Starts it with the standard input that it has.
    pub fn spawn_reading(command: &mut Command) -> Program {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        Program { pid: child.id(), child, stdout, stderr }
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    pub fn send(&self, signal: Signal) {
        send::kill(self.pid(), signal).expect("kill");
    }

    /// Waits until the signal has stopped it.
    #[track_caller]
    pub fn stops_by(&self, signal: Signal) {
        assert_eq!(wait_for_stop(self.pid()), signal);
    }

    /// The next line of its stdout; none after the last.
    pub fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("stdout");
        line.pop().map(|_| line)
    }

    /// The next line, which must be there and say all of this, in this order.
    #[track_caller]
    pub fn says(&mut self, parts: &[&str]) -> String {
        let line = self.line().expect("a line");
        let mut rest = line.as_str();
        for part in parts {
            rest = rest.split_once(part).unwrap_or_else(|| panic!("no {part:?} in {line:?}")).1;
        }
        line
    }

    /// Sends a signal and looks for its line.
    #[track_caller]
    pub fn shows(&mut self, signal: Signal) {
        self.send(signal);
        self.says(&[&format!(" {signal} ")]);
    }

    /// The next line, a JSON object.
    pub fn object(&mut self) -> Value {
        serde_json::from_str(&self.line().expect("a line")).expect("JSON")
    }

    /// Closes its stdout: there is no reader from now on.
    pub fn stop_reading(self) -> (Child, ChildStderr) {
        (self.child, self.stderr.into_inner())
    }

    /// Waits for its end: how it ended, and what else it said.
    pub fn end(mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("stdout");
        (self.child.wait().expect("wait"), rest)
    }

    /// Waits for its end, which must be a success, and returns what else it said.
    #[track_caller]
    pub fn ends(self) -> String {
        let (status, rest) = self.end();
        assert!(status.success(), "{status}");
        rest
    }

    /// What it says on stderr up to its end.
    pub fn complaint(mut self) -> String {
        let mut text = String::new();
        self.stderr.read_to_string(&mut text).expect("stderr");
        text
    }
}
