//! Peers that read the kernel's own queue, one record a read.

use calloop::EventLoop;
use calloop::signals::{Signal, Signals};
use mio::{Events, Interest, Poll, Token};

use super::Job;

pub fn mio_signals(signals: &[i32], mut job: Box<dyn Job>) {
    assert_eq!(signals, [nix::libc::SIGUSR1], "it knows five signals");
    let mut signals =
        mio_signals::Signals::new(mio_signals::Signal::User1.into()).expect("a receiver");
    let mut poll = Poll::new().expect("an epoll");
    poll.registry().register(&mut signals, Token(0), Interest::READABLE).expect("registered");
    let mut events = Events::with_capacity(16);
    job.opened();
    while job.goes_on() {
        poll.poll(&mut events, None).expect("epoll_wait");
        for _event in &events {
            while signals.receive().expect("read").is_some() {
                job.received(nix::libc::SIGUSR1, None);
            }
        }
    }
}

pub fn calloop(signals: &[i32], mut job: Box<dyn Job>) {
    assert_eq!(signals, [nix::libc::SIGUSR1], "it knows no real-time signals");
    let signals = Signals::new(&[Signal::SIGUSR1]).expect("a receiver");
    let mut event_loop: EventLoop<Box<dyn Job>> = EventLoop::try_new().expect("an event loop");
    let on_signal = |event: calloop::signals::Event, (): &mut (), job: &mut Box<dyn Job>| {
        job.received(event.signal() as i32, None);
    };
    event_loop.handle().insert_source(signals, on_signal).expect("registered");
    job.opened();
    while job.goes_on() {
        event_loop.dispatch(None, &mut job).expect("dispatched");
    }
}
