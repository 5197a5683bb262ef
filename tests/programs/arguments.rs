//! What every example does with arguments that ask for help or that it does not know.

use std::process::{Command, Stdio};

use crate::harness::example;

/// Every example that this build has.
pub const EXAMPLES: &[&str] = &[
    "init",
    "poll",
    "run",
    "supervisor",
    "thread",
    "tui",
    "watch",
    #[cfg(feature = "mio")]
    "mio_loop",
    #[cfg(feature = "tokio")]
    "cancel",
    #[cfg(feature = "tokio")]
    "hub",
    #[cfg(feature = "tokio")]
    "receive",
    #[cfg(feature = "tokio")]
    "service",
    #[cfg(feature = "tokio")]
    "shutdown",
    #[cfg(feature = "tokio")]
    "shutdown_token",
];

pub fn every_example_helps() {
    for name in EXAMPLES {
        let output = Command::new(example(name)).arg("--help").output().expect("it starts");
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success(), "{name}: {}", output.status);
        assert!(text.contains(&format!("Usage: {name}")), "{name}: {text}");
        assert!(!text.starts_with("Usage"), "{name} does not say what it does: {text}");
    }
}

pub fn every_example_refuses_what_it_does_not_know() {
    for name in EXAMPLES {
        let mut command = Command::new(example(name));
        let output = command.arg("--bogus").stdin(Stdio::null()).output().expect("it starts");
        let text = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{name}: {text}");
        assert!(text.contains("unexpected argument '--bogus'"), "{name}: {text}");
    }
}

#[cfg(feature = "tokio")]
pub fn hub_says_what_ctrl_c_did() {
    use crate::program::Program;
    use signal_source::Signal;
    for signal in [Signal::INT, Signal::TERM] {
        let mut program = Program::start("hub", &[]);
        program.says(&["ready: process "]);
        program.send(Signal::USR1);
        program.says(&["log: SIGUSR1"]);
        program.send(signal);
        program.says(&[&format!("stopping: {signal}")]);
        assert_eq!(program.ends(), "");
    }
}
