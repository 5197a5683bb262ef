//! Peers with a signal handler that wakes the program through a pipe.

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use async_signal::Signals as AsyncSignals;
use futures_util::StreamExt;
use mio::{Events, Interest, Token};
use nix::libc::siginfo_t;
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::SignalOnly;
use signal_hook::iterator::exfiltrator::raw::WithRawSiginfo;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Job, executors};

/// tokio::signal has a stream for each signal.
async fn tokio_streams(signals: Vec<i32>, mut job: Box<dyn Job>) {
    let open = |&raw: &i32| (raw, signal(SignalKind::from_raw(raw)).expect("a stream"));
    let mut streams: Vec<(i32, Signal)> = signals.iter().map(open).collect();
    job.opened();
    while job.goes_on() {
        let raw = poll_fn(|cx| {
            let ready = streams.iter_mut().find_map(|(raw, stream)| {
                stream.poll_recv(cx).is_ready().then_some(Poll::Ready(*raw))
            });
            ready.unwrap_or(Poll::Pending)
        });
        job.received(raw.await, None);
    }
}

pub fn tokio_current(signals: &[i32], job: Box<dyn Job>) {
    executors::current().block_on(tokio_streams(signals.into(), job));
}

pub fn tokio_main(signals: &[i32], job: Box<dyn Job>) {
    executors::multi().block_on(tokio_streams(signals.into(), job));
}

pub fn tokio_task(signals: &[i32], job: Box<dyn Job>) {
    executors::run_task(tokio_streams(signals.into(), job));
}

pub fn signal_hook(signals: &[i32], mut job: Box<dyn Job>) {
    let mut signals = SignalsInfo::<SignalOnly>::new(signals).expect("a receiver");
    job.opened();
    while job.goes_on() {
        signals.wait().for_each(|raw| job.received(raw, None));
    }
}

pub fn signal_hook_siginfo(signals: &[i32], mut job: Box<dyn Job>) {
    let mut signals = SignalsInfo::<WithRawSiginfo>::new(signals).expect("a receiver");
    job.opened();
    while job.goes_on() {
        signals.wait().for_each(|info| job.received(info.si_signo, Some(value(&info))));
    }
}

fn value(info: &siginfo_t) -> i32 {
    // SAFETY: the bytes of the value are initialised, whatever the signal's origin.
    let value = unsafe { info.si_value() };
    value.sival_ptr.addr() as u32 as i32
}

pub fn signal_hook_mio(signals: &[i32], mut job: Box<dyn Job>) {
    let mut signals = signal_hook_mio::v1_0::Signals::new(signals).expect("a receiver");
    let mut poll = mio::Poll::new().expect("an epoll");
    poll.registry().register(&mut signals, Token(0), Interest::READABLE).expect("registered");
    let mut events = Events::with_capacity(16);
    job.opened();
    while job.goes_on() {
        match poll.poll(&mut events, None) {
            // The handler itself interrupts the wait.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            polled => polled.expect("epoll_wait"),
        }
        for _event in &events {
            signals.pending().for_each(|raw| job.received(raw, None));
        }
    }
}

pub fn signal_hook_tokio(signals: &[i32], mut job: Box<dyn Job>) {
    executors::current().block_on(async {
        let mut signals = signal_hook_tokio::Signals::new(signals).expect("a receiver");
        job.opened();
        while job.goes_on() {
            job.received(signals.next().await.expect("a signal"), None);
        }
    });
}

pub fn async_signal(signals: &[i32], mut job: Box<dyn Job>) {
    assert_eq!(signals, [nix::libc::SIGUSR1], "it knows no real-time signals");
    async_io::block_on(async {
        let mut signals = AsyncSignals::new([async_signal::Signal::Usr1]).expect("a receiver");
        job.opened();
        while job.goes_on() {
            job.received(signals.next().await.expect("a signal").expect("read") as i32, None);
        }
    });
}
