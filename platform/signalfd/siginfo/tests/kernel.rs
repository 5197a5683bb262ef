//! The kernel's own records: everything is sent twice, received once by a signalfd and once by the
//! raw system call `rt_sigtimedwait(2)`, and both have to say the same.

use std::ffi::{CString, c_ulong};
use std::io::{self, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::panic::{self, AssertUnwindSafe};
use std::{fs::File, process, ptr};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::super::{MIPS, SIZE, decode, decode_siginfo};
use crate::{ChildStatus, Origin, Signal, SignalInfo};

/// Signals are a process' own: runs `body` in a forked child, on its only thread, with everything
/// blocked.
fn apart(body: fn()) {
    // SAFETY: the child needs no lock that another thread of this process may hold.
    let child = unsafe { libc::fork() };
    assert_ne!(child, -1, "{}", io::Error::last_os_error());
    if child == 0 {
        panic::set_hook(Box::new(|info| {
            // Past libtest's capture, which ends with this process.
            // SAFETY: the standard error is open, and is not closed by the file.
            let mut stderr = std::mem::ManuallyDrop::new(unsafe { File::from_raw_fd(2) });
            let _ = writeln!(stderr, "{info}");
        }));
        block_all();
        let failed = panic::catch_unwind(AssertUnwindSafe(body)).is_err();
        // SAFETY: ends the process.
        unsafe { libc::_exit(i32::from(failed)) }
    }
    let mut status = 0;
    // SAFETY: writes the status.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0, "the child has printed why");
}

fn block_all() {
    let mut set = MaybeUninit::uninit();
    // SAFETY: makes a full set.
    unsafe { libc::sigfillset(set.as_mut_ptr()) };
    // SAFETY: reads the set, which is initialised.
    let blocked = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), ptr::null_mut()) };
    assert_eq!(blocked, 0);
}

#[track_caller]
fn done(result: libc::c_long) -> libc::c_long {
    assert_ne!(result, -1, "{}", io::Error::last_os_error());
    result
}

fn rt(n: u8) -> Signal {
    Signal::rt(n).expect("Linux has real-time signals")
}

fn by_signalfd(signal: Signal) -> SignalInfo {
    let mut set = MaybeUninit::uninit();
    // SAFETY: makes an empty set.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: changes the set, which is initialised.
    unsafe { libc::sigaddset(set.as_mut_ptr(), signal.as_raw()) };
    // SAFETY: reads the set.
    let fd = unsafe { libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC) };
    assert_ne!(fd, -1);
    // SAFETY: the descriptor was opened just now.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    let mut bytes = [0; SIZE];
    // SAFETY: writes at most the bytes.
    let len = unsafe { libc::read(fd.as_raw_fd(), bytes.as_mut_ptr().cast(), SIZE) };
    assert_eq!(len.unsigned_abs(), SIZE);
    decode(&bytes).expect("a signal")
}

fn by_waiting(signal: Signal) -> SignalInfo {
    #[repr(C, align(8))]
    struct Aligned([u8; SIZE]);
    // The kernel's set is of words, whose order does not depend on that of bytes.
    const WORD: usize = c_ulong::BITS as usize;
    let bit = usize::try_from(signal.as_raw() - 1).expect("a number");
    let mut set: [c_ulong; 128 / WORD] = [0; 128 / WORD];
    set[bit / WORD] |= 1 << (bit % WORD);
    let mut raw = Aligned([0; SIZE]);
    let (set_size, no_timeout) = (if MIPS { 16_usize } else { 8 }, ptr::null::<libc::timespec>());
    let info = raw.0.as_mut_ptr();
    // SAFETY: reads the set and writes a `siginfo_t`, of that size and alignment.
    let number = unsafe {
        libc::syscall(libc::SYS_rt_sigtimedwait, &raw const set, info, no_timeout, set_size)
    };
    assert_eq!(done(number), libc::c_long::from(signal.as_raw()));
    decode_siginfo(&raw.0).expect("a signal")
}

/// Sends twice, and receives in both ways.
fn both(signal: Signal, mut send: impl FnMut()) -> [SignalInfo; 2] {
    send();
    let read = by_signalfd(signal);
    send();
    [read, by_waiting(signal)]
}

