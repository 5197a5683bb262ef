//! A receiver in mio's event loop.

mod harness;
#[path = "mio/registration.rs"]
mod registration;

use std::io::ErrorKind;
use std::thread;
use std::time::Duration;

use harness::kernel::KERNEL;
use harness::{End, drain, hits, pid, send, set_counting};
use mio::{Events, Interest, Poll, Token};
use registration::*;
use signal_source::{Signal, SignalSet, Signals, send as sends};

fn main() {
    harness::main(
        cases![
            received_after_an_event,
            sent_before_the_first_poll,
            pending_before_register,
            drained_edges_come_again,
            a_second_signal_while_one_is_unread,
            tokens_come_back,
            reregistered,
            deregistered,
            refused_interests,
            #[cfg(target_os = "linux", "only epoll refuses a second registration")]
            registered_twice,
            updated_while_registered,
            a_refused_update_keeps_the_registration,
            many_wakes,
            one_poll_after_the_other,
            polled_without_waiting,
            several_receivers,
            batches,
            all_of_a_queue,
            dropped_while_registered => End::DiesOf(Signal::TERM),
            unread_at_drop => End::DiesOf(Signal::TERM),
            unread_at_drop_runs_the_earlier_handler,
        ],
        roles![],
    );
}

const TOKEN: Token = Token(42);

/// A poll with the receiver registered.
fn poll_on(signals: &mut Signals) -> Poll {
    let poll = Poll::new().expect("poll");
    poll.registry().register(signals, TOKEN, Interest::READABLE).expect("register");
    poll
}

/// The tokens of the next events. Received signals interrupt no poll.
fn wait(poll: &mut Poll, timeout: Option<Duration>) -> Vec<Token> {
    let mut events = Events::with_capacity(16);
    poll.poll(&mut events, timeout).expect("no EINTR");
    assert!(events.iter().all(|event| event.is_readable() && !event.is_writable()));
    events.iter().map(|event| event.token()).collect()
}

/// The tokens of the events there are.
fn events(poll: &mut Poll) -> Vec<Token> {
    wait(poll, Some(Duration::ZERO))
}

fn received_after_an_event() {
    let mut signals = Signals::new([Signal::USR1, Signal::USR2]).expect("open");
    let mut poll = poll_on(&mut signals);
    assert!(events(&mut poll).is_empty());
    assert!(drain(&signals).is_empty());
    thread::spawn(|| send(Signal::USR1)).join().expect("no panic");
    assert_eq!(wait(&mut poll, None), [TOKEN]);
    assert_eq!(drain(&signals), [Signal::USR1]);
    assert!(events(&mut poll).is_empty());
}

// origin: libevent immediatesignal (E3)
fn sent_before_the_first_poll() {
    let mut signals = Signals::new(Signal::USR1).expect("open");
    let mut poll = poll_on(&mut signals);
    send(Signal::USR1);
    assert_eq!(events(&mut poll), [TOKEN]);
    assert_eq!(drain(&signals), [Signal::USR1]);
}

// origin: own probe G
fn pending_before_register() {
    let mut signals = Signals::new(Signal::USR1).expect("open");
    send(Signal::USR1);
    let mut poll = poll_on(&mut signals);
    assert_eq!(wait(&mut poll, None), [TOKEN]);
    assert_eq!(drain(&signals), [Signal::USR1]);
}

fn drained_edges_come_again() {
    let mut signals = Signals::new(Signal::USR1).expect("open");
    let mut poll = poll_on(&mut signals);
    for _ in 0..100 {
        send(Signal::USR1);
        assert_eq!(wait(&mut poll, None), [TOKEN]);
        assert!(events(&mut poll).is_empty(), "an edge comes once");
        assert_eq!(drain(&signals), [Signal::USR1]);
        assert!(drain(&signals).is_empty());
    }
}

// origin: own probe F
fn a_second_signal_while_one_is_unread() {
    let mut signals = Signals::new([Signal::USR1, Signal::USR2]).expect("open");
    let mut poll = poll_on(&mut signals);
    send(Signal::USR1);
    assert_eq!(wait(&mut poll, None), [TOKEN]);
    send(Signal::USR2);
    if cfg!(not(any(target_os = "macos", target_os = "ios"))) {
        assert_eq!(wait(&mut poll, None), [TOKEN], "each signal makes an edge");
    }
    assert_eq!(drain(&signals), [Signal::USR1, Signal::USR2]);
    // However many edges were left unused, the next one comes.
    events(&mut poll);
    send(Signal::USR2);
    assert_eq!(wait(&mut poll, None), [TOKEN]);
    assert_eq!(drain(&signals), [Signal::USR2]);
}

