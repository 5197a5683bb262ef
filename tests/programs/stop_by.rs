//! `process::stop_by`: seen by the parent, and what is as before afterwards.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::channel;
use std::thread;

use signal_source::process::stop_by;
use signal_source::{Disposition, Signal, Signals, send};

use crate::harness::kernel::KERNEL;
use crate::harness::{
    self, hits, in_fork, orphan, pid, raw_block, raw_mask, role, set_counting, set_ignored,
    wait_for_stop,
};

const STOPS: [Signal; 4] = [Signal::TSTP, Signal::TTIN, Signal::TTOU, Signal::STOP];

/// Role: stops by the signal, in the named circumstances, and sees that all is as before.
pub fn stops(arguments: &[String]) {
    let signal: Signal = arguments[0].parse().expect("a signal");
    let stop = || stop_by(signal).expect("stops");
    match arguments[1].as_str() {
        "plainly" => stop(),
        "received" => {
            let signals = Signals::new([signal, Signal::USR1, Signal::USR2]).expect("open");
            let mask = raw_mask();
            harness::send(Signal::USR1);
            harness::send(signal); // stops the process together with the other one: once
            stop();
            assert_eq!(raw_mask(), mask);
            // Nothing of this crate's own signal is left to be received, and the rest is.
            assert_eq!(signals.recv().expect("recv").signal(), Signal::USR1);
            harness::send(Signal::USR2);
            assert_eq!(signals.recv().expect("recv").signal(), Signal::USR2);
            assert!(signals.try_recv().expect("recv").is_none());
            harness::send(signal);
            assert_eq!(signals.recv().expect("recv").signal(), signal);
        }
        "continued" => {
            let signals = Signals::new([signal, Signal::CONT]).expect("open");
            stop();
            assert_eq!(signals.recv().expect("recv").signal(), Signal::CONT);
            assert!(signals.try_recv().expect("recv").is_none());
        }
        "handled" => {
            set_counting(signal);
            set_counting(Signal::CONT);
            stop();
            assert_eq!((hits(signal), hits(Signal::CONT)), (0, 1));
            harness::send(signal);
            assert_eq!(hits(signal), 1);
        }
        "ignored" => {
            set_ignored(signal);
            stop();
            assert_eq!(signal.disposition().expect("a disposition"), Disposition::Ignore);
            harness::send(signal);
        }
        "blocked" => {
            raw_block(signal);
            let mask = raw_mask();
            stop();
            assert_eq!(raw_mask(), mask);
        }
        "elsewhere" => {
            let signals = Signals::new([signal, Signal::USR1]).expect("open");
            let worker = thread::spawn(move || {
                let mask = raw_mask();
                stop_by(signal).expect("stops");
                assert_eq!(raw_mask(), mask);
            });
            worker.join().expect("no panic");
            harness::send(Signal::USR1);
            assert_eq!(signals.recv().expect("recv").signal(), Signal::USR1);
        }
        other => panic!("no such circumstances: {other}"),
    }
    println!("as before");
}

/// Plays it, continues it and waits for its end.
#[track_caller]
fn stops_and_continues(signal: Signal, how: &str) {
    let mut child = role("stops", &[&signal.to_string(), how]).spawn().expect("a role starts");
    assert_eq!(wait_for_stop(child.id()), signal, "{how}");
    send::kill(child.id(), Signal::CONT).expect("kill");
    let status = child.wait().expect("wait");
    assert!(status.success(), "{signal} {how}: {status}");
}

pub fn stop_by_stops_until_continued() {
    for signal in STOPS {
        stops_and_continues(signal, "plainly");
    }
}

pub fn stop_by_leaves_everything_as_it_was() {
    for signal in [Signal::TSTP, Signal::TTIN, Signal::TTOU] {
        for how in ["received", "handled", "ignored", "blocked", "elsewhere"] {
            stops_and_continues(signal, how);
        }
        if KERNEL.cont {
            stops_and_continues(signal, "continued");
        }
    }
}