/// The same, where all of it has to be the same.
#[track_caller]
fn alike(signal: Signal, send: impl FnMut()) -> SignalInfo {
    let [read, waited] = both(signal, send);
    assert_eq!(read, waited);
    read
}

fn me() -> libc::pid_t {
    process::id().try_into().expect("a pid")
}

fn kill(signal: Signal) {
    // SAFETY: sends a signal.
    done(unsafe { libc::kill(me(), signal.as_raw()) }.into());
}

fn queue(signal: Signal, value: usize) {
    let value = libc::sigval { sival_ptr: ptr::without_provenance_mut(value) };
    // SAFETY: sends a signal; the pointer is a number.
    done(unsafe { libc::sigqueue(me(), signal.as_raw(), value) }.into());
}

#[test]
fn sent_by_a_process() {
    apart(|| {
        for signal in [Signal::USR1, Signal::CHLD, rt(5)] {
            let info = alike(signal, || kill(signal));
            assert!(matches!(info.origin(), Origin::Process(_)) && info.is_verified());
            let info = alike(signal, || {
                // SAFETY: sends a signal.
                done(unsafe { libc::syscall(libc::SYS_tgkill, me(), me(), signal.as_raw()) });
            });
            assert!(matches!(info.origin(), Origin::Thread(_)) && info.is_verified());
            for value in [0, 7, usize::MAX, usize::MAX / 3] {
                let info = alike(signal, || queue(signal, value));
                assert!(matches!(info.origin(), Origin::Queue { sender: Some(_), .. }));
                assert_eq!(info.value_ptr(), Some(value));
            }
        }
    });
}

fn notification(signal: Signal, value: usize) -> libc::sigevent {
    // SAFETY: all zeros are a valid notification.
    let mut event: libc::sigevent = unsafe { MaybeUninit::zeroed().assume_init() };
    event.sigev_notify = libc::SIGEV_SIGNAL;
    event.sigev_signo = signal.as_raw();
    event.sigev_value.sival_ptr = ptr::without_provenance_mut(value);
    event
}

#[test]
fn sent_by_a_timer() {
    apart(|| {
        let mut timer = ptr::null_mut();
        let mut event = notification(rt(2), 909);
        // SAFETY: reads the notification and writes the timer.
        let made = unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, &mut event, &mut timer) };
        done(made.into());
        let zero = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let soon = libc::timespec { tv_nsec: 1, ..zero };
        let spec = libc::itimerspec { it_value: soon, it_interval: zero };
        let info = alike(rt(2), || {
            // SAFETY: reads the times.
            done(unsafe { libc::timer_settime(timer, 0, &spec, ptr::null_mut()) }.into());
        });
        let Origin::Timer { overrun: 0, .. } = info.origin() else { panic!("{info:?}") };
        assert!(!info.is_verified(), "{info:?}");
    });
}

#[test]
fn sent_for_a_message() {
    apart(|| {
        let name = CString::new(format!("/signal-source-siginfo-{}", me())).expect("no zero");
        let flags = libc::O_CREAT | libc::O_RDWR | libc::O_EXCL;
        // SAFETY: all zeros are valid attributes.
        let mut attributes: libc::mq_attr = unsafe { MaybeUninit::zeroed().assume_init() };
        attributes.mq_maxmsg = 1;
        attributes.mq_msgsize = 8;
        // SAFETY: reads the name and the attributes.
        let queue = unsafe { libc::mq_open(name.as_ptr(), flags, 0o600, &raw const attributes) };
        if queue == -1 {
            return; // a system without message queues
        }
        // SAFETY: removes the name.
        unsafe { libc::mq_unlink(name.as_ptr()) };
        let event = notification(Signal::USR2, 33);
        let info = alike(Signal::USR2, || {
            // SAFETY: reads the notification.
            done(unsafe { libc::syscall(libc::SYS_mq_notify, queue, ptr::from_ref(&event)) });
            // SAFETY: reads one byte.
            done(unsafe { libc::mq_send(queue, c"!".as_ptr(), 1, 0) }.into());
            let mut message = [0; 8];
            // SAFETY: writes the message.
            unsafe { libc::mq_receive(queue, message.as_mut_ptr(), 8, ptr::null_mut()) };
        });
        assert!(matches!(info.origin(), Origin::MessageQueue { sender: Some(_), .. }), "{info:?}");
    });
}

