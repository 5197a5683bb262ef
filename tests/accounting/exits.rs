//! `exit_by`: no code of the program runs on the way out.

use std::cell::Cell;
use std::os::unix::process::ExitStatusExt;
use std::thread;

use nix::libc;
use signal_source::process::exit_by;
use signal_source::{Signal, Signals};

use crate::harness::{self, End, role};

/// Runs a function when it is dropped.
struct AtDrop(Cell<Option<fn()>>);

impl Drop for AtDrop {
    fn drop(&mut self) {
        if let Some(run) = self.0.take() {
            run();
        }
    }
}

thread_local! {
    static AT_END: AtDrop = const { AtDrop(Cell::new(None)) };
}

fn at_the_end_of_this_thread(run: fn()) {
    AT_END.with(|end| end.0.set(Some(run)));
}

fn panics() {
    panic!("a destructor runs");
}

fn hangs() {
    loop {
        thread::park();
    }
}

pub(crate) fn exit_by_runs_no_destructor_that_panics() {
    at_the_end_of_this_thread(panics);
    exit_by(Signal::TERM);
}

pub(crate) fn exit_by_runs_no_destructor_that_hangs() {
    at_the_end_of_this_thread(hangs);
    let _signals = Signals::new(Signal::TERM).expect("open");
    exit_by(Signal::TERM);
}

pub(crate) fn exit_by_runs_no_destructor_on_another_thread() {
    at_the_end_of_this_thread(hangs);
    let other = thread::spawn(|| {
        at_the_end_of_this_thread(panics);
        exit_by(Signal::TERM);
    });
    let _ = other.join();
    harness::wait_for_death();
}

extern "C" fn exits_otherwise() {
    // SAFETY: ends the process.
    unsafe { libc::_exit(1) };
}

pub(crate) fn exit_by_runs_no_exit_function() {
    // SAFETY: the function unwinds into nothing.
    assert_eq!(unsafe { libc::atexit(exits_otherwise) }, 0);
    exit_by(Signal::TERM);
}

pub(crate) fn exit_by_of_a_harmless_signal_runs_no_destructor() {
    at_the_end_of_this_thread(panics);
    // SAFETY: the function unwinds into nothing.
    assert_eq!(unsafe { libc::atexit(exits_otherwise) }, 0);
    exit_by(Signal::CHLD);
}

/// Role: prints, without a line's end, and ends; a destructor would print more.
pub(crate) fn prints(arguments: &[String]) {
    at_the_end_of_this_thread(|| print!(" and destroyed"));
    print!("unfinished");
    exit_by(arguments[0].parse().expect("a signal"));
}

pub(crate) fn exit_by_flushes_and_runs_no_destructor() {
    for (signal, end) in [
        (Signal::TERM, End::DiesOf(Signal::TERM)),
        (Signal::INT, End::DiesOf(Signal::INT)),
        (Signal::WINCH, End::Exits(128 + Signal::WINCH.as_raw())),
    ] {
        let output = role("prints", &[&signal.to_string()]).output().expect("a role starts");
        let code = output.status.code().map(End::Exits);
        let killed = output.status.signal().and_then(Signal::from_raw).map(End::DiesOf);
        assert_eq!(code.or(killed), Some(end), "{}", output.status);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "unfinished");
    }
}

#[cfg(target_os = "linux")]
pub(crate) fn exit_by_of_a_real_time_signal_that_cannot_queue() {
    // No parent can be told of 127 (Linux on MIPS): `exit_by` exits.
    let told = (0..=u8::MAX).map_while(Signal::rt).filter(|signal| signal.as_raw() < 127);
    for signal in told.chain([Signal::TERM]) {
        harness::fork_dies_of(signal, || {
            harness::become_unprivileged();
            harness::limit_pending(0);
            exit_by(signal);
        });
        // With a receiver open, and on another thread.
        harness::fork_dies_of(signal, || {
            let _signals = Signals::new(signal).expect("open");
            harness::become_unprivileged();
            harness::limit_pending(0);
            let _ = thread::spawn(move || exit_by(signal)).join();
        });
    }
}
