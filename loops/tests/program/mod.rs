//! A program that runs, with its output read line by line.
#![allow(dead_code)] // each test binary uses a part of it

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use signal_source::{Signal, send};

/// Guards against hanging, and says nothing about speed.
const DEADLINE: Duration = Duration::from_secs(120);

pub struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// Closed when the program has ended.
    _running: Sender<()>,
}

impl Program {
    pub fn start(path: &str) -> Program {
        // A shell's background job starts with INT and QUIT ignored, and so would what it starts.
        for signal in [libc::SIGINT, libc::SIGQUIT] {
            // SAFETY: the default action is no function.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        let mut command = Command::new(path);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let (running, ended) = channel();
        let pid = child.id();
        thread::spawn(move || {
            if ended.recv_timeout(DEADLINE) == Err(RecvTimeoutError::Timeout) {
                let _ = send::kill(pid, Signal::KILL);
            }
        });
        Program { child, lines, _running: running }
    }

    pub fn send(&self, signal: Signal) {
        send::kill(self.child.id(), signal).expect("the program runs");
    }

    #[track_caller]
    pub fn line(&mut self, expected: &str) -> String {
        let line = self.lines.next().expect("a line").expect("text");
        assert!(line.contains(expected) || line.starts_with("SKIPPED"), "{expected}: {line}");
        line
    }

    /// Sends the signal until it has ended the program.
    pub fn killed_by(mut self, signal: Signal) -> ExitStatus {
        loop {
            self.send(signal);
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn end(mut self) -> ExitStatus {
        self.child.wait().expect("a child")
    }
}
