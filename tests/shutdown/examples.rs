//! The examples that stand on tokio, as programs.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use signal_source::{Signal, send};

/// Each example, as a program that is told to stop.
pub fn the_examples_run() {
    let told_once = |name, signal| example(name, &[signal]);
    let killed = |signal: Signal| (None, Some(signal.as_raw()));
    assert_eq!(told_once("shutdown", Signal::TERM), killed(Signal::TERM));
    assert_eq!(example("shutdown", &[Signal::TERM, Signal::INT]), killed(Signal::INT));
    assert_eq!(told_once("shutdown_token", Signal::INT), (Some(0), None));
    assert_eq!(example("hub", &[Signal::HUP, Signal::USR1, Signal::TERM]), (Some(0), None));
}

/// Sends each signal once the one before it has been told of, and says how the example ended.
pub fn example(name: &str, signals: &[Signal]) -> (Option<i32>, Option<i32>) {
    // Cargo puts the examples beside the folder of this binary.
    let here = std::env::current_exe().expect("this binary");
    let path = here.ancestors().nth(2).expect("target/debug").join("examples").join(name);
    assert!(path.exists(), "no {}: cargo build --all-features --examples", path.display());
    let mut child = Command::new(path).stdout(Stdio::piped()).spawn().expect("starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut tells = |text: &str| lines.any(|line| line.expect("text").contains(text));
    assert!(tells("ready"));
    for (index, &signal) in signals.iter().enumerate() {
        send::kill(child.id(), signal).expect("kill");
        let is_last = index + 1 == signals.len();
        assert!(is_last || tells(&signal.to_string()), "{name}: {signal}");
    }
    tells("to the end");
    let status = child.wait().expect("wait");
    (status.code(), status.signal())
}
