//! epoll, by level and by edge.

use std::os::fd::{AsFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use signal_source::{Signal, Signals, mask, send as sends};

use crate::harness::{fork, pid, send, wait};

const EDGE: EventFlags = EventFlags::IN.union(EventFlags::ET);

fn epoll_on(signals: &Signals, flags: EventFlags) -> OwnedFd {
    let epoll = epoll::create(CreateFlags::CLOEXEC).expect("epoll");
    epoll::add(&epoll, signals, EventData::new_u64(42), flags).expect("add");
    epoll
}

/// Whose descriptors have events, without waiting.
fn events(epoll: &OwnedFd) -> Vec<u64> {
    wait_for(epoll, Some(Timespec::default()))
}

fn wait_for(epoll: &OwnedFd, timeout: Option<Timespec>) -> Vec<u64> {
    let mut events = Vec::with_capacity(8);
    epoll::wait(epoll, spare_capacity(&mut events), timeout.as_ref()).expect("no EINTR");
    events.iter().map(|event| event.data.u64()).collect()
}

fn drain(signals: &Signals) -> usize {
    signals.try_recv_many(&mut Vec::new(), 64).expect("try_recv_many")
}

pub(crate) fn epoll_by_level() {
    let signals = Signals::new([Signal::USR1, Signal::USR2]).expect("open");
    let epoll = epoll_on(&signals, EventFlags::IN);
    assert!(events(&epoll).is_empty());
    send(Signal::USR1);
    send(Signal::USR2);
    assert_eq!(events(&epoll), [42]);
    signals.recv().expect("recv");
    assert_eq!(events(&epoll), [42], "there is another");
    signals.recv().expect("recv");
    assert!(events(&epoll).is_empty());
}

// origin: own probe F
pub(crate) fn epoll_by_edge() {
    let job = Signal::rt(0).expect("real time");
    let signals = Signals::new([Signal::USR1, Signal::USR2, job]).expect("open");
    let epoll = epoll_on(&signals, EDGE);
    assert!(events(&epoll).is_empty());
    send(Signal::USR1);
    assert_eq!(events(&epoll), [42]);
    assert!(events(&epoll).is_empty(), "an edge comes once");
    send(Signal::USR1);
    assert!(events(&epoll).is_empty(), "merged with the one that is pending");
    send(Signal::USR2);
    assert_eq!(events(&epoll), [42], "each signal that is queued makes an edge");
    assert_eq!(drain(&signals), 2);
    assert!(events(&epoll).is_empty());
    send(Signal::USR1);
    assert_eq!(events(&epoll), [42]);
    assert_eq!(drain(&signals), 1);
    for value in 0..3 {
        sends::sigqueue(pid(), job, value).expect("queued");
        assert_eq!(events(&epoll), [42]);
    }
    signals.recv().expect("recv");
    assert!(events(&epoll).is_empty(), "reading one of several makes no edge");
    assert_eq!(drain(&signals), 2);
}

// origin: own probe G
pub(crate) fn epoll_sees_what_was_pending_before() {
    let guard = mask::block(Signal::USR1).expect("block");
    send(Signal::USR1);
    let signals = Signals::new(Signal::USR1).expect("open");
    for flags in [EventFlags::IN, EDGE] {
        assert_eq!(events(&epoll_on(&signals, flags)), [42]);
    }
    assert_eq!(drain(&signals), 1);
    drop(guard);
}

pub(crate) fn epoll_sees_an_update() {
    let guard = mask::block(Signal::USR2).expect("block");
    send(Signal::USR2);
    let signals = Signals::new(Signal::USR1).expect("open");
    let epoll = epoll_on(&signals, EDGE);
    assert!(events(&epoll).is_empty());
    signals.update([Signal::USR1, Signal::USR2]).expect("update");
    assert_eq!(events(&epoll), [42], "what was pending makes an edge when it is added");
    assert_eq!(signals.recv().expect("recv").signal(), Signal::USR2);
    signals.update(Signal::USR1).expect("update");
    send(Signal::USR2);
    assert!(events(&epoll).is_empty(), "removed");
    send(Signal::USR1);
    assert_eq!(events(&epoll), [42]);
    assert_eq!(drain(&signals), 1);
    // The guard blocks USR2 still; take it before it acts.
    signals.update(Signal::USR2).expect("update");
    assert_eq!(drain(&signals), 1);
    drop(guard);
}

/// A signal that is received interrupts no wait, unlike one with a handler.
pub(crate) fn epoll_is_not_interrupted() {
    let signals = Signals::new(Signal::USR1).expect("open");
    let epoll = epoll_on(&signals, EDGE);
    for _ in 0..10 {
        let child = fork(|| {
            std::thread::sleep(std::time::Duration::from_millis(5));
            sends::kill(std::os::unix::process::parent_id(), Signal::USR1).expect("sent");
        });
        assert_eq!(wait_for(&epoll, None), [42]);
        assert_eq!(drain(&signals), 1);
        wait(child);
    }
}

pub(crate) fn epoll_tells_receivers_apart() {
    let urgent = Signals::new(Signal::TERM).expect("open");
    let jobs = Signals::new([Signal::HUP, Signal::USR1]).expect("open");
    let epoll = epoll::create(CreateFlags::CLOEXEC).expect("epoll");
    for (signals, token) in [(&urgent, 1), (&jobs, 2)] {
        epoll::add(&epoll, signals, EventData::new_u64(token), EDGE).expect("add");
    }
    send(Signal::USR1);
    assert_eq!(events(&epoll), [2]);
    assert_eq!(drain(&jobs), 1);
    send(Signal::TERM);
    assert_eq!(events(&epoll), [1]);
    send(Signal::HUP);
    // Any signal wakes all of a process' signalfds; the one that is unread is reported once more.
    assert!(events(&epoll).contains(&2));
    assert_eq!((drain(&urgent), drain(&jobs)), (1, 1));
    epoll::delete(&epoll, &jobs).expect("delete");
    send(Signal::USR1);
    assert!(events(&epoll).is_empty());
    assert_eq!(drain(&jobs), 1);
}

// origin: epoll-shim multiple_readers (K15), own probe 6
pub(crate) fn one_of_many_duplicates_reads() {
    let signals = Signals::new(Signal::USR1).expect("open");
    let fds: Vec<_> =
        (0..64).map(|_| signals.as_fd().try_clone_to_owned().expect("a duplicate")).collect();
    let epoll = epoll::create(CreateFlags::CLOEXEC).expect("epoll");
    for fd in &fds[..8] {
        epoll::add(&epoll, fd, EventData::new_u64(7), EventFlags::IN).expect("add");
    }
    send(Signal::USR1);
    assert_eq!(events(&epoll), [7; 8], "ready is each");
    let mut buffer = [0; 128];
    let read = fds.iter().filter(|fd| rustix::io::read(fd, &mut buffer[..]) == Ok(128));
    assert_eq!(read.count(), 1, "but one reads");
    assert!(signals.try_recv().expect("try_recv").is_none());
}
