//! Descriptors, memory, time and limits of the process.

use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

use nix::libc;

/// The number of open descriptors, and so of leaks.
pub fn descriptors() -> usize {
    // SAFETY: asks for the flags of a descriptor that may not exist.
    (0..1024).filter(|&fd| unsafe { libc::fcntl(fd, libc::F_GETFD) } >= 0).count()
}

/// Uses up the descriptors of this process, but for `spare`, while `run` runs.
pub fn without_descriptors(spare: usize, run: impl FnOnce()) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: writes the limit.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) }, 0);
    let low = libc::rlimit { rlim_cur: 256, ..limit };
    // SAFETY: reads the limit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &low) }, 0);
    let mut files = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        files.push(file);
    }
    files.truncate(files.len() - spare);
    run();
    drop(files);
    // SAFETY: reads the limit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
}

/// The CPU time that this process has consumed.
pub fn cpu_time() -> Duration {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: writes the numbers.
    assert_eq!(unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) }, 0);
    // SAFETY: all zeros are valid numbers, and these were written.
    let usage = unsafe { usage.assume_init() };
    span(usage.ru_utime) + span(usage.ru_stime)
}

/// A span of time as C has it.
pub fn span(time: libc::timeval) -> Duration {
    Duration::from_secs(u64::try_from(time.tv_sec).expect("not negative"))
        + Duration::from_micros(u64::try_from(time.tv_usec).expect("not negative"))
}

/// Lets no memory be mapped while `run` runs, so that no thread can be started.
#[cfg(target_os = "linux")] // OpenBSD has no such limit, and only the Linux cases use it
pub fn without_memory(run: impl FnOnce()) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: writes the limit.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_AS, &mut limit) }, 0);
    let none = libc::rlimit { rlim_cur: 0, ..limit };
    // SAFETY: reads the limit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &none) }, 0);
    run();
    // SAFETY: reads the limit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
}

/// Waits until the descriptor is readable.
pub fn readable(descriptor: &impl std::os::fd::AsRawFd) {
    let mut poll = libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one live entry, written by the kernel.
    let ready = unsafe { libc::poll(&mut poll, 1, -1) };
    assert_eq!(ready, 1, "poll: {}", io::Error::last_os_error());
}

/// Whether this process may do everything.
pub fn is_root() -> bool {
    // SAFETY: asks.
    unsafe { libc::geteuid() == 0 }
}

/// Becomes a user without rights; `false` if this process has none to give up.
pub fn become_unprivileged() -> bool {
    // SAFETY: changes the user of this process, for good.
    is_root() && unsafe { libc::setuid(65534) } == 0
}

/// Limits how many signals may be queued for this process' user.
#[cfg(target_os = "linux")]
pub fn limit_pending(count: libc::rlim_t) {
    let limit = libc::rlimit { rlim_cur: count, rlim_max: count };
    // SAFETY: reads the limit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_SIGPENDING, &limit) }, 0);
}

/// No core is dumped from now on.
pub fn without_core() {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: reads the limit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_CORE, &none) }, 0);
}
