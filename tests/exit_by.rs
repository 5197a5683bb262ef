//! Dying properly: `process::exit_by`, judged by the parent's wait status.
#![allow(unsafe_code)] // the limit of a core's size, namespaces

mod harness;

use std::env;
use std::fs;
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::mpsc::channel;
use std::thread;

use harness::{End, eventually, pid, role, send, set_counting, set_ignored};
use nix::libc;
use signal_source::process::exit_by;
use signal_source::{Signal, Signals, mask};

fn main() {
    harness::main(
        cases![
            term => End::DiesOf(Signal::TERM),
            int => End::DiesOf(Signal::INT),
            hup => End::DiesOf(Signal::HUP),
            usr1 => End::DiesOf(Signal::USR1),
            kill => End::DiesOf(Signal::KILL),
            pipe => End::DiesOf(Signal::PIPE),
            every_other,
            real_time,
            quit_without_a_core,
            abort_without_a_core,
            fault_without_a_core,
            what_does_not_kill_exits,
            with_a_receiver_open => End::DiesOf(Signal::TERM),
            with_a_receiver_in_another_thread => End::DiesOf(Signal::TERM),
            after_receiving => End::DiesOf(Signal::INT),
            while_ignored => End::DiesOf(Signal::HUP),
            while_blocked => End::DiesOf(Signal::USR2),
            while_pending => End::DiesOf(Signal::TERM),
            while_handled => End::DiesOf(Signal::TERM),
            from_another_thread => End::DiesOf(Signal::TERM),
            from_two_threads_at_once,
            output_is_flushed,
            output_without_a_reader,
            output_held_by_another_thread => End::DiesOf(Signal::TERM),
            output_held_by_this_thread => End::DiesOf(Signal::TERM),
            #[cfg(target_os = "linux", "pid namespaces are Linux's")]
            first_process_of_a_namespace,
        ],
        roles![
            exits,
            prints,
            dumps,
            both,
            #[cfg(target_os = "linux")]
            makes_namespace,
        ],
    );
}

/// Ends by the signal whose number it is given.
fn exits(arguments: &[String]) {
    exit_by(arguments[0].parse().expect("a signal"));
}

/// How a process ends that calls `exit_by`.
fn end_of(signal: Signal) -> Output {
    role("exits", &[&signal.as_raw().to_string()]).output().expect("a role starts")
}

fn term() {
    exit_by(Signal::TERM);
}

fn int() {
    exit_by(Signal::INT);
}

fn hup() {
    exit_by(Signal::HUP);
}

fn usr1() {
    exit_by(Signal::USR1);
}

fn kill() {
    exit_by(Signal::KILL);
}

/// Rust's runtime ignores it.
fn pipe() {
    exit_by(Signal::PIPE);
}

/// Signals whose default action is not to end a process, on every system.
const HARMLESS: [Signal; 8] = [
    Signal::CHLD,
    Signal::CONT,
    Signal::URG,
    Signal::WINCH,
    Signal::STOP,
    Signal::TSTP,
    Signal::TTIN,
    Signal::TTOU,
];

/// Deadly everywhere, and reported as the signal that killed.
fn every_other() {
    for signal in [
        Signal::QUIT,
        Signal::ILL,
        Signal::TRAP,
        Signal::ABRT,
        Signal::BUS,
        Signal::FPE,
        Signal::SEGV,
        Signal::USR2,
        Signal::ALRM,
        Signal::XCPU,
        Signal::XFSZ,
        Signal::VTALRM,
        Signal::PROF,
        Signal::SYS,
    ] {
        let status = end_of(signal).status;
        assert_eq!(status.signal(), Some(signal.as_raw()), "{signal}: {status}");
    }
}

fn real_time() {
    for signal in (0..=u8::MAX).map_while(Signal::rt) {
        let status = end_of(signal).status;
        // No wait status tells of 127 (Linux on MIPS): it would read as a stop.
        let expected =
            if signal.as_raw() == 127 { (None, Some(255)) } else { (Some(signal.as_raw()), None) };
        assert_eq!((status.signal(), status.code()), expected, "{signal}: {status}");
    }
}

// origin: dumb-init exit_status_terminated_by_signal (V7)
fn what_does_not_kill_exits() {
    for signal in HARMLESS {
        let status = end_of(signal).status;
        assert_eq!(status.code(), Some(128 + signal.as_raw()), "{signal}: {status}");
    }
}

/// Ends by a signal that dumps core, with no limit on a core's size.
fn dumps(arguments: &[String]) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: writes the limit.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_CORE, &mut limit) }, 0);
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: reads the limit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_CORE, &limit) }, 0);
    match arguments[0].as_str() {
        "plainly" => drop(nix::sys::signal::raise(nix::sys::signal::SIGQUIT)),
        name => exit_by(name.parse().expect("a signal")),
    }
}

/// Runs `dumps` in a directory of its own and tells whether a core was dumped.
fn dumps_core(how: &str) -> (Option<i32>, bool) {
    let here: PathBuf = env::temp_dir().join(format!("signal-source-core-{}", pid()));
    fs::create_dir_all(&here).expect("a directory");
    let mut child = role("dumps", &[how]).current_dir(&here).spawn().expect("a role starts");
    let status = child.wait().expect("wait");
    let files = fs::read_dir(&here).expect("the directory").count();
    fs::remove_dir_all(&here).expect("the directory goes");
    (status.signal(), status.core_dumped() || files > 0)
}

