//! Records of SIGCHLD.

use std::env;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use signal_source::{ChildInfo, ChildStatus, Origin, Signal, SignalInfo, Signals, send};

use super::senders::only;
use super::sys;
use crate::harness::{self, fork, pid, raise, set_default, wait};

/// Seen from the outside only, a child waits for whatever is done to it.
fn forever() {
    loop {
        thread::park();
    }
}

fn child_of(info: &SignalInfo) -> ChildInfo {
    assert_eq!(info.signal(), Signal::CHLD);
    match info.origin() {
        Origin::Child(child) => child,
        other => panic!("{other:?}"),
    }
}

/// The next record, which must be of this child.
fn next_of(signals: &Signals, pid: u32) -> ChildStatus {
    let info = only(signals);
    let child = child_of(&info);
    assert_eq!((child.pid, child.uid), (pid, sys::uid()));
    let sender = info.sender().expect("the child");
    assert_eq!((sender.pid, sender.uid), (pid, sys::uid()));
    assert_eq!(info.value(), None);
    child.status
}

pub fn child_exited() {
    let signals = Signals::new(Signal::CHLD).expect("open");
    for code in [0, 7, 255] {
        let child = fork(|| process::exit(code));
        let info = only(&signals);
        assert_eq!(child_of(&info).status, ChildStatus::Exited(code));
        assert_eq!(child_of(&info).pid, child);
        assert_eq!(info.code(), Some(1)); // CLD_EXITED
        let uid = sys::uid();
        let text = format!("SIGCHLD: child {child} (uid {uid}) exited with code {code}");
        assert_eq!(info.to_string(), text);
        // Receiving the signal does not reap the child.
        assert_eq!(wait(child).code(), Some(code));
    }
}

pub fn child_killed() {
    let signals = Signals::new(Signal::CHLD).expect("open");
    let rt = Signal::rt(5).expect("Linux has real-time signals");
    for signal in [Signal::KILL, Signal::TERM, rt] {
        let child = fork(forever);
        send::kill(child, signal).expect("sent");
        let info = only(&signals);
        assert_eq!(child_of(&info).status, ChildStatus::Killed(signal));
        assert_eq!(info.code(), Some(2)); // CLD_KILLED
        assert!(info.to_string().ends_with(&format!(" was killed by {signal}")), "{info}");
        wait(child);
    }
}

/// Where the core goes is the system's to say (`core_pattern`), so the wait status is the judge.
pub fn child_dumped() {
    let signals = Signals::new(Signal::CHLD).expect("open");
    let directory = env::temp_dir().join(format!("signal-source-core-{}", pid()));
    fs::create_dir(&directory).expect("a directory");
    let child = fork(|| {
        env::set_current_dir(&directory).expect("the directory");
        sys::allow_core();
        set_default(Signal::QUIT);
        raise(Signal::QUIT);
    });
    let status = next_of(&signals, child);
    let ended = wait(child);
    fs::remove_dir_all(&directory).expect("removed");
    assert_eq!(ended.signal(), Some(Signal::QUIT.as_raw()));
    if ended.core_dumped() {
        assert_eq!(status, ChildStatus::Dumped(Signal::QUIT));
        assert_eq!(status.to_string(), "was killed by SIGQUIT, core dumped");
    } else {
        println!("note: this system dumps no core here");
        assert_eq!(status, ChildStatus::Killed(Signal::QUIT));
    }
}

pub fn child_stopped_continued_killed() {
    let signals = Signals::new(Signal::CHLD).expect("open");
    let child = fork(forever);
    send::kill(child, Signal::STOP).expect("sent");
    let stopped = next_of(&signals, child);
    assert_eq!(stopped, ChildStatus::Stopped(Signal::STOP));
    assert_eq!(stopped.to_string(), "was stopped by SIGSTOP");
    send::kill(child, Signal::CONT).expect("sent");
    let continued = next_of(&signals, child);
    assert_eq!(continued, ChildStatus::Continued(Signal::CONT));
    assert_eq!(continued.to_string(), "was continued by SIGCONT");
    send::kill(child, Signal::KILL).expect("sent");
    assert_eq!(next_of(&signals, child), ChildStatus::Killed(Signal::KILL));
    wait(child);
}

pub fn child_trapped() {
    let signals = Signals::new(Signal::CHLD).expect("open");
    let child = fork(|| match sys::be_traced() {
        Ok(()) => raise(Signal::USR1),
        Err(error) => {
            println!("skipped: this process may not be traced: {error}");
            process::exit(3);
        }
    });
    match next_of(&signals, child) {
        ChildStatus::Exited(3) => {}
        status => {
            assert_eq!(status, ChildStatus::Trapped(Signal::USR1));
            assert_eq!(status.to_string(), "trapped on SIGUSR1");
            send::kill(child, Signal::KILL).expect("sent");
        }
    }
    wait(child);
}

pub fn child_of_another_user() {
    const OTHER: u32 = 12_345;
    let signals = Signals::new(Signal::CHLD).expect("open");
    if sys::uid() != 0 {
        harness::skip("only root has children of other users");
    }
    let child = fork(|| process::exit(i32::from(sys::become_user(OTHER).is_err())));
    let info = only(&signals);
    let ChildInfo { uid, status, .. } = child_of(&info);
    assert_eq!((uid, status), (OTHER, ChildStatus::Exited(0)));
    wait(child);
}

/// The kernel counts the times in steps of 10 ms, some kernels by looking which thread runs at
/// each, and an emulated machine misses many; so only the scale is certain.
pub fn child_times() {
    const WORK: Duration = Duration::from_millis(500);
    let signals = Signals::new(Signal::CHLD).expect("open");
    let child = fork(|| {
        while harness::cpu_time() < WORK {
            std::hint::black_box(Instant::now());
        }
    });
    let info = only(&signals);
    let ChildInfo { user_time, system_time, status, .. } = child_of(&info);
    assert_eq!(status, ChildStatus::Exited(0));
    let told = user_time + system_time;
    let waited = sys::cpu_time_of(child);
    assert!(waited >= WORK);
    assert!(told > waited / 8 && told < waited * 4, "told {told:?}, used {waited:?}");
    let step = Duration::from_millis(10);
    assert!([user_time, system_time].iter().all(|time| time.as_nanos() % step.as_nanos() == 0));
}

// origin: own probe 16
pub fn two_children_while_pending_are_one_record() {
    let signals = Signals::new(Signal::CHLD).expect("open");
    let children = [1, 2, 3, 4, 5].map(|code| {
        let child = fork(|| process::exit(code));
        sys::until_ended(child);
        child
    });
    // The first one's.
    assert_eq!(next_of(&signals, children[0]), ChildStatus::Exited(1));
    let codes = children.map(|child| wait(child).code());
    assert_eq!(codes, [1, 2, 3, 4, 5].map(Some));
}

// origin: sd-event basic (E13)
pub fn payload_and_child_status() {
    let signals = Signals::new([Signal::USR2, Signal::CHLD]).expect("open");
    let child = fork(|| {
        send::sigqueue(sys::parent(), Signal::USR2, 4711).expect("queued");
        process::exit(78);
    });
    let payload = signals.recv().expect("recv");
    assert_eq!((payload.signal(), payload.value()), (Signal::USR2, Some(4711)));
    assert_eq!(payload.sender().map(|sender| sender.pid), Some(child));
    assert_eq!(next_of(&signals, child), ChildStatus::Exited(78));
    wait(child);
}
