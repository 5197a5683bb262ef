//! The examples, as programs: started, signalled, read and waited for.
#![allow(unsafe_code)] // a session and a terminal of one's own
#![allow(unreachable_pub)] // each test binary is a crate of its own

mod harness;
#[path = "examples/program.rs"]
mod program;
#[path = "examples/terminal.rs"]
mod terminal;
#[path = "examples/watch.rs"]
mod watch;

use std::io::Write;
use std::os::unix::process::CommandExt;
#[cfg(feature = "tokio")]
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread;

use program::Program;
use signal_source::Signal;
use terminal::*;
use watch::*;

fn main() {
    // Cargo builds them with all the tests, but not with `--tests` or `--test examples` alone.
    harness::needs_examples(&["poll", "thread", "watch"]);
    harness::main(
        cases![
            #[cfg(feature = "tokio")]
            receive_reloads_and_ends,
            #[cfg(feature = "tokio")]
            receive_may_merge_but_not_lose,
            #[cfg(feature = "tokio")]
            cancel_at_ctrl_c,
            #[cfg(feature = "tokio")]
            cancel_at_term,
            #[cfg(feature = "tokio")]
            cancel_is_killed_by_the_second_ctrl_c,
            #[cfg(feature = "mio")]
            mio_loop_receives,
            thread_receives,
            poll_receives_and_reads,
            watch_shows_who_sent_it,
            watch_shows_it_as_json,
            #[cfg(target_os = "linux", "only Linux tells the origin")]
            watch_shows_what_came_along,
            #[cfg(target_os = "linux", "only Linux tells the origin")]
            watch_shows_that_a_sender_may_be_forged,
            #[cfg(target_os = "linux", "only Linux tells the origin")]
            watch_shows_what_became_of_a_child,
            watch_receives_everything,
            watch_leaves_the_others_alone,
            watch_refuses_bad_names,
            watch_ends_at_the_second_ctrl_c,
            watch_does_not_end_by_what_was_ignored,
            watch_stops_and_continues,
            watch_is_not_stopped_where_no_parent_would_continue_it,
            watch_ends_without_a_reader,
            watch_in_a_terminal_shows_keys_and_size,
            watch_in_a_terminal_stops_and_continues,
            watch_in_a_terminal_ends_at_the_second_ctrl_c,
            watch_ends_when_its_terminal_hangs_up,
        ],
        roles![idles, leaves_a_child_to_watch, shell],
    );
}

// origin: AnyIO, "Receiving operating system signals" (S1)
#[cfg(feature = "tokio")]
fn receive_reloads_and_ends() {
    let mut program = Program::ready("receive", &[]);
    for _ in 0..2 {
        program.send(Signal::HUP);
        assert_eq!(program.line().as_deref(), Some("Reloading configuration"));
    }
    program.send(Signal::TERM);
    assert_eq!(program.ends(), "");
}

#[cfg(feature = "tokio")]
fn receive_may_merge_but_not_lose() {
    let program = Program::ready("receive", &[]);
    program.send(Signal::HUP);
    program.send(Signal::HUP);
    program.send(Signal::TERM);
    let lines = program.ends();
    assert!(["Reloading configuration\n"; 2].concat().starts_with(&lines), "{lines}");
    assert_ne!(lines, "");
}

// origin: AnyIO, "Handling KeyboardInterrupt and SystemExit" (S2, A)
#[cfg(feature = "tokio")]
fn cancel_at_ctrl_c() {
    let program = Program::ready("cancel", &[]);
    program.send(Signal::INT);
    assert_eq!(program.ends(), "Ctrl+C pressed!\ncleanup\n");
}

// origin: AnyIO, "Handling KeyboardInterrupt and SystemExit" (S2, B)
#[cfg(feature = "tokio")]
fn cancel_at_term() {
    let program = Program::ready("cancel", &[]);
    program.send(Signal::TERM);
    assert_eq!(program.ends(), "Terminated!\ncleanup\n");
}

// origin: AnyIO, "Handling KeyboardInterrupt and SystemExit" (S2): the receiver's scope is closed
#[cfg(feature = "tokio")]
fn cancel_is_killed_by_the_second_ctrl_c() {
    let mut program = Program::ready("cancel", &["--slow-cleanup"]);
    program.send(Signal::INT);
    assert_eq!(program.line().as_deref(), Some("Ctrl+C pressed!"));
    assert_eq!(program.line().as_deref(), Some("cleanup"));
    program.send(Signal::INT);
    let (status, rest) = program.end();
    assert_eq!((status.signal(), rest.as_str()), (Some(Signal::INT.as_raw()), ""));
}

#[cfg(feature = "mio")]
fn mio_loop_receives() {
    receives("mio_loop");
}

fn receives(name: &str) {
    let mut program = Program::ready(name, &[]);
    program.send(Signal::HUP);
    program.says(&["SIGHUP"]);
    program.send(Signal::TERM);
    program.says(&["SIGTERM"]);
    assert_eq!(program.ends(), "");
}

fn poll_receives_and_reads() {
    receives("poll");
    let mut program = Program::ready("poll", &[]);
    let mut input = program.child.stdin.take().expect("piped");
    input.write_all(b"hello").expect("write");
    assert_eq!(program.line().as_deref(), Some("5 bytes of input"));
    program.send(Signal::HUP);
    program.says(&["SIGHUP"]);
    drop(input);
    assert_eq!(program.ends(), "");
}

fn thread_receives() {
    let mut program = Program::ready("thread", &[]);
    program.send(Signal::HUP);
    assert_eq!(program.line().as_deref(), Some("Reloading configuration"));
    program.send(Signal::INT);
    assert_eq!(program.ends(), "cleanup\n");
}

/// Role: a child that does nothing.
fn idles(_: &[String]) {
    loop {
        thread::park();
    }
}

/// Role: starts a child, says its pid, and goes on as `watch`.
fn leaves_a_child_to_watch(_: &[String]) {
    let mut child = harness::role("idles", &[]);
    let child = child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    println!("{}", child.spawn().expect("starts").id());
    panic!("{}", Command::new(harness::example("watch")).arg("CHLD").exec());
}
