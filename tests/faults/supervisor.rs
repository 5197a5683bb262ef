//! A thread that the kernel asks about each use of one system call, and that refuses one of them.
//!
//! It is started before the filter is installed, so its own calls are free. While the kernel asks it,
//! a filtered thread may have the allocator's lock: the supervisor allocates nothing.

use std::panic;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use nix::libc;
use signal_source::SignalSet;

use crate::harness::{fork, raw_block, raw_unblock, seccomp, skip, wait};

/// The process in which it was tried exits with this code if the call is not used that often.
const NOT_REACHED: i32 = 42;

/// What is refused, and the count so far.
#[derive(Debug)]
struct Plan {
    call: libc::c_long,
    /// The number of the use that is refused, from 1.
    at: usize,
    errno: i32,
    armed: AtomicBool,
    uses: AtomicUsize,
    listener: AtomicI32,
}

/// Whether some thread has panicked.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// Has the operation's calls counted, and one of them refused.
#[derive(Clone, Debug)]
pub(crate) struct Faults(Arc<Plan>);

impl Faults {
    /// Counts the calls that `operation` makes, and refuses the one that is due.
    pub(crate) fn during<T>(&self, operation: impl FnOnce() -> T) -> T {
        self.0.armed.store(true, Ordering::SeqCst);
        let result = operation();
        self.0.armed.store(false, Ordering::SeqCst);
        result
    }

    /// Whether a call was refused that changes a mask or an action: an operation that was putting it
    /// back, and so has no error to return, could not but leave it.
    pub(crate) fn hit_mask_or_action(&self) -> bool {
        let hit = self.0.uses.load(Ordering::SeqCst) >= self.0.at;
        hit && [libc::SYS_rt_sigprocmask, libc::SYS_rt_sigaction].contains(&self.0.call)
    }
}

/// Answers the kernel's questions for ever.
fn supervise(plan: &Plan) {
    let listener = loop {
        match plan.listener.load(Ordering::SeqCst) {
            -1 => thread::sleep(Duration::from_micros(50)),
            listener => break listener,
        }
    };
    loop {
        // SAFETY: all zeros are valid numbers, which the kernel asks for.
        let mut asked: libc::seccomp_notif = unsafe { std::mem::zeroed() };
        // SAFETY: the kernel writes the notification.
        if unsafe { libc::ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut asked) } != 0 {
            continue; // the thread that asked has been interrupted
        }
        let counts = plan.armed.load(Ordering::SeqCst);
        let refuses = counts && plan.uses.fetch_add(1, Ordering::SeqCst) + 1 == plan.at;
        let flags = if refuses { 0 } else { libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE };
        let mut answer = libc::seccomp_notif_resp {
            id: asked.id,
            val: 0,
            error: if refuses { -plan.errno } else { 0 },
            flags: flags.try_into().expect("32 bits"),
        };
        // SAFETY: the kernel reads the answer.
        unsafe { libc::ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_SEND, &raw mut answer) };
    }
}

/// Runs `scenario` in a process of its own, where the `at`-th use of the call is refused, and
/// returns how the process ended.
fn refused_at(call: libc::c_long, errno: i32, at: usize, scenario: fn(&Faults)) -> ExitStatus {
    wait(fork(|| {
        let (uses, armed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let plan = Arc::new(Plan { call, at, errno, armed, uses, listener: AtomicI32::new(-1) });
        let faults = Faults(plan.clone());
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            PANICKED.store(true, Ordering::SeqCst);
            others(panic);
        }));
        let supervisor = plan.clone();
        // The supervisor inherits a full mask: it takes no signal from the scenario.
        raw_block(SignalSet::all());
        thread::spawn(move || supervise(&supervisor));
        raw_unblock(SignalSet::all());
        let listener = seccomp::install(
            &[(call, libc::SECCOMP_RET_USER_NOTIF)],
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
        );
        plan.listener.store(listener.expect("tried before"), Ordering::SeqCst);
        scenario(&faults);
        assert!(!PANICKED.load(Ordering::SeqCst), "a thread panicked");
        if plan.uses.load(Ordering::SeqCst) < at {
            // SAFETY: ends the process.
            unsafe { libc::_exit(NOT_REACHED) };
        }
    }))
}

/// The calls that the crate makes where a refusal can be told, and how the kernel refuses each.
const CALLS: [(&str, libc::c_long, &[i32]); 14] = [
    ("rt_sigprocmask", libc::SYS_rt_sigprocmask, &[libc::EPERM]),
    ("rt_sigaction", libc::SYS_rt_sigaction, &[libc::EPERM]),
    ("rt_sigpending", libc::SYS_rt_sigpending, &[libc::EPERM]),
    ("rt_sigtimedwait", libc::SYS_rt_sigtimedwait, &[libc::EPERM]),
    ("signalfd4", libc::SYS_signalfd4, &[libc::EMFILE, libc::ENOMEM]),
    ("openat", libc::SYS_openat, &[libc::EMFILE, libc::EACCES]),
    ("getdents64", libc::SYS_getdents64, &[libc::EPERM, libc::ENOMEM]),
    ("read", libc::SYS_read, &[libc::EPERM, libc::EIO]),
    ("kill", libc::SYS_kill, &[libc::EPERM]),
    ("tgkill", libc::SYS_tgkill, &[libc::EPERM]),
    ("rt_tgsigqueueinfo", libc::SYS_rt_tgsigqueueinfo, &[libc::EPERM]),
    ("clone3", libc::SYS_clone3, &[libc::EAGAIN]),
    ("clone", libc::SYS_clone, &[libc::EAGAIN]),
    ("prctl", libc::SYS_prctl, &[libc::EPERM]),
];

/// No operation makes one call more often; beyond this it would never end.
const MOST: usize = 400;

/// Runs the scenario with each call refused at each of its uses.
pub(crate) fn with_each_call_refused(scenario: fn(&Faults)) {
    with_each_call_refused_but(&[], scenario);
}

/// As [`with_each_call_refused`], less the calls named.
pub(crate) fn with_each_call_refused_but(left_out: &[&str], scenario: fn(&Faults)) {
    if !wait(fork(|| assert!(seccomp::deny(&[])))).success() {
        skip("no seccomp filter may be installed here");
    }
    let mut failures = Vec::new();
    for (name, call, errnos) in CALLS.into_iter().filter(|(name, ..)| !left_out.contains(name)) {
        for &errno in errnos {
            for at in 1.. {
                assert!(at <= MOST, "{name} is called without end");
                eprintln!("-- {name} refused with errno {errno} at its use {at}");
                match refused_at(call, errno, at, scenario) {
                    status if status.success() => {}
                    status if status.code() == Some(NOT_REACHED) => break,
                    status => failures.push(format!("{name}, errno {errno}, use {at}: {status}")),
                }
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}
