//! `messages`: what a signal costs beside the other ways to tell another process "now".
//!
//! Two processes on one CPU send each other a message, the shortest that there is, as soon as they have
//! the other's. Counted are the messages of both a second. The other ways are made of their bare system
//! calls.

use std::fs::File;
use std::io::{Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::ptr;
use std::time::Instant;

use nix::libc;
use nix::sys::signal::SigSet;
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork};
use serde::{Deserialize, Serialize};
use signal_source::{Signal, Signals, send};

use crate::linux::stats::median;

/// One way's figure.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub id: String,
    pub name: String,
    pub messages_a_second: f64,
}

/// How much to measure.
#[derive(Clone, Copy)]
pub struct Effort {
    pub slices: usize,
    /// Messages of a slice, there and back.
    pub rounds: usize,
}

/// One end: sends a message, or waits for the other's.
type End = (Box<dyn FnMut()>, Box<dyn FnMut()>);

struct Way {
    id: &'static str,
    name: &'static str,
    /// What both processes have, made before there are two.
    open: fn() -> Box<dyn FnOnce(Side) -> End>,
}

#[derive(Clone, Copy)]
struct Side {
    is_first: bool,
    /// Of the other process.
    other: u32,
}

const WAYS: [Way; 7] = [
    Way { id: "pipe", name: "pipe", open: pipes },
    Way { id: "eventfd", name: "eventfd", open: eventfds },
    Way { id: "socket", name: "Unix socket", open: sockets },
    Way { id: "queue", name: "POSIX message queue", open: queues },
    Way { id: "signalfd", name: "signal, raw signalfd", open: signalfds },
    Way { id: "sigtimedwait", name: "signal, raw rt_sigtimedwait", open: waits },
    Way { id: "signal-source", name: "signal, signal-source", open: receivers },
];

/// All ways in turn, a slice each, so that whatever else the machine does hits all alike.
pub fn run(effort: Effort) -> Vec<Row> {
    let mut rates = vec![Vec::new(); WAYS.len()];
    for slice in 0..effort.slices {
        for step in 0..WAYS.len() {
            let index = if slice % 2 == 0 { step } else { WAYS.len() - 1 - step };
            rates[index].push(rate(&WAYS[index], effort.rounds));
        }
    }
    let row = |(way, rates): (&Way, Vec<f64>)| Row {
        id: way.id.into(),
        name: way.name.into(),
        messages_a_second: median(&rates),
    };
    WAYS.iter().zip(rates).map(row).collect()
}

/// In processes of their own, which go at the end with all that they have opened.
fn rate(way: &Way, rounds: usize) -> f64 {
    let (mut result, mut to_result) = UnixStream::pair().expect("a pair");
    // SAFETY: this process has one thread.
    match unsafe { fork() }.expect("a fork") {
        ForkResult::Parent { child } => {
            drop(to_result);
            let mut rate = [0; 8];
            result.read_exact(&mut rate).expect("a figure");
            waitpid(child, None).expect("the first end");
            f64::from_ne_bytes(rate)
        }
        ForkResult::Child => {
            let rate = first(way, rounds);
            to_result.write_all(&rate.to_ne_bytes()).expect("written");
            // SAFETY: ends the process.
            unsafe { libc::_exit(0) }
        }
    }
}

fn first(way: &Way, rounds: usize) -> f64 {
    let first = std::process::id();
    let open = (way.open)();
    // SAFETY: this process has one thread.
    match unsafe { fork() }.expect("a fork") {
        ForkResult::Parent { child } => {
            let other = child.as_raw() as u32;
            let (mut send, mut wait) = open(Side { is_first: true, other });
            wait(); // the other end is there
            let start = Instant::now();
            for _ in 0..rounds {
                send();
                wait();
            }
            let elapsed = start.elapsed().as_secs_f64();
            waitpid(Pid::from_raw(child.as_raw()), None).expect("the second end");
            2.0 * rounds as f64 / elapsed
        }
        ForkResult::Child => {
            let (mut send, mut wait) = open(Side { is_first: false, other: first });
            send();
            for _ in 0..rounds {
                wait();
                send();
            }
            // SAFETY: ends the process.
            unsafe { libc::_exit(0) }
        }
    }
}

/// Reads and writes so many bytes.
fn by_descriptors<const N: usize>(from: OwnedFd, to: OwnedFd) -> End {
    let message = || {
        let mut message = [0_u8; N];
        message[0] = 1;
        message
    };
    let send = move || {
        assert_eq!(rustix::io::write(&to, &message()), Ok(N));
    };
    let wait = move || {
        let mut buffer = [0_u8; N];
        assert_eq!(rustix::io::read(&from, &mut buffer), Ok(N));
    };
    (Box::new(send), Box::new(wait))
}

