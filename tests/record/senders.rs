//! Records of signals that a process sent.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::thread;

use signal_source::{Origin, Sender, Signal, SignalInfo, Signals, send};

use super::sys::{self, SI_QUEUE, SI_TKILL, SI_USER};
use crate::harness::{self, pid, raise};

pub fn me() -> Sender {
    Sender { pid: pid(), uid: sys::uid() }
}

pub fn rt(n: u8) -> Signal {
    Signal::rt(n).expect("Linux has real-time signals")
}

/// Waits for one record, and sees that it is the only one.
pub fn only(signals: &Signals) -> SignalInfo {
    let info = signals.recv().expect("recv");
    assert!(signals.try_recv().expect("try_recv").is_none(), "one record");
    assert_eq!(info.count(), 1);
    info
}

/// Another process: sends `pid` a signal in some way, and prints its own pid.
pub fn sender(arguments: &[String]) {
    let [way, pid, signal] = arguments else { panic!("way, pid and signal: {arguments:?}") };
    let (pid, signal) = (pid.parse().expect("a pid"), signal.parse().expect("a signal"));
    let sent = match way.as_str() {
        "kill" => send::kill(pid, signal),
        "tgkill" => sys::tgkill(pid, signal),
        "sigqueue" => send::sigqueue(pid, signal, -4711),
        other => panic!("no such way: {other}"),
    };
    sent.expect("sent");
    print!("{}", me().pid);
}

/// Has another process send this one a signal; who it was.
fn sent_by_another(way: &str, signal: Signal) -> Sender {
    let output = harness::play("sender", &[way, &pid().to_string(), &signal.to_string()]);
    Sender { pid: output.parse().expect("a pid"), uid: sys::uid() }
}

// origin: own probe I
pub fn kill_from_this_process() {
    let signals = Signals::new(Signal::USR1).expect("open");
    harness::send(Signal::USR1);
    let info = only(&signals);
    assert_eq!(info.signal(), Signal::USR1);
    assert_eq!(info.origin(), Origin::Process(me()));
    assert_eq!(info.sender(), Some(me()));
    assert_eq!((info.code(), info.value(), info.value_ptr()), (Some(SI_USER), None, None));
    let Sender { pid, uid } = me();
    assert_eq!(info.to_string(), format!("SIGUSR1 from process {pid} (uid {uid})"));
    let debug = format!("{info:?}");
    let origin = format!("signal: SIGUSR1, count: 1, code: Some(0), origin: Process({:?})", me());
    assert!(debug.starts_with("SignalInfo { ") && debug.contains(&origin), "{debug}");
}

// origin: own probe I
pub fn kill_from_another_process() {
    let signals = Signals::new(Signal::TERM).expect("open");
    let other = sent_by_another("kill", Signal::TERM);
    let info = only(&signals);
    assert_eq!(info.origin(), Origin::Process(other));
    assert_eq!(info.sender(), Some(other));
    assert_eq!(info.code(), Some(SI_USER));
}

// origin: own probe I2; gVisor Basic (K1)
pub fn raised_by_this_thread() {
    let signals = Signals::new([Signal::USR1, rt(29)]).expect("open");
    for signal in [Signal::USR1, rt(29)] {
        raise(signal);
        let info = only(&signals);
        assert_eq!(info.signal(), signal);
        assert_eq!(info.origin(), Origin::Thread(me()));
        assert_eq!(info.sender(), Some(me()));
        assert_eq!((info.code(), info.value()), (Some(SI_TKILL), None));
        let Sender { pid, uid } = me();
        assert_eq!(
            info.to_string(),
            format!("{signal} directed at this thread by process {pid} (uid {uid})")
        );
    }
}

pub fn tgkill_from_another_process() {
    let signals = Signals::new(Signal::USR2).expect("open");
    let other = sent_by_another("tgkill", Signal::USR2);
    assert_eq!(only(&signals).origin(), Origin::Thread(other));
}

// origin: own probes 9 and L2
pub fn directed_at_another_thread() {
    let signals = Signals::new([Signal::USR1, Signal::USR2]).expect("open");
    raise(Signal::USR1);
    thread::scope(|scope| {
        let elsewhere = scope.spawn(|| signals.try_recv().expect("try_recv").is_none());
        assert!(elsewhere.join().expect("no panic"), "not the other thread's");
        let owner = scope.spawn(|| {
            raise(Signal::USR2);
            signals.recv().expect("recv")
        });
        let info = owner.join().expect("no panic");
        assert_eq!((info.signal(), info.origin()), (Signal::USR2, Origin::Thread(me())));
    });
    assert_eq!(only(&signals).signal(), Signal::USR1);
}