fn no_core(signal: Signal) {
    // Where the system would dump none anyway, there is nothing to see.
    if !dumps_core("plainly").1 {
        println!("note: no core is dumped here in any case");
    }
    assert_eq!(dumps_core(&signal.to_string()), (Some(signal.as_raw()), false));
}

fn quit_without_a_core() {
    no_core(Signal::QUIT);
}

fn abort_without_a_core() {
    no_core(Signal::ABRT);
}

fn fault_without_a_core() {
    no_core(Signal::SEGV);
}

fn with_a_receiver_open() {
    let _signals = Signals::new([Signal::TERM, Signal::INT]).expect("open");
    exit_by(Signal::TERM);
}

fn with_a_receiver_in_another_thread() {
    let (opened, is_open) = channel();
    let unaudited = Signals::builder().audit(false);
    thread::spawn(move || {
        let signals = unaudited.open([Signal::TERM, Signal::INT]).expect("open");
        opened.send(()).expect("main waits");
        signals.recv()
    });
    is_open.recv().expect("it opens");
    exit_by(Signal::TERM);
}

fn after_receiving() {
    let signals = Signals::new([Signal::TERM, Signal::INT]).expect("open");
    send(Signal::INT);
    exit_by(signals.recv().expect("recv").signal());
}

fn while_ignored() {
    set_ignored(Signal::HUP);
    exit_by(Signal::HUP);
}

fn while_blocked() {
    mask::block(Signal::USR2).expect("block").keep();
    exit_by(Signal::USR2);
}

fn while_pending() {
    let _signals = Signals::new([Signal::TERM, Signal::INT]).expect("open");
    send(Signal::TERM);
    send(Signal::INT); // stays blocked
    exit_by(Signal::TERM);
}

fn while_handled() {
    set_counting(Signal::TERM);
    exit_by(Signal::TERM);
}

fn from_another_thread() {
    let _signals = Signals::new(Signal::TERM).expect("open");
    let _ = thread::spawn(|| exit_by(Signal::TERM)).join();
    eventually("the end", || false);
}

/// Ends from two threads, each by another signal.
fn both(_: &[String]) {
    let other = thread::spawn(|| exit_by(Signal::INT));
    let _ = thread::spawn(|| exit_by(Signal::TERM)).join();
    let _ = other.join();
}

fn from_two_threads_at_once() {
    for _ in 0..50 {
        let status = role("both", &[]).status().expect("a role starts");
        let either = [Signal::INT, Signal::TERM].map(|signal| Some(signal.as_raw()));
        assert!(either.contains(&status.signal()), "{status}");
    }
}

/// Prints, without a line's end, and ends.
fn prints(_: &[String]) {
    print!("unfinished");
    exit_by(Signal::TERM);
}

fn output_is_flushed() {
    let output = role("prints", &[]).output().expect("a role starts");
    assert_eq!(output.status.signal(), Some(Signal::TERM.as_raw()), "{}", output.status);
    assert_eq!(output.stdout, b"unfinished");
}

/// The reader has gone: an error that must not keep the process from ending.
fn output_without_a_reader() {
    let mut child = role("prints", &[]).stdout(Stdio::piped()).spawn().expect("a role starts");
    drop(child.stdout.take());
    let status = child.wait().expect("wait");
    assert_eq!(status.signal(), Some(Signal::TERM.as_raw()), "{status}");
}

fn output_held_by_another_thread() {
    let (held, is_held) = channel();
    thread::spawn(move || {
        let _output = io::stdout().lock();
        held.send(()).expect("main waits");
        loop {
            thread::park(); // as if it wrote to a full pipe without a reader
        }
    });
    is_held.recv().expect("it holds");
    exit_by(Signal::TERM);
}

fn output_held_by_this_thread() {
    let mut output = io::stdout().lock();
    output.write_all(b"unfinished").expect("it is buffered");
    exit_by(Signal::TERM);
}

/// Plays a role as the first process of a pid namespace, and tells how it ended.
#[cfg(target_os = "linux")]
fn makes_namespace(arguments: &[String]) {
    use nix::sched::{CloneFlags, unshare};
    let user = CloneFlags::CLONE_NEWUSER;
    let done =
        unshare(CloneFlags::CLONE_NEWPID).or_else(|_| unshare(user | CloneFlags::CLONE_NEWPID));
    if let Err(error) = done {
        println!("not permitted: {error}");
        return;
    }
    let status = role("exits", &[&arguments[0]]).status().expect("a role starts");
    println!("{:?} {:?}", status.code(), status.signal());
}

// origin: tini (V1): the first process exits with 128 + n
#[cfg(target_os = "linux")]
fn first_process_of_a_namespace() {
    for signal in [Signal::TERM, Signal::INT, Signal::QUIT, Signal::KILL, Signal::CHLD] {
        let seen = harness::play("makes_namespace", &[&signal.to_string()]);
        if seen.starts_with("not permitted") {
            harness::skip(format_args!("a pid namespace is {}", seen.trim_end()));
        }
        assert_eq!(seen, format!("{:?} None\n", Some(128 + signal.as_raw())), "{signal}");
    }
}
