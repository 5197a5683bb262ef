//! System calls of the receiving process for each signal of a round trip, counted by `strace`.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use signal_source::{Signal, send};

use crate::linux::child::Role;
use crate::linux::receivers::Receiver;

/// What starting and ending costs cancels out between a short and a long run.
const SIGNALS: [usize; 2] = [20, 120];

/// Calls for each signal, without the answer's `write`; `None` where `strace` does not work.
pub fn count(receiver: &Receiver) -> Option<f64> {
    // It may be there and yet not be allowed to trace.
    let mut trial = Command::new("strace");
    trial.args(["-c", "-o", "/dev/null", "true"]).stdout(Stdio::null()).stderr(Stdio::null());
    if !trial.status().is_ok_and(|status| status.success()) {
        return None;
    }
    let [few, many] = SIGNALS.map(|signals| calls(receiver, signals));
    let signals = (SIGNALS[1] - SIGNALS[0]) as f64;
    Some((many? - few?) / signals - 1.0)
}

fn calls(receiver: &Receiver, signals: usize) -> Option<f64> {
    let table = std::env::temp_dir().join(format!("calls-{}", std::process::id()));
    let path = table.to_str().expect("a path");
    let tracer = ["strace", "-f", "-c", "-o", path];
    let mut role = Role::start(&tracer, "answer", &[receiver.id, "1", &signals.to_string()]);
    for _ in 0..signals {
        // Until it waits again: a traced process is slow.
        thread::sleep(Duration::from_millis(2));
        send::kill(role.pid as u32, Signal::USR1).expect("sent");
        role.answered();
    }
    role.end();
    let text = fs::read_to_string(&table).ok();
    let _ = fs::remove_file(&table);
    total(&text?)
}

/// The number of calls in the table's last line: `100.00 0.001 3 1234 5 total`.
fn total(table: &str) -> Option<f64> {
    let line = table.lines().rfind(|line| line.ends_with(" total"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}
