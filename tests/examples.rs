//! The examples, as programs: started, signalled, read and waited for.
#![allow(unsafe_code)] // a session and a terminal of one's own
#![allow(unreachable_pub)] // each test binary is a crate of its own

#[path = "examples/program.rs"]
mod program;
#[path = "examples/terminal.rs"]
mod terminal;

mod harness;

use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};
use std::thread;

use harness::kernel::KERNEL;
use harness::{eventually, set_ignored};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, Uid, User, setsid};
use program::Program;
use signal_source::{Signal, send};
use terminal::{
    shell, watch_ends_when_its_terminal_hangs_up, watch_in_a_terminal_ends_at_the_second_ctrl_c,
    watch_in_a_terminal_shows_keys_and_size, watch_in_a_terminal_stops_and_continues,
};

fn main() {
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
            #[cfg(target_os = "linux")]
            watch_shows_what_came_along,
            #[cfg(target_os = "linux")]
            watch_shows_what_became_of_a_child,
            watch_receives_everything,
            watch_leaves_the_others_alone,
            watch_refuses_bad_names,
            watch_ends_at_the_second_ctrl_c,
            watch_does_not_end_by_what_was_ignored,
            watch_stops_and_continues,
            watch_is_not_stopped_where_nobody_would_continue_it,
            watch_ends_when_nobody_reads,
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

/// This user's name, if the system knows one: in a container it need not.
fn user() -> Option<String> {
    User::from_uid(Uid::current()).ok().flatten().map(|user| user.name)
}

fn watch_shows_who_sent_it() {
    let mut program = Program::watch(&[]);
    program.send(Signal::USR1);
    if KERNEL.sender {
        let pid = format!(" pid={} process=", harness::pid());
        let uid = format!(" uid={}", Uid::current());
        let user = user().map_or(String::new(), |user| format!(" user={user}"));
        program.says(&[" SIGUSR1 ", " kill ", &pid, &uid, &user]);
    } else {
        program.says(&[" SIGUSR1 ", " unknown"]);
    }
}

fn watch_shows_it_as_json() {
    let mut program = Program::watch(&["--json"]);
    program.send(Signal::TERM);
    let object = program.object();
    assert_eq!(object["signal"], "SIGTERM");
    assert_eq!(object["number"], Signal::TERM.as_raw());
    assert!(object["time"].as_str().is_some_and(|time| time.contains('T')), "{object}");
    assert!(object.get("value").is_none(), "{object}");
    if KERNEL.sender {
        assert_eq!(object["origin"], "kill");
        assert_eq!(object["verified"], true);
        assert_eq!(object["pid"], harness::pid());
        assert_eq!(object["uid"], Uid::current().as_raw());
        assert_eq!(object.get("user"), user().map(Into::into).as_ref());
    } else {
        assert_eq!(object["origin"], "unknown");
        assert!(object.get("pid").is_none(), "{object}");
    }
    if KERNEL.counts {
        // Merged or not, all are counted.
        (0..10).for_each(|_| program.send(Signal::USR1));
        let mut counted = 0;
        while counted < 10 {
            counted += program.object().get("count").map_or(1, |count| count.as_u64().expect("u"));
        }
        assert_eq!(counted, 10);
    }
}

#[cfg(target_os = "linux")]
fn watch_shows_what_came_along() {
    let name = std::fs::read_to_string("/proc/self/comm").expect("comm");
    let job = Signal::rt(3).expect("real-time signals");
    let mut program = Program::watch(&["rtmin+3", &Signal::USR1.as_raw().to_string()]);
    send::sigqueue(program.pid(), job, -42).expect("sigqueue");
    let process = format!(" process={} ", name.trim_end());
    let unverified = " (unverified: as the sender claims)";
    program.says(&[" SIGRTMIN+3 ", " sigqueue ", &process, "command=", " value=-42", unverified]);

    let mut program = Program::watch(&["--json", "SIGRTMIN+3"]);
    for value in 0..100 {
        send::sigqueue(program.pid(), job, value).expect("sigqueue");
    }
    for value in 0..100 {
        let object = program.object();
        assert_eq!(
            (&object["value"], &object["process"]),
            (&value.into(), &name.trim_end().into())
        );
        assert_eq!(object["verified"], false);
        let command = object["command"].as_str().expect("it lives");
        assert!(command.contains(std::env::args().next().expect("this program").as_str()));
    }
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
    panic!("{}", Command::new(program::path("watch")).arg("CHLD").exec());
}

#[cfg(target_os = "linux")]
fn watch_shows_what_became_of_a_child() {
    let mut program = Program::spawn(&mut harness::role("leaves_a_child_to_watch", &[]));
    let child = program.line().expect("a line").parse().expect("a pid");
    let mut program = program.watching();
    let pid = format!(" pid={child} ");
    for (signal, status) in [
        (Signal::STOP, " status=stopped by=SIGSTOP "),
        (Signal::CONT, " status=continued by=SIGCONT "),
        (Signal::KILL, " status=killed by=SIGKILL "),
    ] {
        send::kill(child, signal).expect("kill");
        program.says(&[" SIGCHLD ", " child ", &pid, " uid=", status, "user_time="]);
    }
}

fn watch_receives_everything() {
    let mut program = Program::watch(&[]);
    let stops = [Signal::TSTP, Signal::TTIN, Signal::TTOU];
    for signal in signal_source::SignalSet::all() - stops.into() {
        program.shows(signal);
    }
}

fn watch_leaves_the_others_alone() {
    let mut program = Program::watch(&["usr1", "SIGWINCH", "2"]);
    program.shows(Signal::USR1);
    program.shows(Signal::WINCH);
    program.shows(Signal::INT);
    program.send(Signal::TERM);
    let (status, rest) = program.end();
    assert_eq!((status.signal(), rest.as_str()), (Some(Signal::TERM.as_raw()), ""));
}

fn watch_refuses_bad_names() {
    for (name, reason) in [
        ("TREM", "\"TREM\" is not a signal of this system"),
        ("0", "\"0\" is not a signal"),
        ("", "\"\" is not a signal"),
        ("KILL", "SIGKILL cannot be received: the kernel lets no process"),
        ("SEGV", "SIGSEGV cannot be received: it reports a fault"),
    ] {
        let mut program = Program::start("watch", &["USR1", name]);
        let status = program.child.wait().expect("wait");
        let complaint = program.complaint();
        assert_eq!(status.code(), Some(2), "{name}: {complaint}");
        assert!(complaint.contains(reason), "{name}: {complaint}");
    }
}

fn watch_ends_at_the_second_ctrl_c() {
    let mut program = Program::watch(&[]);
    program.shows(Signal::INT);
    program.shows(Signal::USR1);
    // Each within a second after the one before, sooner or later.
    loop {
        program.send(Signal::INT);
        if program.line().is_none() {
            break;
        }
    }
    assert_eq!(program.end().0.signal(), Some(Signal::INT.as_raw()));
}

fn watch_does_not_end_by_what_was_ignored() {
    set_ignored(Signal::INT);
    set_ignored(Signal::HUP);
    let mut program = Program::watch(&[]);
    for signal in [Signal::INT, Signal::INT, Signal::INT, Signal::HUP, Signal::USR1] {
        program.shows(signal);
    }
}

fn watch_stops_and_continues() {
    let mut program = Program::watch(&["TSTP", "TTIN", "TTOU", "USR1"]);
    for signal in [Signal::TSTP, Signal::TTIN, Signal::TTOU, Signal::TSTP] {
        program.shows(signal);
        stopped_by(signal, &program);
        program.send(Signal::CONT);
        program.shows(Signal::USR1);
    }

    if KERNEL.cont {
        let mut program = Program::watch(&[]);
        program.shows(Signal::TSTP);
        stopped_by(Signal::TSTP, &program);
        program.shows(Signal::CONT);
        program.shows(Signal::USR1);
    }

    // Nothing else is received.
    let mut program = Program::watch(&["TSTP"]);
    program.shows(Signal::TSTP);
    stopped_by(Signal::TSTP, &program);
    program.send(Signal::CONT);
    program.send(Signal::TERM);
    assert_eq!(program.end().0.signal(), Some(Signal::TERM.as_raw()));
}

#[track_caller]
fn stopped_by(signal: Signal, program: &Program) {
    let pid = Pid::from_raw(harness::signed(program.pid()));
    match waitpid(pid, Some(WaitPidFlag::WUNTRACED)).expect("waitpid") {
        WaitStatus::Stopped(_, by) => assert_eq!(by as i32, signal.as_raw()),
        other => panic!("{other:?}"),
    }
}

fn watch_is_not_stopped_where_nobody_would_continue_it() {
    let mut command = Command::new(program::path("watch"));
    // SAFETY: setsid is async-signal-safe. A session's only group has no parent in the session.
    unsafe { command.pre_exec(|| setsid().map(drop).map_err(Into::into)) };
    let mut program = Program::spawn(&mut command).watching();
    program.shows(Signal::TSTP);
    program.shows(Signal::USR1);
    program.shows(Signal::TSTP);
    program.shows(Signal::USR2);
}

fn watch_ends_when_nobody_reads() {
    // At once, without a signal.
    let (mut child, mut stderr) = Program::watch(&[]).stop_reading();
    assert_eq!(child.wait().expect("wait").code(), Some(0));
    let mut complaint = String::new();
    stderr.read_to_string(&mut complaint).expect("stderr");
    assert_eq!(complaint, "");

    // While many signals come: none of those left unread kills it.
    let program = Program::watch(&[]);
    (0..100).for_each(|_| program.send(Signal::USR1));
    let (mut child, _) = program.stop_reading();
    eventually("the end", || {
        send::kill(child.id(), Signal::USR1).expect("kill");
        child.try_wait().expect("wait").map(|status| assert_eq!(status.code(), Some(0))).is_some()
    });
}
