//! `watch`: what it shows, whom it leaves alone, and how it stops and ends.

use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Command;

use nix::unistd::{Uid, User};
use signal_source::{Signal, send};

use crate::harness::kernel::KERNEL;
use crate::harness::{self, eventually, set_ignored};
use crate::program::Program;

/// This user's name, if the system knows one: in a container it need not.
fn user() -> Option<String> {
    User::from_uid(Uid::current()).ok().flatten().map(|user| user.name)
}

pub(crate) fn watch_shows_who_sent_it() {
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

pub(crate) fn watch_shows_it_as_json() {
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
pub(crate) fn watch_shows_what_came_along() {
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

/// A process of this user says that it is init: `watch` shows what it claims, as a claim.
#[cfg(target_os = "linux")]
pub(crate) fn watch_shows_that_a_sender_may_be_forged() {
    use harness::forged::{Forged, forge};

    const SI_QUEUE: i32 = -1;
    let of_init = |to, signal| Forged { to, signal, code: SI_QUEUE, pid: 1, uid: 0, value: 7 };
    let claims =
        [" sigqueue", " pid=1 ", " uid=0", " value=7", " (unverified: as the sender claims)"];
    let mut program = Program::watch(&[]);
    for signal in [Signal::TERM, Signal::CHLD, Signal::rt(0).expect("real-time signals")] {
        forge(&of_init(program.pid(), signal)).expect("the kernel lets it");
        program.says(&[&[format!(" {signal} ").as_str()], &claims[..]].concat());
    }
    // The kernel's own word looks another way.
    program.send(Signal::TERM);
    assert!(!program.says(&[" SIGTERM ", " kill "]).contains("unverified"));

    let mut program = Program::watch(&["--json"]);
    forge(&of_init(program.pid(), Signal::TERM)).expect("the kernel lets it");
    let object = program.object();
    assert_eq!((&object["pid"], &object["uid"]), (&1.into(), &0.into()));
    assert_eq!(object["verified"], false);
}

#[cfg(target_os = "linux")]
pub(crate) fn watch_shows_what_became_of_a_child() {
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

pub(crate) fn watch_receives_everything() {
    let mut program = Program::watch(&[]);
    let stops = [Signal::TSTP, Signal::TTIN, Signal::TTOU];
    for signal in signal_source::SignalSet::all() - stops.into() {
        program.shows(signal);
    }
}

pub(crate) fn watch_leaves_the_others_alone() {
    let mut program = Program::watch(&["usr1", "SIGWINCH", "2"]);
    program.shows(Signal::USR1);
    program.shows(Signal::WINCH);
    program.shows(Signal::INT);
    program.send(Signal::TERM);
    let (status, rest) = program.end();
    assert_eq!((status.signal(), rest.as_str()), (Some(Signal::TERM.as_raw()), ""));
}

pub(crate) fn watch_refuses_bad_names() {
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

pub(crate) fn watch_ends_at_the_second_ctrl_c() {
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

pub(crate) fn watch_does_not_end_by_what_was_ignored() {
    set_ignored(Signal::INT);
    set_ignored(Signal::HUP);
    let mut program = Program::watch(&[]);
    for signal in [Signal::INT, Signal::INT, Signal::INT, Signal::HUP, Signal::USR1] {
        program.shows(signal);
    }
}

pub(crate) fn watch_stops_and_continues() {
    let mut program = Program::watch(&["TSTP", "TTIN", "TTOU", "USR1"]);
    for signal in [Signal::TSTP, Signal::TTIN, Signal::TTOU, Signal::TSTP] {
        program.shows(signal);
        program.stops_by(signal);
        program.send(Signal::CONT);
        program.shows(Signal::USR1);
    }

    if KERNEL.cont {
        let mut program = Program::watch(&[]);
        program.shows(Signal::TSTP);
        program.stops_by(Signal::TSTP);
        program.shows(Signal::CONT);
        program.shows(Signal::USR1);
    }

    // Nothing else is received.
    let mut program = Program::watch(&["TSTP"]);
    program.shows(Signal::TSTP);
    program.stops_by(Signal::TSTP);
    program.send(Signal::CONT);
    program.send(Signal::TERM);
    assert_eq!(program.end().0.signal(), Some(Signal::TERM.as_raw()));
}

/// Its group is orphaned: the parent, of the same session, has ended.
pub(crate) fn watch_is_not_stopped_where_no_parent_would_continue_it() {
    let mut command = Command::new(harness::example("watch"));
    // SAFETY: what it calls is async-signal-safe.
    unsafe { command.pre_exec(harness::orphan) };
    let mut program = Program::spawn(&mut command).orphaned();
    program.shows(Signal::TSTP);
    program.shows(Signal::USR1);
    program.shows(Signal::TSTP);
    program.shows(Signal::USR2);
}

pub(crate) fn watch_ends_without_a_reader() {
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
