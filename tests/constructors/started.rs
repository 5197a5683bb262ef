//! Constructors that start threads, and programs that have them.

use std::env;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::OnceLock;
use std::sync::mpsc::channel;
use std::thread::{Builder, JoinHandle};

use signal_source::{OpenError, Signal, SignalSet, Signals};

use crate::harness::{self, role};

/// Names the constructor that is to start a thread, in the environment of a role.
const WHICH: &str = "SIGNAL_SOURCE_TEST_CONSTRUCTOR";

/// The thread, which ends when it is unparked.
static THREAD: OnceLock<JoinHandle<()>> = OnceLock::new();

fn construct(which: &str) {
    if env::var_os(WHICH).is_some_and(|chosen| chosen == which) {
        let (runs, waits) = channel();
        let thread = Builder::new().name(format!("of the {which}")).spawn(move || {
            runs.send(()).expect("the constructor waits");
            std::thread::park();
        });
        THREAD.set(thread.expect("a thread")).expect("one constructor starts one");
        waits.recv().expect("the thread runs, and has its name");
    }
}

extern "C" fn earlier() {
    construct("earlier");
}

extern "C" fn later() {
    construct("later");
}

#[used]
#[unsafe(link_section = ".init_array.00100")]
static EARLIER: extern "C" fn() = earlier;

/// Like those of C++ and of most crates, without a number.
#[used]
#[unsafe(link_section = ".init_array")]
static LATER: extern "C" fn() = later;

/// What a role prints where that constructor started a thread.
fn output(name: &str, constructor: &str) -> String {
    let output = role(name, &[]).env(WHICH, constructor).output().expect("starts");
    assert!(
        output.status.success(),
        "{}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}

fn opened() -> String {
    match Signals::new(Signal::USR1) {
        Ok(signals) => {
            harness::send(Signal::USR1);
            format!("{}\n", signals.recv().expect("recv").signal())
        }
        Err(OpenError::UnblockedThreads { signals, threads }) => {
            let names: Vec<_> = threads.iter().map(|thread| thread.name.as_str()).collect();
            format!("{signals:?} {names:?}\n")
        }
        Err(other) => panic!("{other:?}"),
    }
}

pub(crate) fn opens(_: &[String]) {
    print!("{}{}", opened(), opened());
}

/// Opens when the thread that was in the way has ended.
pub(crate) fn opens_later(_: &[String]) {
    let thread = THREAD.get().expect("a constructor started one");
    thread.thread().unpark();
    harness::eventually("the end", || thread.is_finished());
    print!("{}{}", opened(), opened());
}

/// Never opens.
pub(crate) fn waits(_: &[String]) {
    println!("READY");
    loop {
        std::thread::park();
    }
}

pub(crate) fn a_thread_of_a_later_constructor_is_no_obstacle() {
    assert_eq!(output("opens", "later"), "SIGUSR1\nSIGUSR1\n");
}

/// In the order of their numbers, which MIPS has in another one.
fn all_of_the_earlier() -> String {
    format!("{:?} [\"of the earlier\"]\n", SignalSet::from([Signal::USR1, Signal::TERM]))
}

/// By the reservation, and then by each opening's own look.
pub(crate) fn a_thread_of_an_earlier_constructor_is_named() {
    let all = all_of_the_earlier();
    let asked = "{SIGUSR1} [\"of the earlier\"]\n";
    assert_eq!(output("opens", "earlier"), format!("{all}{asked}"));
}

/// Once; from then on an opening is what it is without a reservation.
pub(crate) fn what_failed_at_the_start_is_told_at_the_first_opening() {
    let all = all_of_the_earlier();
    assert_eq!(output("opens_later", "earlier"), format!("{all}SIGUSR1\n"));
}

/// They kill.
pub(crate) fn what_failed_at_the_start_leaves_the_signals_alone() {
    for constructor in ["earlier", "later"] {
        let mut command = role("waits", &[]);
        command.env(WHICH, constructor).stdout(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        assert_eq!(line, "READY\n");
        signal_source::send::kill(child.id(), Signal::TERM).expect("kill");
        assert_eq!(child.wait().expect("wait").signal(), Some(Signal::TERM.as_raw()));
    }
}
