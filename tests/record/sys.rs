//! What makes signals with all sorts of records: system calls that no safe crate here has.
#![allow(unsafe_code)]

use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::time::Duration;

use nix::libc;
use signal_source::Signal;

use crate::harness::forged::MIPS;
pub use crate::harness::forged::{Forged, forge};
use crate::harness::{pid, signed, span, wait};

/// `fcntl(2)`: which signal tells that a descriptor is ready; libc has it for few targets.
const F_SETSIG: libc::c_int = 10;

/// `asm-generic/siginfo.h`.
pub const SI_USER: i32 = 0;
pub const SI_QUEUE: i32 = -1;
pub const SI_TIMER: i32 = if MIPS { -3 } else { -2 };
pub const SI_MESGQ: i32 = if MIPS { -4 } else { -3 };
pub const SI_ASYNCIO: i32 = if MIPS { -2 } else { -4 };
pub const SI_SIGIO: i32 = -5;
pub const SI_TKILL: i32 = -6;
pub const SI_KERNEL: i32 = 128;

fn done(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Real user of this process.
pub fn uid() -> u32 {
    // SAFETY: reads a number.
    unsafe { libc::getuid() }
}

pub fn parent() -> u32 {
    // SAFETY: reads a number.
    unsafe { libc::getppid() }.unsigned_abs()
}

/// Directs a signal at the first thread of a process.
pub fn tgkill(pid: u32, signal: Signal) -> io::Result<()> {
    // SAFETY: sends a signal.
    let sent = unsafe { libc::syscall(libc::SYS_tgkill, pid, pid, signal.as_raw()) };
    if sent == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// `sigqueue(3)` with a pointer.
pub fn sigqueue_ptr(pid: u32, signal: Signal, ptr: usize) -> io::Result<()> {
    let value = libc::sigval { sival_ptr: ptr::without_provenance_mut(ptr) };
    // SAFETY: sends a signal; the pointer is a number, which the receiver does not follow.
    done(unsafe { libc::sigqueue(signed(pid), signal.as_raw(), value) })
}

/// From now on this process is alone in a user namespace in which no user has a number.
pub fn unshare_users() -> io::Result<()> {
    // SAFETY: changes no memory.
    done(unsafe { libc::unshare(libc::CLONE_NEWUSER) })
}

/// A notification by a signal with an integer.
pub fn notification(signal: Signal, value: i32) -> libc::sigevent {
    // SAFETY: all zeros are a valid notification.
    let mut event: libc::sigevent = unsafe { MaybeUninit::zeroed().assume_init() };
    event.sigev_notify = libc::SIGEV_SIGNAL;
    event.sigev_signo = signal.as_raw();
    // SAFETY: the integer shares its first bytes with the pointer, in a C union.
    unsafe { (&raw mut event.sigev_value).cast::<i32>().write(value) };
    event
}

/// Starts a POSIX timer, which runs until the process ends; times in milliseconds.
pub fn start_timer(mut event: libc::sigevent, first: libc::c_long, interval: libc::c_long) {
    let mut timer = ptr::null_mut();
    // SAFETY: reads the notification and writes the timer.
    let made = unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, &mut event, &mut timer) };
    done(made).expect("timer_create");
    let after = |ms| libc::timespec { tv_sec: 0, tv_nsec: ms * 1_000_000 };
    let spec = libc::itimerspec { it_value: after(first), it_interval: after(interval) };
    // SAFETY: reads the times; the pointer for the earlier ones is null.
    done(unsafe { libc::timer_settime(timer, 0, &spec, ptr::null_mut()) }).expect("timer_settime");
}

/// Has the kernel send ALRM once, after a millisecond.
pub fn start_interval_timer() {
    let zero = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let soon =
        libc::itimerval { it_interval: zero, it_value: libc::timeval { tv_usec: 1000, ..zero } };
    // SAFETY: reads the times; the pointer for the earlier ones is null.
    let set = unsafe { libc::setitimer(libc::ITIMER_REAL, &soon, ptr::null_mut()) };
    done(set).expect("setitimer");
}

/// A POSIX message queue, for as long as it lives.
pub struct MessageQueue {
    descriptor: libc::mqd_t,
    name: CString,
}

impl MessageQueue {
    pub fn open() -> io::Result<MessageQueue> {
        let name = CString::new(format!("/signal-source-{}", pid())).expect("no zero byte");
        let flags = libc::O_CREAT | libc::O_RDWR | libc::O_EXCL;
        // SAFETY: all zeros are valid attributes.
        let mut attributes: libc::mq_attr = unsafe { MaybeUninit::zeroed().assume_init() };
        attributes.mq_maxmsg = 1;
        attributes.mq_msgsize = 8;
        // SAFETY: reads the name and the attributes.
        let descriptor =
            unsafe { libc::mq_open(name.as_ptr(), flags, 0o600, &raw const attributes) };
        if descriptor == -1 {
            return Err(io::Error::last_os_error());
        }
        Ok(MessageQueue { descriptor, name })
    }

