//! The bare system calls: the floor that everything is measured against.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::ptr;

use nix::libc;
use nix::sys::signal::SigSet;
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::{Job, executors};

/// The size of a signalfd's record, and where in it the number and the integer stand.
pub const RECORD: usize = 128;
const SIGNO: usize = 0;
const INT: usize = 44;

/// nix's own sets know no real-time signals.
pub fn sigset(signals: &[i32]) -> SigSet {
    let mut raw = *SigSet::empty().as_ref();
    for &signal in signals {
        // SAFETY: `raw` is an initialised set.
        let done = unsafe { libc::sigaddset(&mut raw, signal) };
        assert_eq!(done, 0, "signal {signal}");
    }
    // SAFETY: `raw` is an initialised set.
    unsafe { SigSet::from_sigset_t_unchecked(raw) }
}

fn open(signals: &[i32], flags: SfdFlags) -> SignalFd {
    let set = sigset(signals);
    set.thread_block().expect("blocked");
    SignalFd::with_flags(&set, flags).expect("a signalfd")
}

/// Reads up to `N` records and hands them to the job; whether there were any.
fn read<const N: usize>(fd: &SignalFd, job: &mut dyn Job) -> bool {
    let mut buffer = [[MaybeUninit::<u8>::uninit(); RECORD]; N];
    match rustix::io::read(fd, buffer.as_flattened_mut()) {
        Ok((bytes, _)) => {
            for (signal, value) in records(bytes) {
                job.received(signal, Some(value));
            }
            true
        }
        Err(Errno::AGAIN) => false,
        Err(errno) => panic!("read: {errno}"),
    }
}

/// Number and integer of each record.
pub fn records(bytes: &[u8]) -> impl Iterator<Item = (i32, i32)> {
    bytes.chunks_exact(RECORD).map(|record| (field(record, SIGNO), field(record, INT)))
}

/// The number of a record's signal.
pub fn number(record: &[u8; RECORD]) -> i32 {
    field(record, SIGNO)
}

fn field(record: &[u8], offset: usize) -> i32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&record[offset..offset + 4]);
    i32::from_ne_bytes(bytes)
}

/// Where a `siginfo_t` has the integer: the union begins aligned, and pid and uid come first.
const SIGINFO_INT: usize = 12_usize.next_multiple_of(size_of::<usize>()) + 8;

/// `rt_sigtimedwait(2)` without a time: one system call, and no descriptor. The call itself, since the
/// C library's function looks at what the kernel wrote.
pub fn sigtimedwait(signals: &[i32], mut job: Box<dyn Job>) {
    sigset(signals).thread_block().expect("blocked");
    let set = signals.iter().fold(0_u64, |set, signal| set | 1 << (signal - 1));
    job.opened();
    while job.goes_on() {
        let mut info = [0_u8; RECORD];
        // SAFETY: the set is of the size that the kernel is told, and there is room for a record.
        let signal = unsafe {
            libc::syscall(
                libc::SYS_rt_sigtimedwait,
                &raw const set,
                info.as_mut_ptr(),
                ptr::null::<libc::timespec>(),
                size_of_val(&set),
            )
        };
        assert!(signal > 0, "rt_sigtimedwait");
        job.received(field(&info, SIGNO), Some(field(&info, SIGINFO_INT)));
    }
}

/// A signalfd in blocking mode: `read(2)` of one record.
pub fn blocking_read(signals: &[i32], mut job: Box<dyn Job>) {
    let fd = open(signals, SfdFlags::SFD_CLOEXEC);
    job.opened();
    while job.goes_on() {
        read::<1>(&fd, &mut *job);
    }
}

/// `poll(2)`, then one `read(2)` of one record.
pub fn poll(signals: &[i32], mut job: Box<dyn Job>) {
    let fd = open(signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK);
    job.opened();
    while job.goes_on() {
        rustix::event::poll(&mut [PollFd::new(&fd, PollFlags::IN)], None).expect("poll");
        read::<1>(&fd, &mut *job);
    }
}

/// Level-triggered: one read for each wake, since what is left wakes again.
pub fn epoll_level(signals: &[i32], job: Box<dyn Job>) {
    epoll(signals, job, EventFlags::IN, |fd, job| {
        read::<1>(fd, job);
    });
}

/// Edge-triggered: reads of `N` records until nothing is left. This is the contract of mio and
/// tokio, so it is the work that they can't do without.
pub fn epoll_edge<const N: usize>(signals: &[i32], job: Box<dyn Job>) {
    epoll(signals, job, EventFlags::IN | EventFlags::ET, |fd, job| while read::<N>(fd, job) {});
}

fn epoll(
    signals: &[i32],
    mut job: Box<dyn Job>,
    flags: EventFlags,
    on_event: fn(&SignalFd, &mut dyn Job),
) {
    let fd = open(signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK);
    let epoll = epoll::create(CreateFlags::CLOEXEC).expect("an epoll");
    epoll::add(&epoll, fd.as_fd(), EventData::new_u64(0), flags).expect("registered");
    job.opened();
    let mut events = [MaybeUninit::<epoll::Event>::uninit(); 16];
    while job.goes_on() {
        let (ready, _) = epoll::wait(&epoll, &mut events, None).expect("epoll_wait");
        for _event in ready {
            on_event(&fd, &mut *job);
        }
    }
}

/// In tokio's `AsyncFd`, by hand: what is more than [`epoll_edge`] is tokio's.
pub fn tokio_current(signals: &[i32], mut job: Box<dyn Job>) {
    let fd = open(signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK);
    executors::current().block_on(async move {
        // SAFETY: a signalfd is no file that another process could change, and it is closed with the
        // AsyncFd.
        let fd = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
        let fd = fd.expect("registered");
        job.opened();
        while job.goes_on() {
            loop {
                let mut ready = fd.readable().await.expect("a reactor");
                if read::<1>(ready.get_inner(), &mut *job) {
                    break;
                }
                ready.clear_ready();
            }
        }
    });
}

/// Sends `signal` with an integer to a process, as fast as the C library can; whether there was
/// room in the queue.
pub fn sigqueue(pid: i32, signal: i32, value: i32) -> bool {
    let value = libc::sigval { sival_ptr: ptr::without_provenance_mut(value as u32 as usize) };
    // SAFETY: sending a signal touches no memory of ours.
    let sent = unsafe { libc::sigqueue(pid, signal, value) };
    assert!(
        sent == 0 || Errno::from_io_error(&std::io::Error::last_os_error()) == Some(Errno::AGAIN)
    );
    sent == 0
}
