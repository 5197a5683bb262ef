//! Who got which number, and the process that sends them.

#[path = "flood.rs"]
mod flood;

use std::io::{ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::process::{Child, ChildStdin, Stdio};
use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;

use nix::libc;
use signal_source::send::sigqueue;
use signal_source::{Signal, SignalInfo, SignalSet, Signals};

use crate::harness::{self, eventually};

/// How many are sent, of a whole flood.
const COUNT: usize = 20_000;

/// How many the sender sends when told to go on.
const PORTION: usize = 20;

/// How many are sent: whole portions.
pub(crate) fn count() -> usize {
    flood::signals(COUNT).next_multiple_of(PORTION)
}

static RECEIVED: [AtomicU8; COUNT] = [const { AtomicU8::new(0) }; COUNT];
static HANDLED: [AtomicU8; COUNT] = [const { AtomicU8::new(0) }; COUNT];

/// Three signals that queue.
pub(crate) fn all() -> SignalSet {
    (0..3).filter_map(Signal::rt).collect()
}

fn note(ledger: &[AtomicU8], number: i32) {
    let entry = usize::try_from(number).ok().and_then(|number| ledger.get(number));
    entry.expect("a number that was sent").fetch_add(1, Ordering::SeqCst);
}

/// Enters what was received.
pub(crate) fn received(info: &SignalInfo) {
    assert!(all().contains(info.signal()), "{info}");
    note(&RECEIVED, info.value().expect("a number"));
}

extern "C" fn handle(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: with SA_SIGINFO the kernel passes a live record.
    let info = unsafe { &*info };
    // SAFETY: sigqueue sent it, so there is a value.
    let value = unsafe { info.si_value() };
    // A C union, which the libc crate shows as a pointer alone: the integer is its first bytes.
    // SAFETY: a live, aligned value, which is at least as large.
    note(&HANDLED, unsafe { (&raw const value).cast::<i32>().read() });
}

/// Skips the case where a record has no number (gVisor): nothing tells one from the other there.
fn needs_numbers() {
    let signal = all().iter().next().expect("three");
    let signals = Signals::new(signal).expect("open");
    sigqueue(harness::pid(), signal, 1).expect("sent");
    let info = signals.try_recv().expect("read").expect("one");
    if info.value() != Some(1) {
        harness::skip("this kernel does not tell the number that comes with a signal");
    }
}

/// Installs the earlier handler, which enters what it handles.
pub(crate) fn install() {
    needs_numbers();
    // SAFETY: all zeros are a valid action.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = handle as extern "C" fn(_, _, _) as libc::sighandler_t;
    action.sa_flags = libc::SA_SIGINFO;
    for signal in all() {
        // SAFETY: the function counts in atomics and touches nothing else.
        assert_eq!(unsafe { libc::sigaction(signal.as_raw(), &action, ptr::null_mut()) }, 0);
    }
}

fn sum(ledger: &[AtomicU8]) -> usize {
    ledger.iter().map(|entry| usize::from(entry.load(Ordering::SeqCst))).sum()
}

/// How many were received, and how many handled.
pub(crate) fn sums() -> (usize, usize) {
    (sum(&RECEIVED), sum(&HANDLED))
}

/// After the last was sent and no receiver is left: every number once.
pub(crate) fn settle() {
    eventually("all are accounted for", || {
        let (received, handled) = sums();
        received + handled >= count()
    });
    for number in 0..count() {
        let entries = [&RECEIVED, &HANDLED].map(|ledger| ledger[number].load(Ordering::SeqCst));
        assert_eq!(entries[0] + entries[1], 1, "number {number}: received, handled {entries:?}");
    }
}

/// The process that sends, a portion at a time.
pub(crate) struct Sender {
    process: Child,
    pipe: Option<ChildStdin>,
    told: usize,
}

impl Sender {
    pub(crate) fn start() -> Sender {
        let mut role = harness::role("sender", &[&harness::pid().to_string()]);
        let mut process = role.stdin(Stdio::piped()).spawn().expect("a role starts");
        Sender { pipe: process.stdin.take(), process, told: 0 }
    }

    /// Has it send the next portion, meanwhile; `false` if all have been sent.
    pub(crate) fn go_on(&mut self) -> bool {
        if self.told == count() {
            return false;
        }
        self.told += PORTION;
        let pipe = self.pipe.as_mut().expect("open until the end");
        pipe.write_all(b".").expect("the sender reads");
        true
    }

    /// Waits until all have been sent.
    pub(crate) fn end(mut self) {
        while self.go_on() {}
        drop(self.pipe.take());
        assert!(self.process.wait().expect("a child").success());
    }
}

/// The role: a portion for each byte that it reads.
pub(crate) fn sender(arguments: &[String]) {
    let pid = arguments[0].parse().expect("a pid");
    let signals: Vec<_> = all().iter().collect();
    let mut number = 0;
    let mut stdin = std::io::stdin().lock();
    while stdin.read_exact(&mut [0]).is_ok() {
        for _ in 0..PORTION {
            let signal = signals[(number * 7 / 5) % signals.len()];
            let value = i32::try_from(number).expect("small");
            while let Err(error) = sigqueue(pid, signal, value) {
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
                thread::yield_now();
            }
            number += 1;
        }
    }
}