/// The kernel discards it.
pub fn stop_by_in_an_orphaned_group_returns() {
    let (mut ours, mut theirs) = UnixStream::pair().expect("a pair");
    in_fork(|| {
        orphan().expect("an orphan");
        let signals = Signals::new([Signal::TSTP, Signal::USR1]).expect("open");
        let mask = raw_mask();
        for _ in 0..3 {
            stop_by(Signal::TSTP).expect("discarded");
        }
        assert_eq!(raw_mask(), mask);
        harness::send(Signal::USR1);
        assert_eq!(signals.recv().expect("recv").signal(), Signal::USR1);
        theirs.write_all(b".").expect("written");
    });
    drop(theirs);
    ours.read_exact(&mut [0]).expect("the orphan went on to its end");
}

pub fn stop_by_refuses_what_does_not_stop() {
    set_counting(Signal::TERM);
    for signal in [Signal::TERM, Signal::KILL, Signal::CONT, Signal::CHLD, Signal::USR1] {
        let error = stop_by(signal).expect_err("not a stop signal");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{signal}");
        assert!(error.to_string().starts_with(&format!("{signal} does not stop")), "{error}");
    }
    assert_eq!(hits(Signal::TERM), 0);
}

/// Role: two threads stop by the same signal, which has a handler, again and again.
pub fn stops_twice(_: &[String]) {
    set_counting(Signal::TSTP);
    let (done, is_done) = channel();
    for _ in 0..2 {
        let done = done.clone();
        thread::spawn(move || {
            for _ in 0..50 {
                stop_by(Signal::TSTP).expect("stops");
            }
            done.send(()).expect("main waits");
        });
    }
    for _ in 0..2 {
        is_done.recv().expect("a thread ends");
    }
    assert_eq!(Signal::TSTP.disposition().expect("a disposition"), Disposition::Handler);
    assert_eq!(hits(Signal::TSTP), 0);
    send::kill(pid(), Signal::TSTP).expect("kill");
    assert_eq!(hits(Signal::TSTP), 1);
}

pub fn stop_by_from_two_threads_at_once() {
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    #[allow(clippy::zombie_processes)] // the loop waits
    let child = role("stops_twice", &[]).spawn().expect("a role starts");
    let child = nix::unistd::Pid::from_raw(harness::signed(child.id()));
    loop {
        match waitpid(child, Some(WaitPidFlag::WUNTRACED)).expect("waitpid") {
            WaitStatus::Stopped(..) => {
                send::kill(child.as_raw().unsigned_abs(), Signal::CONT).expect("kill");
            }
            WaitStatus::Exited(_, 0) => break,
            other => panic!("{other:?}"),
        }
    }
}

/// Role: the first process of a pid namespace, whose stop signals the kernel discards.
pub fn stops_as_the_first(_: &[String]) {
    assert_eq!(pid(), 1);
    let _signals = Signals::new(Signal::TSTP).expect("open");
    stop_by(Signal::TSTP).expect("discarded");
}

#[cfg(target_os = "linux")]
pub fn stop_by_as_the_first_process_returns() {
    harness::namespaces::children_in_a_pid_namespace();
    harness::play("stops_as_the_first", &[]);
}

/// Each system call that it makes, refused: an error says which, and nothing has changed.
#[cfg(target_os = "linux")]
pub fn stop_by_refused_changes_nothing() {
    use crate::harness::seccomp::deny;
    use nix::libc;
    for (refused, name) in [
        (&[libc::SYS_rt_sigprocmask][..], "pthread_sigmask(3): "),
        (&[libc::SYS_rt_sigaction], "sigaction(2): "),
        (&[libc::SYS_tgkill, libc::SYS_tkill], "raise(3): "), // glibc's and musl's
    ] {
        in_fork(|| {
            set_counting(Signal::TSTP);
            raw_block(Signal::USR1);
            let mask = raw_mask();
            let calls: Vec<_> = refused.iter().map(|&call| (call, libc::EPERM)).collect();
            if !deny(&calls) {
                return println!("note: no filter of system calls is permitted here");
            }
            let error = stop_by(Signal::TSTP).expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::PermissionDenied);
            assert!(error.to_string().starts_with(name), "{error}");
            if !refused.contains(&libc::SYS_rt_sigprocmask) {
                assert_eq!(raw_mask(), mask);
            }
            if !refused.contains(&libc::SYS_rt_sigaction) {
                harness::send(Signal::TSTP);
                assert_eq!(hits(Signal::TSTP), 1);
            }
        });
    }
}
