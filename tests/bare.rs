//! The bare descriptor, in event loops of the program's own.
#![allow(unsafe_code)] // what a descriptor's flags are

#[cfg(any(target_os = "linux", target_os = "android"))]
#[path = "bare/epoll_loops.rs"]
mod epoll_loops;
mod harness;

use std::os::fd::{AsFd, AsRawFd};
use std::process::Command;
use std::time::Duration;

#[cfg(any(target_os = "linux", target_os = "android"))]
use epoll_loops::*;
use harness::{fork, send, wait};
use nix::libc;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_source::process::CommandExt;
use signal_source::{Signal, Signals, send as sends};

fn main() {
    harness::main(
        cases![
            polls,
            poll_is_woken_by_another_process,
            the_descriptor_stays_the_same,
            closes_on_exec,
            a_child_that_was_executed_has_no_descriptor,
            #[cfg(
                any(target_os = "linux", target_os = "android"),
                "epoll and signalfd are Linux's"
            )]
            never_blocks,
            #[cfg(
                any(target_os = "linux", target_os = "android"),
                "epoll and signalfd are Linux's"
            )]
            epoll_by_level,
            #[cfg(
                any(target_os = "linux", target_os = "android"),
                "epoll and signalfd are Linux's"
            )]
            epoll_by_edge,
            #[cfg(
                any(target_os = "linux", target_os = "android"),
                "epoll and signalfd are Linux's"
            )]
            epoll_sees_what_was_pending_before,
            #[cfg(
                any(target_os = "linux", target_os = "android"),
                "epoll and signalfd are Linux's"
            )]
            epoll_sees_an_update,
            #[cfg(
                any(target_os = "linux", target_os = "android"),
                "epoll and signalfd are Linux's"
            )]
            epoll_is_not_interrupted,
            #[cfg(
                any(target_os = "linux", target_os = "android"),
                "epoll and signalfd are Linux's"
            )]
            epoll_tells_receivers_apart,
            #[cfg(
                any(target_os = "linux", target_os = "android"),
                "epoll and signalfd are Linux's"
            )]
            one_of_many_duplicates_reads,
        ],
        roles![is_open],
    );
}

/// Whether the receiver is readable within a while.
fn readable(signals: &Signals, timeout: Duration) -> bool {
    let timeout = Timespec::try_from(timeout).expect("a short time");
    let mut fds = [PollFd::new(signals, PollFlags::IN)];
    let ready = poll(&mut fds, Some(&timeout)).expect("poll");
    assert_eq!(fds[0].revents().contains(PollFlags::IN), ready == 1);
    ready == 1
}

// origin: libevent immediatesignal, signal_timeout (E3, E4)
fn polls() {
    let signals = Signals::new([Signal::USR1, Signal::USR2]).expect("open");
    assert!(!readable(&signals, Duration::from_micros(10)));
    send(Signal::USR1);
    send(Signal::USR2);
    assert!(readable(&signals, Duration::ZERO));
    assert!(readable(&signals, Duration::ZERO), "until it is read");
    assert_eq!(signals.recv().expect("recv").signal(), Signal::USR1);
    assert!(readable(&signals, Duration::ZERO), "there is another");
    assert_eq!(signals.recv().expect("recv").signal(), Signal::USR2);
    assert!(!readable(&signals, Duration::ZERO));
}

// origin: gVisor Poll (K7)
fn poll_is_woken_by_another_process() {
    let signals = Signals::new(Signal::USR1).expect("open");
    let child = fork(|| {
        std::thread::sleep(Duration::from_millis(100));
        sends::kill(std::os::unix::process::parent_id(), Signal::USR1).expect("sent");
    });
    assert!(readable(&signals, Duration::from_secs(100)));
    assert_eq!(signals.recv().expect("recv").signal(), Signal::USR1);
    wait(child);
}

fn the_descriptor_stays_the_same() {
    let signals = Signals::new(Signal::USR1).expect("open");
    let fd = signals.as_raw_fd();
    assert_eq!(signals.as_fd().as_raw_fd(), fd);
    signals.update([Signal::USR2, Signal::HUP]).expect("update");
    assert_eq!(signals.as_raw_fd(), fd);
    send(Signal::HUP);
    assert!(readable(&signals, Duration::ZERO));
    assert_eq!(signals.recv().expect("recv").signal(), Signal::HUP);
}

/// Flags of a descriptor; `None` if it is not open.
fn flags(fd: i32, which: libc::c_int) -> Option<libc::c_int> {
    // SAFETY: asks for flags, of a descriptor that may not exist.
    let flags = unsafe { libc::fcntl(fd, which) };
    (flags >= 0).then_some(flags)
}

// origin: gVisor Cloexec, LTP signalfd4_01 (K3)
fn closes_on_exec() {
    let signals = Signals::new(Signal::USR1).expect("open");
    for _ in 0..2 {
        let flags = flags(signals.as_raw_fd(), libc::F_GETFD).expect("open");
        assert_ne!(flags & libc::FD_CLOEXEC, 0);
        signals.update([Signal::USR1, Signal::USR2]).expect("update");
    }
}

// origin: LTP signalfd4_02 (K3)
#[cfg(any(target_os = "linux", target_os = "android"))]
fn never_blocks() {
    let signals = Signals::new(Signal::USR1).expect("open");
    let flags = flags(signals.as_raw_fd(), libc::F_GETFL).expect("open");
    assert_ne!(flags & libc::O_NONBLOCK, 0);
    let mut buffer = [0; 128];
    assert_eq!(rustix::io::read(&signals, &mut buffer[..]), Err(rustix::io::Errno::AGAIN));
}

/// Another process: tells whether a descriptor is open.
fn is_open(arguments: &[String]) {
    let [fd] = arguments else { panic!("a descriptor: {arguments:?}") };
    print!("{}", flags(fd.parse().expect("a descriptor"), libc::F_GETFD).is_some());
}

// origin: gVisor Cloexec (K3)
fn a_child_that_was_executed_has_no_descriptor() {
    // Above all that a process opens by itself when it starts.
    let low: Vec<_> =
        (0..20).map(|_| std::fs::File::open("/dev/null").expect("/dev/null")).collect();
    let signals = Signals::new(Signal::USR1).expect("open");
    drop(low);
    let asked = |command: &mut Command| {
        let output = command.output().expect("a child");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    let fd = signals.as_raw_fd().to_string();
    assert_eq!(asked(&mut harness::role("is_open", &["0"])), "true");
    assert_eq!(asked(&mut harness::role("is_open", &[&fd])), "false", "posix_spawn");
    let mut by_fork = harness::role("is_open", &[&fd]);
    assert_eq!(asked(by_fork.restore_signals()), "false", "fork and exec");
    send(Signal::USR1);
    assert_eq!(signals.recv().expect("still open here").signal(), Signal::USR1);
}