#[test]
fn sent_for_a_child() {
    apart(|| {
        let child = |body: fn()| {
            // SAFETY: the child runs on its only thread.
            let pid = unsafe { libc::fork() };
            if pid == 0 {
                body();
                // SAFETY: ends the process.
                unsafe { libc::_exit(3) }
            }
            let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
            let flags = libc::WEXITED | libc::WNOWAIT;
            let id = pid.unsigned_abs();
            // SAFETY: writes the record.
            let ended = unsafe { libc::waitid(libc::P_PID, id, info.as_mut_ptr(), flags) };
            done(ended.into());
        };
        let exits = both(Signal::CHLD, || child(|| ()));
        let dies = both(Signal::CHLD, || child(|| kill(Signal::KILL)));
        for (infos, status) in
            [(exits, ChildStatus::Exited(3)), (dies, ChildStatus::Killed(Signal::KILL))]
        {
            let [read, waited] = infos.map(|info| match info.origin() {
                Origin::Child(child) => (info.code(), child.uid, child.status),
                other => panic!("{other:?}"),
            });
            assert_eq!(read, waited);
            assert_eq!(read.2, status);
            assert!(infos.iter().all(SignalInfo::is_verified));
        }
    });
}

#[test]
fn sent_for_a_descriptor() {
    /// `F_SETSIG`, which libc has for few targets.
    const F_SETSIG: libc::c_int = 10;
    apart(|| {
        for chosen in [Some(rt(4)), None] {
            let (mut writer, reader) = UnixStream::pair().expect("a pair");
            let fd = reader.as_raw_fd();
            // SAFETY: sets who is told.
            done(unsafe { libc::fcntl(fd, libc::F_SETOWN, me()) }.into());
            if let Some(signal) = chosen {
                // SAFETY: sets the signal.
                done(unsafe { libc::fcntl(fd, F_SETSIG, signal.as_raw()) }.into());
            }
            // SAFETY: sets the mode.
            done(unsafe { libc::fcntl(fd, libc::F_SETFL, libc::O_ASYNC) }.into());
            let info = alike(chosen.unwrap_or(Signal::IO), || {
                writer.write_all(b"!").expect("written");
            });
            match (chosen, info.origin()) {
                (Some(_), Origin::Io { fd: told, .. }) => assert_eq!(told, fd),
                (None, Origin::Kernel) => {}
                other => panic!("{other:?}"),
            }
            assert!(info.is_verified());
        }
    });
}

/// What a process may write for itself: any code, any content.
#[test]
fn written_by_ourselves() {
    apart(|| {
        let codes = prop_oneof![-8..8_i32, 126..130_i32, any::<i32>()];
        let signals = prop_oneof![Just(Signal::USR1), Just(Signal::CHLD), Just(rt(1))];
        let mut runner =
            TestRunner::new(Config { cases: 2000, failure_persistence: None, ..Config::default() });
        let inputs = (signals, codes, any::<[u8; 32]>());
        let outcome = runner.run(&inputs, |(signal, code, content)| {
            #[repr(C, align(8))]
            struct Aligned([u8; SIZE]);
            let mut raw = Aligned([0; SIZE]);
            let at = if MIPS { 4 } else { 8 };
            raw.0[at..at + 4].copy_from_slice(&code.to_ne_bytes());
            // As much as the kernel's own record has (`struct kernel_siginfo`); it refuses more.
            let end = if size_of::<usize>() == 8 { 48 } else { 32 };
            raw.0[16..end].copy_from_slice(&content[..end - 16]);
            let (number, info) = (signal.as_raw(), raw.0.as_ptr());
            let send = || {
                // SAFETY: reads the record.
                done(unsafe { libc::syscall(libc::SYS_rt_sigqueueinfo, me(), number, info) })
            };
            let [read, waited] = both(signal, || _ = send());
            prop_assert_eq!(read, waited);
            Ok(())
        });
        outcome.expect("both say the same");
    });
}