/// The kernel says that a broken pipe's PIPE comes from the process that wrote, as `kill` would,
/// but directs it at the thread that wrote.
pub fn a_broken_pipe() {
    let signals = Signals::new(Signal::PIPE).expect("open");
    let write = || {
        let (writer, reader) = UnixStream::pair().expect("a pair");
        drop(reader);
        // As a file: the standard library's sockets ask for no signal.
        let written = File::from(OwnedFd::from(writer)).write(b"!");
        assert_eq!(written.expect_err("a broken pipe").kind(), ErrorKind::BrokenPipe);
    };
    thread::scope(|scope| scope.spawn(write).join().expect("no panic"));
    assert!(signals.try_recv().expect("try_recv").is_none(), "gone with its thread");
    write();
    assert_eq!(only(&signals).origin(), Origin::Process(me()));
}

pub fn queued_with_an_integer() {
    let signals = Signals::new(rt(0)).expect("open");
    for value in [0, 4711, -1, i32::MIN, i32::MAX] {
        send::sigqueue(pid(), rt(0), value).expect("queued");
        let info = only(&signals);
        assert_eq!(info.origin(), Origin::Queue { sender: Some(me()), value });
        assert_eq!((info.sender(), info.value()), (Some(me()), Some(value)));
        assert_eq!(info.code(), Some(SI_QUEUE));
        let Sender { pid, uid } = me();
        assert_eq!(
            info.to_string(),
            format!("SIGRTMIN queued by process {pid} (uid {uid}) with value {value} (unverified)")
        );
    }
}

pub fn queued_with_a_pointer() {
    let signals = Signals::new(Signal::USR1).expect("open");
    for pointer in [usize::MAX, usize::MAX << 8, 0x1234_5678] {
        sys::sigqueue_ptr(pid(), Signal::USR1, pointer).expect("queued");
        let info = only(&signals);
        assert_eq!(info.value_ptr(), Some(pointer));
        // A C union: the integer is the first four bytes.
        let bytes = pointer.to_ne_bytes();
        let first = i32::from_ne_bytes(bytes[..4].try_into().expect("four bytes"));
        assert_eq!(info.value(), Some(first));
    }
}

// origin: sd-event basic (E13), the payload
pub fn queued_by_another_process() {
    let signals = Signals::new([Signal::USR2, rt(3)]).expect("open");
    for signal in [Signal::USR2, rt(3)] {
        let other = sent_by_another("sigqueue", signal);
        let info = only(&signals);
        assert_eq!(info.signal(), signal);
        assert_eq!(info.origin(), Origin::Queue { sender: Some(other), value: -4711 });
    }
}

// origin: own probes 3 and 4; gVisor RtQueueDeliversPayload (K9)
pub fn queued_real_time_signals_keep_their_values() {
    let max: Signal = "RTMAX".parse().expect("a signal");
    let signals = Signals::new([rt(0), max]).expect("open");
    for value in [0, 11, 22, 33, 44] {
        send::sigqueue(pid(), rt(0), value).expect("queued");
    }
    for value in [101, 102] {
        send::sigqueue(pid(), max, value).expect("queued");
    }
    let mut infos = Vec::new();
    assert_eq!(signals.try_recv_many(&mut infos, 64).expect("recv"), 7);
    let values: Vec<_> = infos.iter().filter_map(SignalInfo::value).collect();
    assert_eq!(values, [0, 11, 22, 33, 44, 101, 102]);
    assert!(infos.iter().all(|info| info.sender() == Some(me()) && info.count() == 1));
}

// origin: own probe 4
pub fn merged_standard_signals_keep_the_first_value() {
    let signals = Signals::new(Signal::USR1).expect("open");
    for value in [77, 78] {
        send::sigqueue(pid(), Signal::USR1, value).expect("sent");
    }
    assert_eq!(only(&signals).value(), Some(77));
}

/// What the crate does not know it does not guess.
pub fn forged_code_is_unknown() {
    let signals = Signals::new([Signal::USR1, Signal::CHLD]).expect("open");
    for signal in [Signal::USR1, Signal::CHLD] {
        sys::forge(&sys::Forged { code: -60, ..sys::Forged::of_us(signal) }).expect("sent");
        let info = only(&signals);
        assert_eq!((info.origin(), info.code()), (Origin::Unknown, Some(-60)));
        assert_eq!((info.sender(), info.value()), (None, None));
        assert_eq!(info.to_string(), signal.to_string());
    }
}
