//! Records of signals that the kernel sends on behalf of a timer, a queue or a descriptor.

use std::io::Write;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use nix::libc;
use signal_source::{Origin, Sender, Signal, Signals};

use super::senders::{only, rt};
use super::sys::{self, notification};
use crate::harness::{self, fork};

// origin: own probe J
pub fn timer_tells_its_overrun() {
    let signals = Signals::new(rt(2)).expect("open");
    sys::start_timer(notification(rt(2), 5), 1, 1);
    thread::sleep(Duration::from_millis(20));
    let info = signals.recv().expect("recv");
    let Origin::Timer { id, overrun, value } = info.origin() else { panic!("{info:?}") };
    assert!(overrun >= 10, "20 periods have passed: {info:?}");
    assert_eq!((value, info.value(), info.sender()), (5, Some(5), None));
    assert_eq!(info.code(), Some(sys::SI_TIMER));
    assert_eq!(
        info.to_string(),
        format!("SIGRTMIN+2 from timer {id} with value 5, overrun {overrun} (unverified)")
    );
    // It goes on, and would kill the process without a receiver.
    assert!(matches!(signals.recv().expect("recv").origin(), Origin::Timer { .. }));
    std::mem::forget(signals);
}

pub fn timers_are_told_apart() {
    let signals = Signals::new([rt(2), Signal::USR1]).expect("open");
    for (signal, value) in [(Signal::USR1, 1), (rt(2), -2)] {
        sys::start_timer(notification(signal, value), 1, 0);
    }
    let mut infos = [signals.recv().expect("recv"), signals.recv().expect("recv")];
    infos.sort_by_key(|info| info.value());
    let [second, first] = infos.map(|info| match info.origin() {
        Origin::Timer { id, overrun, value } => (info.signal(), value, overrun, id),
        other => panic!("{other:?}"),
    });
    assert_eq!((second.0, second.1, second.2), (rt(2), -2, 0));
    assert_eq!((first.0, first.1, first.2), (Signal::USR1, 1, 0));
    assert_ne!(first.3, second.3, "each its own number");
}

pub fn message_queue_tells_the_sender() {
    let signals = Signals::new(Signal::USR2).expect("open");
    let queue = match sys::MessageQueue::open() {
        Ok(queue) => queue,
        Err(error) => harness::skip(format_args!("no message queue to be had: {error}")),
    };
    queue.notify(&notification(Signal::USR2, 909));
    let child = fork(|| queue.send());
    let info = only(&signals);
    harness::wait(child);
    let sender = Sender { pid: child, uid: sys::uid() };
    assert_eq!(info.origin(), Origin::MessageQueue { sender: Some(sender), value: 909 });
    assert_eq!((info.sender(), info.value()), (Some(sender), Some(909)));
    assert_eq!(info.code(), Some(sys::SI_MESGQ));
    let uid = sender.uid;
    assert_eq!(
        info.to_string(),
        format!("SIGUSR2 for a message of process {child} (uid {uid}) with value 909 (unverified)")
    );
}

/// With `F_SETSIG` the kernel tells descriptor and events, with any signal.
pub fn descriptor_with_setsig() {
    for signal in [rt(4), Signal::IO, Signal::USR1] {
        let signals = Signals::new(signal).expect("open");
        let (mut writer, reader) = UnixStream::pair().expect("a pair");
        sys::signal_when_ready(reader.as_fd(), Some(signal));
        writer.write_all(b"!").expect("write");
        let info = signals.recv().expect("recv");
        let Origin::Io { fd, band } = info.origin() else { panic!("{info:?}") };
        assert_eq!(fd, reader.as_raw_fd());
        assert_ne!(band & i32::from(libc::POLLIN), 0, "{info:?}");
        assert_eq!(info.code(), Some(1)); // POLL_IN
        assert_eq!((info.sender(), info.value()), (None, None));
        assert_eq!(info.to_string(), format!("{signal} for descriptor {fd}, events {band:#x}"));
    }
}

/// Without it, the kernel tells nothing but that.
pub fn descriptor_without_setsig() {
    let signals = Signals::new(Signal::IO).expect("open");
    let (mut writer, reader) = UnixStream::pair().expect("a pair");
    sys::signal_when_ready(reader.as_fd(), None);
    writer.write_all(b"!").expect("write");
    let info = only(&signals);
    assert_eq!(info.origin(), Origin::Kernel);
    assert_eq!((info.sender(), info.code()), (None, Some(128)));
}

#[cfg(target_env = "gnu")]
pub fn asynchronous_write() {
    let signals = Signals::new(rt(1)).expect("open");
    let (writer, _reader) = UnixStream::pair().expect("a pair");
    sys::write_asynchronously(writer.as_fd(), notification(rt(1), 33)).expect("aio_write");
    let (info, me) = (only(&signals), super::senders::me());
    assert_eq!(info.origin(), Origin::AsyncIo { sender: Some(me), value: 33 });
    assert_eq!((info.sender(), info.value()), (Some(me), Some(33)));
    assert_eq!(info.code(), Some(sys::SI_ASYNCIO));
    let Sender { pid, uid } = me;
    assert_eq!(
        info.to_string(),
        format!("SIGRTMIN+1 for a request of process {pid} (uid {uid}) with value 33 (unverified)")
    );
}

pub fn interval_timer() {
    let signals = Signals::new(Signal::ALRM).expect("open");
    sys::start_interval_timer();
    let info = only(&signals);
    assert_eq!((info.origin(), info.code()), (Origin::Kernel, Some(128)));
    assert_eq!((info.sender(), info.value()), (None, None));
    assert_eq!(info.to_string(), "SIGALRM from the kernel");
}
