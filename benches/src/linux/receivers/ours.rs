//! signal-source.

use mio::{Events, Interest, Poll, Token};
use signal_source::tokio::{SignalHub, SignalStream};
use signal_source::{Signal, SignalInfo, SignalSet, Signals};

use super::{Job, executors};

/// As many records as come in one system call.
const BATCH: usize = 64;

fn set(signals: &[i32]) -> SignalSet {
    signals.iter().copied().filter_map(Signal::from_raw).collect()
}

pub fn open(signals: &[i32]) -> Signals {
    Signals::new(set(signals)).expect("a receiver")
}

fn received(job: &mut dyn Job, info: &SignalInfo) {
    job.received(info.signal().as_raw(), info.value());
}

pub fn blocking(signals: &[i32], mut job: Box<dyn Job>) {
    let signals = open(signals);
    job.opened();
    while job.goes_on() {
        received(&mut *job, &signals.recv().expect("a signal"));
    }
}

pub fn iterator(signals: &[i32], mut job: Box<dyn Job>) {
    let signals = open(signals);
    job.opened();
    if !job.goes_on() {
        return;
    }
    for info in &signals {
        received(&mut *job, &info.expect("a signal"));
        if !job.goes_on() {
            break;
        }
    }
}

pub fn mio(signals: &[i32], job: Box<dyn Job>) {
    run_mio(signals, job, |signals, job| {
        while let Some(info) = signals.try_recv().expect("read") {
            received(job, &info);
        }
    });
}

pub fn mio_many(signals: &[i32], job: Box<dyn Job>) {
    let mut infos = Vec::with_capacity(BATCH);
    run_mio(signals, job, |signals, job| {
        while signals.try_recv_many(&mut infos, BATCH).expect("read") > 0 {
            infos.iter().for_each(|info| received(job, info));
            infos.clear();
        }
    });
}

fn run_mio(signals: &[i32], mut job: Box<dyn Job>, mut drain: impl FnMut(&Signals, &mut dyn Job)) {
    let mut signals = open(signals);
    let mut poll = Poll::new().expect("an epoll");
    poll.registry().register(&mut signals, Token(0), Interest::READABLE).expect("registered");
    let mut events = Events::with_capacity(16);
    job.opened();
    while job.goes_on() {
        poll.poll(&mut events, None).expect("epoll_wait");
        for _event in &events {
            drain(&signals, &mut *job);
        }
    }
}

async fn stream(signals: Signals, mut job: Box<dyn Job>) {
    let mut stream = SignalStream::try_from(signals).expect("registered");
    job.opened();
    while job.goes_on() {
        received(&mut *job, &stream.recv().await.expect("a signal"));
    }
}

pub fn tokio_current(signals: &[i32], job: Box<dyn Job>) {
    executors::current().block_on(stream(open(signals), job));
}

pub fn tokio_main(signals: &[i32], job: Box<dyn Job>) {
    let signals = open(signals);
    executors::multi().block_on(stream(signals, job));
}

pub fn tokio_task(signals: &[i32], job: Box<dyn Job>) {
    executors::run_task(stream(open(signals), job));
}

/// A hub with one subscriber.
pub fn hub(signals: &[i32], mut job: Box<dyn Job>) {
    let hub = SignalHub::new(set(signals)).expect("a hub");
    let mut subscriber = hub.subscribe(set(signals)).expect("a subscriber");
    executors::current().block_on(async move {
        job.opened();
        while job.goes_on() {
            received(&mut *job, &subscriber.recv().await.expect("a signal").info());
        }
    });
}

pub fn tokio_many(signals: &[i32], mut job: Box<dyn Job>) {
    let signals = open(signals);
    executors::current().block_on(async move {
        let mut stream = SignalStream::try_from(signals).expect("registered");
        let mut infos = Vec::with_capacity(BATCH);
        job.opened();
        while job.goes_on() {
            stream.recv_many(&mut infos, BATCH).await.expect("signals");
            infos.iter().for_each(|info| received(&mut *job, info));
            infos.clear();
        }
    });
}
