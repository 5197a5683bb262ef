//! What a child sees of itself.

use std::process::{Command, Stdio};

use signal_source::process::CommandExt;
use signal_source::{Disposition, Signal, SignalSet, mask};

#[cfg(target_os = "linux")]
use crate::harness::shown;
use crate::harness::{descriptors, role};
use crate::spawned;

pub const TERM_AND_USR1: SignalSet = SignalSet::EMPTY.with(Signal::TERM).with(Signal::USR1);

/// What a process starts with, as it sees it itself: the signals blocked, and the signals ignored.
pub fn report(_: &[String]) {
    let blocked = mask::current().expect("mask");
    let ignored = |signal: &Signal| signal.disposition().is_ok_and(|d| d == Disposition::Ignore);
    let ignored: SignalSet = SignalSet::all().iter().filter(ignored).collect();
    println!("blocked {blocked:?}, ignored {ignored:?}, descriptors {}", descriptors());
    #[cfg(target_os = "linux")]
    assert_eq!((blocked, ignored), (shown("SigBlk:"), shown("SigIgn:")));
}

/// What a command prints. Its status is judged only if it is to be had: a process that ignores
/// CHLD is told none.
pub fn printed(command: &mut Command) -> String {
    let mut child = command.stdout(Stdio::piped()).spawn().expect("a role starts");
    let output = std::io::read_to_string(child.stdout.take().expect("a pipe")).expect("text");
    if let Ok(status) = child.wait() {
        assert!(status.success(), "{status}");
    }
    output
}

/// What a plain child starts with.
pub fn plain() -> String {
    printed(&mut role("report", &[]))
}

/// What a child with `restore_signals` starts with, and one of `Spawn`.
pub fn restored() -> String {
    let restored = printed(role("report", &[]).restore_signals());
    let spawned = spawned::printed(&mut spawned::like(&role("report", &[])));
    assert_eq!(spawned, restored);
    restored
}
