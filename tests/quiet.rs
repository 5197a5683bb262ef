//! What a program does not notice: no handler, no interrupted call, no thread that is not needed.

mod harness;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Barrier};
use std::thread;

use harness::{open, send};
use signal_source::tokio::{Shutdown, SignalHub, SignalStream};
use signal_source::{Disposition, Signal, mask, reserve};

fn main() {
    harness::main(
        cases![
            no_handler_is_installed,
            no_call_is_interrupted,
            #[cfg(target_os = "linux", "only Linux counts threads in a folder")]
            no_thread_is_started_for_a_plain_receiver,
            #[cfg(target_os = "linux", "only Linux counts threads in a folder")]
            no_thread_is_started_before_something_waits,
        ],
        roles![],
    );
}

/// Signals of this process that a function handles: Rust's own, of overflowed stacks.
fn handled() -> Vec<Signal> {
    let all = (1..=128).filter_map(Signal::from_raw);
    all.filter(|signal| matches!(signal.disposition(), Ok(Disposition::Handler))).collect()
}

fn no_handler_is_installed() {
    let before = handled();
    let _guard = mask::block(Signal::ALRM).expect("block");
    reserve(Signal::WINCH).expect("reserve");
    let signals = open([Signal::CHLD, Signal::HUP, Signal::PIPE]);
    let hub = SignalHub::new([Signal::USR1, Signal::USR2]).expect("hub");
    let shutdown = Shutdown::new().expect("shutdown");
    let streamed = open([Signal::URG, Signal::IO]);
    let mut subscriber = hub.subscribe(Signal::USR1).expect("subscribe");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("tokio");
    runtime.block_on(async {
        let mut stream = SignalStream::try_from(streamed).expect("registered");
        [Signal::URG, Signal::HUP, Signal::USR1, Signal::TERM].into_iter().for_each(send);
        assert_eq!(stream.recv().await.expect("stream").signal(), Signal::URG);
        assert_eq!(subscriber.recv().await.expect("hub").signal(), Signal::USR1);
        assert_eq!(handled(), before);
        let cause = shutdown.wait().await.expect("shutdown");
        assert_eq!(cause.signal(), Some(Signal::TERM));
    });
    assert_eq!(signals.recv().expect("recv").signal(), Signal::HUP);
    assert_eq!(handled(), before);
}

fn no_call_is_interrupted() {
    let signals = open(Signal::USR1);
    let (mut reader, mut writer) = UnixStream::pair().expect("a socket");
    let starts = Arc::new(Barrier::new(2));
    let thread = thread::spawn({
        let starts = starts.clone();
        move || {
            starts.wait();
            // `read` returns an interruption as an error, unlike `read_exact`.
            reader.read(&mut [0])
        }
    });
    starts.wait();
    for _ in 0..1000 {
        send(Signal::USR1);
        assert_eq!(signals.recv().expect("recv").signal(), Signal::USR1);
    }
    writer.write_all(b"x").expect("written");
    assert_eq!(thread.join().expect("no panic").expect("not interrupted"), 1);
}

#[cfg(target_os = "linux")]
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").expect("/proc").count()
}

#[cfg(target_os = "linux")]
fn no_thread_is_started_for_a_plain_receiver() {
    let signals = open([Signal::USR1, Signal::USR2]);
    send(Signal::USR1);
    assert_eq!(signals.recv().expect("recv").signal(), Signal::USR1);
    let guard = mask::block(Signal::HUP).expect("block");
    drop((signals, guard));
    assert_eq!(threads(), 1);
}

#[cfg(target_os = "linux")]
fn no_thread_is_started_before_something_waits() {
    let hub = SignalHub::new(Signal::USR1).expect("hub");
    let mut subscriber = hub.subscribe(Signal::USR1).expect("subscribe");
    let shutdown = Shutdown::new().expect("shutdown");
    send(Signal::USR1);
    assert!(subscriber.try_recv().expect("read").is_some());
    assert!(!shutdown.is_triggered());
    assert_eq!(threads(), 1);
}