    /// Asks for one signal, when a message arrives while the queue is empty.
    pub fn notify(&self, event: &libc::sigevent) {
        // SAFETY: reads the notification, which the kernel lays out as the C library does.
        let set =
            unsafe { libc::syscall(libc::SYS_mq_notify, self.descriptor, ptr::from_ref(event)) };
        assert_eq!(set, 0, "mq_notify: {}", io::Error::last_os_error());
    }

    pub fn send(&self) {
        // SAFETY: reads one byte.
        done(unsafe { libc::mq_send(self.descriptor, c"!".as_ptr(), 1, 0) }).expect("mq_send");
    }
}

impl Drop for MessageQueue {
    fn drop(&mut self) {
        // SAFETY: removes the name.
        unsafe { libc::mq_unlink(self.name.as_ptr()) };
    }
}

/// Has this process told by a signal when the descriptor is ready: IO, or one of `F_SETSIG`.
pub fn signal_when_ready(fd: BorrowedFd<'_>, signal: Option<Signal>) {
    let fd = fd.as_raw_fd();
    // SAFETY: sets who is told; the descriptor is open.
    let owned = unsafe { libc::fcntl(fd, libc::F_SETOWN, signed(pid())) };
    done(owned).expect("F_SETOWN");
    if let Some(signal) = signal {
        // SAFETY: sets the signal; the descriptor is open.
        done(unsafe { libc::fcntl(fd, F_SETSIG, signal.as_raw()) }).expect("F_SETSIG");
    }
    // SAFETY: sets the mode; the descriptor is open.
    done(unsafe { libc::fcntl(fd, libc::F_SETFL, libc::O_ASYNC) }).expect("O_ASYNC");
}

/// Starts an asynchronous write of one byte, which is never taken back.
#[cfg(target_env = "gnu")]
pub fn write_asynchronously(fd: BorrowedFd<'_>, event: libc::sigevent) -> io::Result<()> {
    // SAFETY: all zeros are a valid request.
    let mut request: libc::aiocb = unsafe { MaybeUninit::zeroed().assume_init() };
    request.aio_fildes = fd.as_raw_fd();
    request.aio_buf = c"!".as_ptr().cast_mut().cast();
    request.aio_nbytes = 1;
    request.aio_sigevent = event;
    let request = Box::leak(Box::new(request));
    // SAFETY: the request and the byte live for ever.
    done(unsafe { libc::aio_write(request) })
}

/// Waits until a child has ended, and leaves it to be waited for.
pub fn until_ended(child: u32) {
    // SAFETY: all zeros are a valid record.
    let mut info: libc::siginfo_t = unsafe { MaybeUninit::zeroed().assume_init() };
    let flags = libc::WEXITED | libc::WNOWAIT;
    // SAFETY: writes the record.
    done(unsafe { libc::waitid(libc::P_PID, child, &mut info, flags) }).expect("waitid");
}

/// Waits for this process' only child to end; the user and system CPU time that it consumed. (`wait4`,
/// which tells of one child, writes no numbers in 32-bit programs with musl.)
pub fn cpu_time_of(child: u32) -> Duration {
    wait(child);
    // SAFETY: all zeros are valid numbers.
    let mut usage: libc::rusage = unsafe { MaybeUninit::zeroed().assume_init() };
    // SAFETY: writes the numbers.
    assert_eq!(unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage) }, 0);
    span(usage.ru_utime) + span(usage.ru_stime)
}

/// Makes room for a core file.
pub fn allow_core() {
    set_limit(libc::RLIMIT_CORE, libc::RLIM_INFINITY);
}

/// No signal may be queued for this process any more, but by the kernel's leave.
pub fn forbid_queue() {
    set_limit(libc::RLIMIT_SIGPENDING, 0);
}

/// The type of a limit's number differs by C library.
#[cfg(target_env = "gnu")]
type Resource = libc::__rlimit_resource_t;
#[cfg(not(target_env = "gnu"))]
type Resource = libc::c_int;

fn set_limit(resource: Resource, soft: libc::rlim_t) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: writes the limit.
    done(unsafe { libc::getrlimit(resource, &mut limit) }).expect("getrlimit");
    limit.rlim_cur = soft.min(limit.rlim_max);
    // SAFETY: reads the limit.
    done(unsafe { libc::setrlimit(resource, &limit) }).expect("setrlimit");
}

/// Becomes another user, for good.
pub fn become_user(uid: u32) -> io::Result<()> {
    // SAFETY: changes the user of this process.
    done(unsafe { libc::setuid(uid) })
}

/// Lets the parent trace this process.
pub fn be_traced() -> io::Result<()> {
    // SAFETY: the other arguments are not looked at.
    let traced = unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) };
    if traced == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The next child starts a pid namespace of its own.
pub fn unshare_pids() -> io::Result<()> {
    // SAFETY: changes no memory.
    let alone = done(unsafe { libc::unshare(libc::CLONE_NEWPID) });
    alone.or_else(|_| {
        // SAFETY: changes no memory.
        done(unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWPID) })
    })
}
