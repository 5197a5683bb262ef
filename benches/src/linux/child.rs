//! Other processes: this program again, in a role, pinned to the same CPU.
//!
//! A child says that it is ready by its pid, answers a byte at a time if the role asks for it, and
//! ends with one line of JSON.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags, Timespec};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Names the role, as the first argument.
pub const ROLE: &str = "--role";

/// Pins this process and all that it starts to one CPU, so that no measurement depends on which
/// CPU wakes which.
pub fn pin() {
    let allowed = nix::sched::sched_getaffinity(Pid::this()).expect("the CPUs");
    let mut one = CpuSet::new();
    // The last one: interrupts and other programs tend to the first.
    let last = (0..CpuSet::count()).rfind(|&cpu| allowed.is_set(cpu) == Ok(true)).expect("a CPU");
    one.set(last).expect("a CPU's number");
    sched_setaffinity(Pid::this(), &one).expect("pinned");
}

/// Lets this process run on all CPUs again.
pub fn unpin() {
    let mut all = CpuSet::new();
    (0..CpuSet::count()).for_each(|cpu| all.set(cpu).expect("a CPU's number"));
    // The kernel takes those that there are.
    sched_setaffinity(Pid::this(), &all).expect("not pinned");
}

/// A child in a role.
pub struct Role {
    pub pid: i32,
    child: Child,
    answers: File,
}

impl Drop for Role {
    /// A child that is not finished is no longer needed.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Role {
    /// Starts a child and waits until it is ready. `wrapper` is put in front: a tracer, say.
    pub fn start(wrapper: &[&str], role: &str, arguments: &[&str]) -> Role {
        let this = std::env::current_exe().expect("this program");
        let mut words = wrapper.iter().map(|word| (*word).into()).chain([this.into_os_string()]);
        let mut command = Command::new(words.next().expect("a program"));
        command.args(words).arg(ROLE).arg(role).args(arguments).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a child");
        let stdout = child.stdout.take().expect("a pipe");
        let mut answers = File::from(std::os::fd::OwnedFd::from(stdout));
        let mut pid = [0; 4];
        answers
            .read_exact(&mut pid)
            .unwrap_or_else(|error| panic!("{role} {arguments:?}: {error}"));
        Role { pid: i32::from_ne_bytes(pid), child, answers }
    }

    /// Waits for an answer.
    pub fn answered(&mut self) {
        self.answers.read_exact(&mut [0]).expect("an answer");
    }

    /// Whether it has answered, without waiting.
    pub fn has_answered(&mut self) -> bool {
        let mut ends = [PollFd::new(&self.answers, PollFlags::IN)];
        let ready = rustix::event::poll(&mut ends, Some(&Timespec::default())).expect("poll");
        if ready > 0 {
            self.answered();
        }
        ready > 0
    }

    /// Waits for its end; its last words.
    pub fn end(&mut self) -> String {
        let mut outcome = String::new();
        self.answers.read_to_string(&mut outcome).expect("an outcome");
        assert!(self.child.wait().expect("the child").success());
        outcome
    }

    /// What the child says at its end.
    pub fn finish<T: DeserializeOwned>(mut self) -> T {
        let outcome = self.end();
        serde_json::from_str(&outcome).unwrap_or_else(|error| panic!("{outcome:?}: {error}"))
    }
}

/// In the child: it is ready.
pub fn say_ready() {
    answer(&std::process::id().to_ne_bytes());
}

/// In the child: one system call, without a buffer.
pub fn answer(bytes: &[u8]) {
    let written = rustix::io::write(rustix::stdio::stdout(), bytes);
    assert_eq!(written, Ok(bytes.len()));
}

/// In the child: the last words.
pub fn say_outcome(outcome: &impl Serialize) {
    let mut line = serde_json::to_string(outcome).expect("JSON");
    line.push('\n');
    std::io::stdout().write_all(line.as_bytes()).expect("written");
}
