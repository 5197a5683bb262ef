//! What a registration is, and what becomes of it.

use std::io::ErrorKind;

use mio::{Interest, Poll, Token};
use signal_source::{Signal, SignalSet, Signals, mask};

use crate::harness::{hits, send, set_counting};
use crate::{TOKEN, drain, events, poll_on, wait};

// origin: asyncio test_signal_handling_args (P18)
pub(crate) fn tokens_come_back() {
    for token in [Token(0), Token(42), Token(usize::MAX)] {
        let mut signals = Signals::new(Signal::USR1).expect("open");
        let mut poll = Poll::new().expect("poll");
        poll.registry().register(&mut signals, token, Interest::READABLE).expect("register");
        send(Signal::USR1);
        assert_eq!(wait(&mut poll, None), [token]);
        drain(&signals);
    }
}

pub(crate) fn reregistered() {
    let mut signals = Signals::new(Signal::USR1).expect("open");
    let mut poll = poll_on(&mut signals);
    send(Signal::USR1);
    assert_eq!(wait(&mut poll, None), [TOKEN]);
    let other = Token(7);
    poll.registry().reregister(&mut signals, other, Interest::READABLE).expect("reregister");
    assert_eq!(wait(&mut poll, None), [other], "what is unread makes an event again");
    assert_eq!(drain(&signals), [Signal::USR1]);
    send(Signal::USR1);
    assert_eq!(wait(&mut poll, None), [other]);
    drain(&signals);
    let refused = poll.registry().reregister(&mut signals, TOKEN, Interest::WRITABLE);
    assert_eq!(refused.expect_err("not readable").kind(), ErrorKind::InvalidInput);
    send(Signal::USR1);
    assert_eq!(wait(&mut poll, None), [other], "as it was");
    drain(&signals);
}

pub(crate) fn deregistered() {
    let mut signals = Signals::new(Signal::USR1).expect("open");
    let mut poll = poll_on(&mut signals);
    poll.registry().deregister(&mut signals).expect("deregister");
    send(Signal::USR1);
    assert!(events(&mut poll).is_empty());
    let twice = poll.registry().deregister(&mut signals);
    if cfg!(target_os = "linux") {
        assert_eq!(twice.expect_err("not registered").kind(), ErrorKind::NotFound);
    }
    poll.registry().register(&mut signals, TOKEN, Interest::READABLE).expect("register again");
    assert_eq!(wait(&mut poll, None), [TOKEN]);
    assert_eq!(drain(&signals), [Signal::USR1], "it went on receiving");
}

pub(crate) fn refused_interests() {
    let mut signals = Signals::new(Signal::USR1).expect("open");
    let mut poll = Poll::new().expect("poll");
    for interests in [Interest::WRITABLE, Interest::READABLE | Interest::WRITABLE] {
        let refused = poll.registry().register(&mut signals, TOKEN, interests);
        let error = refused.expect_err("signals can only be read");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("Interest::READABLE"), "{error}");
    }
    send(Signal::USR1);
    assert!(events(&mut poll).is_empty(), "nothing was registered");
    poll.registry().register(&mut signals, TOKEN, Interest::READABLE).expect("register");
    assert_eq!(wait(&mut poll, None), [TOKEN]);
    drain(&signals);
}

/// kqueue takes a second registration for a change of the first.
#[cfg(target_os = "linux")]
pub(crate) fn registered_twice() {
    let mut signals = Signals::new(Signal::USR1).expect("open");
    let mut poll = poll_on(&mut signals);
    let twice = poll.registry().register(&mut signals, Token(7), Interest::READABLE);
    assert_eq!(twice.expect_err("registered already").kind(), ErrorKind::AlreadyExists);
    send(Signal::USR1);
    assert_eq!(wait(&mut poll, None), [TOKEN], "the first registration holds");
    drain(&signals);
}

pub(crate) fn updated_while_registered() {
    set_counting(Signal::USR1);
    let mut signals = Signals::new(Signal::USR1).expect("open");
    let mut poll = poll_on(&mut signals);
    signals.update([Signal::USR1, Signal::USR2]).expect("add");
    send(Signal::USR2);
    assert_eq!(wait(&mut poll, None), [TOKEN]);
    assert_eq!(drain(&signals), [Signal::USR2]);
    signals.update([Signal::USR2, Signal::HUP]).expect("replace");
    send(Signal::USR1);
    assert_eq!(hits(Signal::USR1), 1, "acts as it did before");
    assert!(events(&mut poll).is_empty());
    send(Signal::HUP);
    assert_eq!(wait(&mut poll, None), [TOKEN]);
    assert_eq!(drain(&signals), [Signal::HUP]);
}

pub(crate) fn a_refused_update_keeps_the_registration() {
    let mut signals = Signals::new(Signal::USR1).expect("open");
    let mut poll = poll_on(&mut signals);
    signals.update(SignalSet::EMPTY).expect_err("empty");
    signals.update([Signal::USR2, Signal::KILL]).expect_err("not receivable");
    assert_eq!(signals.set(), Signal::USR1.into());
    send(Signal::USR1);
    assert_eq!(wait(&mut poll, None), [TOKEN]);
    assert_eq!(drain(&signals), [Signal::USR1]);
}

pub(crate) fn one_poll_after_the_other() {
    let mut signals = Signals::new(Signal::USR1).expect("open");
    let mut first = poll_on(&mut signals);
    send(Signal::USR1);
    assert_eq!(wait(&mut first, None), [TOKEN]);
    first.registry().deregister(&mut signals).expect("deregister");
    let mut second = poll_on(&mut signals);
    assert_eq!(wait(&mut second, None), [TOKEN], "still unread");
    assert_eq!(drain(&signals), [Signal::USR1]);
    send(Signal::USR1);
    assert_eq!(wait(&mut second, None), [TOKEN]);
    assert!(events(&mut first).is_empty());
    // A poll that has gone takes its registrations along.
    drop(second);
    let mut third = poll_on(&mut signals);
    assert_eq!(wait(&mut third, None), [TOKEN]);
    assert_eq!(drain(&signals), [Signal::USR1]);
}

pub(crate) fn dropped_while_registered() {
    let mut signals = Signals::new(Signal::TERM).expect("open");
    let mut poll = poll_on(&mut signals);
    drop(signals);
    assert!(events(&mut poll).is_empty());
    assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
    send(Signal::TERM);
}
