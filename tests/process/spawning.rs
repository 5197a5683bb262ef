//! Ways to spawn.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Output, Stdio};
use std::thread;

use signal_source::Signal;
use signal_source::process::{self, CommandExt};

use crate::harness::kernel::KERNEL;
use crate::harness::{open, pid, play, role, send};
use crate::report::{TERM_AND_USR1, plain, printed, restored};

/// Waits to be killed.
pub fn sleeper(_: &[String]) {
    println!("ready");
    loop {
        thread::park();
    }
}

pub fn from_a_tokio_worker() {
    let before = plain();
    let signals = open([Signal::TERM, Signal::USR1]);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let spawned = runtime.spawn(async {
        let mut command = tokio::process::Command::from(role("report", &[]));
        command.as_std_mut().restore_signals();
        command.output().await.expect("a role starts")
    });
    let Output { status, stdout, .. } = runtime.block_on(spawned).expect("no panic");
    assert!(status.success(), "{status}");
    assert_eq!(String::from_utf8(stdout).expect("text"), before);
    drop(signals);
}

pub fn asked_for_twice() {
    let before = plain();
    let _signals = open(TERM_AND_USR1);
    let mut command = role("report", &[]);
    command.restore_signals().restore_signals();
    // Decided at each spawn, not when it was asked for.
    assert_eq!(printed(&mut command), before);
    assert_eq!(printed(&mut command), before);
}

pub fn asked_for_before_opening() {
    let before = plain();
    let mut command = role("report", &[]);
    command.restore_signals();
    let _signals = open(TERM_AND_USR1);
    assert_eq!(printed(&mut command), before);
}

/// Opens a receiver, then becomes another program.
pub fn executes(_: &[String]) {
    let signals = open(TERM_AND_USR1);
    let error = process::exec(&mut role("report", &[]));
    drop(signals);
    panic!("exec: {error}");
}

pub fn exec_without_a_child() {
    assert_eq!(play("executes", &[]), plain());
}

pub fn a_pending_signal_acts_at_exec() {
    let signals = open(Signal::TERM);
    send(Signal::TERM);
    if !KERNEL.masked {
        // Ignored while it is received, so nothing is pending in the process.
        drop(signals);
    }
    let _ = process::exec(&mut role("report", &[]));
}

pub fn the_child_dies_of_what_the_parent_receives() {
    let signals = open(Signal::TERM);
    let mut child =
        role("sleeper", &[]).restore_signals().stdout(Stdio::piped()).spawn().expect("it starts");
    let mut ready = String::new();
    let stdout = child.stdout.take().expect("a pipe");
    BufReader::new(stdout).read_line(&mut ready).expect("it is ready");
    signal_source::send::kill(pid(), Signal::TERM).expect("kill");
    signal_source::send::kill(child.id(), Signal::TERM).expect("kill");
    let status = child.wait().expect("wait");
    assert_eq!(status.signal(), Some(Signal::TERM.as_raw()), "{status}");
    assert_eq!(signals.recv().expect("recv").signal(), Signal::TERM);
}

// origin: gVisor Cloexec, LTP signalfd4 (K3)
pub fn no_descriptor_reaches_the_child() {
    let count = |report: &str| report.rsplit(' ').next().map(str::to_owned);
    let before = count(&plain());
    let _signals = open(TERM_AND_USR1);
    assert_eq!(count(&plain()), before);
    assert_eq!(count(&restored()), before);
}