// origin: signal-hook mio_parallel_multiple (R16)
fn many_wakes() {
    let mut signals = Signals::new([Signal::USR1, Signal::TERM]).expect("open");
    let mut poll = poll_on(&mut signals);
    let sender = thread::spawn(|| {
        for _ in 0..10 {
            thread::sleep(Duration::from_millis(25));
            send(Signal::USR1);
        }
        send(Signal::TERM);
    });
    let mut received = 0;
    loop {
        assert_eq!(wait(&mut poll, None), [TOKEN]);
        let seen = drain(&signals);
        received += seen.len();
        if seen.contains(&Signal::TERM) {
            break;
        }
    }
    assert!((2..=11).contains(&received), "{received}");
    sender.join().expect("no panic");
}

fn several_receivers() {
    let sets = [Signal::USR1, Signal::USR2, Signal::HUP];
    let mut receivers = sets.map(|signal| Signals::new(signal).expect("open"));
    let mut poll = Poll::new().expect("poll");
    for (index, signals) in receivers.iter_mut().enumerate() {
        poll.registry().register(signals, Token(index), Interest::READABLE).expect("register");
    }
    for (index, signal) in sets.into_iter().enumerate() {
        send(signal);
        assert_eq!(wait(&mut poll, None), [Token(index)]);
        assert_eq!(drain(&receivers[index]), [signal]);
    }
}

fn batches() {
    let mut signals = Signals::new([Signal::INT, Signal::USR1, Signal::USR2]).expect("open");
    let mut poll = poll_on(&mut signals);
    for signal in signals.set() {
        send(signal);
    }
    assert_eq!(wait(&mut poll, None), [TOKEN]);
    let mut infos = Vec::new();
    while signals.try_recv_many(&mut infos, 2).expect("try_recv_many") > 0 {}
    assert_eq!(infos.iter().map(|info| info.signal()).collect::<SignalSet>(), signals.set());
    assert_eq!(infos.len(), 3);
    assert!(events(&mut poll).is_empty());
}

/// Every record of a long queue, while more are sent.
fn all_of_a_queue() {
    const SENT: i32 = 20_000;
    if !KERNEL.value {
        harness::skip("this kernel tells no values");
    }
    let job = Signal::rt(0).expect("real time");
    let mut signals = Signals::new(job).expect("open");
    let mut poll = poll_on(&mut signals);
    let sender = thread::spawn(move || {
        for value in 0..SENT {
            while let Err(error) = sends::sigqueue(pid(), job, value) {
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
                thread::yield_now();
            }
        }
    });
    let mut values = Vec::new();
    let mut infos = Vec::new();
    while values.len() < SENT.unsigned_abs() as usize {
        wait(&mut poll, None);
        // In turn one by one and in batches.
        while let Some(info) = signals.try_recv().expect("try_recv") {
            infos.push(info);
            signals.try_recv_many(&mut infos, 16).expect("try_recv_many");
            values.extend(infos.drain(..).filter_map(|info| info.value()));
        }
    }
    assert!(values.into_iter().eq(0..SENT), "each once, in order");
    sender.join().expect("no panic");
}

fn unread_at_drop() {
    let mut signals = Signals::new(Signal::TERM).expect("open");
    let mut poll = poll_on(&mut signals);
    send(Signal::TERM);
    assert_eq!(wait(&mut poll, None), [TOKEN]);
    drop(signals);
}

fn unread_at_drop_runs_the_earlier_handler() {
    set_counting(Signal::TERM);
    let mut signals = Signals::new(Signal::TERM).expect("open");
    let mut poll = poll_on(&mut signals);
    send(Signal::TERM);
    assert_eq!(wait(&mut poll, None), [TOKEN]);
    poll.registry().deregister(&mut signals).expect("deregister");
    assert_eq!(hits(Signal::TERM), 0);
    drop(signals);
    assert_eq!(hits(Signal::TERM), 1);
}

/// FreeBSD tells of a kqueue in a kqueue a moment later: a poll that does not wait may miss it, and the
/// next ones do not.
fn polled_without_waiting() {
    let mut signals = Signals::new([Signal::USR1, Signal::USR2]).expect("open");
    let mut poll = poll_on(&mut signals);
    for signal in [Signal::USR1, Signal::USR2, Signal::USR1] {
        assert_eq!(events(&mut poll), []);
        send(signal);
        harness::eventually("an event", || events(&mut poll) == [TOKEN]);
        assert_eq!(drain(&signals), [signal]);
    }
}