fn pipes() -> Box<dyn FnOnce(Side) -> End> {
    let [one, two] = [(); 2].map(|()| nix::unistd::pipe().expect("a pipe"));
    Box::new(|side| match side.is_first {
        true => by_descriptors::<1>(one.0, two.1),
        false => by_descriptors::<1>(two.0, one.1),
    })
}

fn eventfds() -> Box<dyn FnOnce(Side) -> End> {
    let [one, two] = [(); 2].map(|()| {
        // SAFETY: makes a descriptor.
        let fd = unsafe { libc::eventfd(0, 0) };
        assert!(fd >= 0, "eventfd");
        // SAFETY: a new descriptor, which has no other owner.
        unsafe { OwnedFd::from_raw_fd(fd) }
    });
    Box::new(|side| match side.is_first {
        true => by_descriptors::<8>(one, two),
        false => by_descriptors::<8>(two, one),
    })
}

fn sockets() -> Box<dyn FnOnce(Side) -> End> {
    let (one, two) = UnixStream::pair().expect("a pair");
    Box::new(|side| {
        let own = OwnedFd::from(if side.is_first { one } else { two });
        by_descriptors::<1>(own.try_clone().expect("a copy"), own)
    })
}

fn queues() -> Box<dyn FnOnce(Side) -> End> {
    let queues = [0, 1].map(|number| {
        let name = format!("/signal-source-{}-{number}\0", std::process::id());
        // SAFETY: all zeros are valid attributes.
        let mut attributes: libc::mq_attr = unsafe { MaybeUninit::zeroed().assume_init() };
        (attributes.mq_maxmsg, attributes.mq_msgsize) = (1, 1);
        let flags = libc::O_RDWR | libc::O_CREAT | libc::O_EXCL;
        let (name, mode): (_, libc::mode_t) = (name.as_ptr().cast(), 0o600);
        // SAFETY: the name ends, and the attributes are there.
        let queue = unsafe { libc::mq_open(name, flags, mode, &raw const attributes) };
        assert!(queue >= 0, "mq_open");
        // SAFETY: the name ends.
        unsafe { libc::mq_unlink(name) };
        // SAFETY: a new descriptor, which has no other owner.
        unsafe { File::from_raw_fd(queue) }
    });
    Box::new(|side| {
        let [one, two] = queues;
        let (from, to) = if side.is_first { (one, two) } else { (two, one) };
        let send = move || {
            // SAFETY: there is one byte to read.
            let sent = unsafe { libc::mq_send(to.as_raw_fd(), c"!".as_ptr(), 1, 0) };
            assert_eq!(sent, 0, "mq_send");
        };
        let wait = move || {
            let mut byte = 0;
            // SAFETY: there is room for one byte.
            let length =
                unsafe { libc::mq_receive(from.as_raw_fd(), &mut byte, 1, ptr::null_mut()) };
            assert_eq!(length, 1, "mq_receive");
        };
        (Box::new(send), Box::new(wait))
    })
}

fn usr1() -> SigSet {
    let mut set = SigSet::empty();
    set.add(nix::sys::signal::SIGUSR1);
    set
}

fn kill(side: Side) -> Box<dyn FnMut()> {
    Box::new(move || send::kill(side.other, Signal::USR1).expect("sent"))
}

/// In blocking mode: one read.
fn signalfds() -> Box<dyn FnOnce(Side) -> End> {
    usr1().thread_block().expect("blocked");
    Box::new(|side| {
        let fd = SignalFd::with_flags(&usr1(), SfdFlags::empty()).expect("a signalfd");
        let wait = move || {
            let mut record = [0_u8; 128];
            assert_eq!(rustix::io::read(fd.as_fd(), &mut record), Ok(128));
        };
        (kill(side), Box::new(wait))
    })
}

fn waits() -> Box<dyn FnOnce(Side) -> End> {
    usr1().thread_block().expect("blocked");
    Box::new(|side| {
        let set = 1_u64 << (libc::SIGUSR1 - 1);
        let wait = move || {
            let mut info = [0_u64; 16];
            // SAFETY: the set is of the size that the kernel is told, and there is room for a record.
            let signal = unsafe {
                let no_time = ptr::null::<libc::timespec>();
                let (set, info) = (&raw const set, info.as_mut_ptr());
                libc::syscall(libc::SYS_rt_sigtimedwait, set, info, no_time, 8)
            };
            assert_eq!(signal, i64::from(libc::SIGUSR1));
        };
        (kill(side), Box::new(wait))
    })
}

/// Opened before the fork, and used by the child too.
fn receivers() -> Box<dyn FnOnce(Side) -> End> {
    let signals = Signals::new(Signal::USR1).expect("a receiver");
    Box::new(|side| {
        let wait = move || assert_eq!(signals.recv().expect("recv").signal(), Signal::USR1);
        (kill(side), Box::new(wait))
    })
}
