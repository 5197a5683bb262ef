//! Sending: what is no process, what is not allowed, what does not fit.

use std::io::{self, ErrorKind};

use nix::libc;
use signal_source::Signal;
use signal_source::send::{kill, sigqueue};

use crate::harness::kernel::KERNEL;
#[cfg(target_os = "linux")]
use crate::harness::open;
use crate::harness::{self, hits, in_fork, pid, set_counting};

fn sigqueue_or_kill(pid: u32) -> io::Result<()> {
    if KERNEL.sigqueue { sigqueue(pid, Signal::TERM, 1) } else { kill(pid, Signal::TERM) }
}

/// Origin: libuv `kill_invalid_signum` (E23), for pids
pub(crate) fn kill_of_what_is_no_process() {
    set_counting(Signal::USR1);
    let group = |result: io::Result<()>| {
        let error = result.expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains("pid"), "{error}");
    };
    for pid in [0, 1 << 31, u32::MAX, u32::MAX - pid() + 1] {
        group(kill(pid, Signal::USR1));
        if KERNEL.sigqueue {
            group(sigqueue(pid, Signal::USR1, 1));
        }
    }
    assert_eq!(hits(Signal::USR1), 0, "the whole group would have had it");
    let child = harness::fork(|| ());
    harness::wait(child);
    let gone = |result: io::Result<()>| {
        assert_eq!(result.expect_err("gone").raw_os_error(), Some(libc::ESRCH));
    };
    gone(kill(child, Signal::TERM));
    gone(kill(0x7fff_ffff, Signal::TERM));
    if KERNEL.sigqueue {
        gone(sigqueue(child, Signal::TERM, 1));
    }
}

pub(crate) fn kill_without_permission() {
    if !harness::is_root() {
        harness::skip("not root: there is no other user's process to try");
    }
    let parent = pid();
    in_fork(|| {
        assert!(harness::become_unprivileged());
        for result in [kill(parent, Signal::TERM), sigqueue_or_kill(parent)] {
            match result {
                Err(error) => assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}"),
                Ok(()) => panic!("a process of another user was sent a signal"),
            }
        }
    });
}

#[cfg(target_os = "linux")]
pub(crate) fn a_full_queue_would_block() {
    in_fork(|| {
        let signal = Signal::rt(0).expect("a real-time signal");
        let signals = open(signal);
        harness::become_unprivileged();
        harness::limit_pending(8);
        let mut sent = 0;
        let full = loop {
            match sigqueue(pid(), signal, sent) {
                Ok(()) => sent += 1,
                Err(error) => break error,
            }
            assert!(sent <= 8, "the queue has a limit");
        };
        assert_eq!(full.kind(), ErrorKind::WouldBlock, "{full}");
        // What was sent is there, in order, and then there is room again.
        let mut infos = Vec::new();
        while signals.try_recv_many(&mut infos, 64).expect("read") > 0 {}
        let values: Vec<_> = infos.iter().filter_map(signal_source::SignalInfo::value).collect();
        assert_eq!(values, (0..sent).collect::<Vec<_>>());
        if sent > 0 {
            sigqueue(pid(), signal, 42).expect("room");
            assert_eq!(signals.recv().expect("recv").value(), Some(42));
        }
    });
}
