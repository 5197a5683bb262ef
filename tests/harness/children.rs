//! Other processes: roles of the same binary, forked children, and how they end.

use std::env;
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use nix::libc;
use signal_source::Signal;

/// Names the role to play, in the environment of a case's child.
pub(super) const ROLE: &str = "SIGNAL_SOURCE_TEST_ROLE";

/// A pid as C has it.
pub fn signed(pid: u32) -> libc::pid_t {
    pid.try_into().expect("a pid")
}

/// A command that plays a role of this binary.
pub fn role(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env::current_exe().expect("this binary"));
    command.env(ROLE, name).args(arguments);
    command
}

/// Where cargo puts an example: beside the folder of this test binary.
pub fn example(name: &str) -> PathBuf {
    let here = env::current_exe().expect("this binary");
    here.ancestors().nth(2).expect("target/debug").join("examples").join(name)
}

/// Ends the test binary, before any case and with one line, if these examples are not built.
pub fn needs_examples(names: &[&str]) {
    if let Some(missing) = names.iter().map(|name| example(name)).find(|path| !path.exists()) {
        let missing = missing.display();
        eprintln!("no {missing}: build it first, by cargo build --all-features --examples");
        std::process::exit(101);
    }
}

/// Runs a role to its end, which must be a success, and returns what it printed.
pub fn play(name: &str, arguments: &[&str]) -> String {
    let output = role(name, arguments).stderr(Stdio::inherit()).output().expect("a role starts");
    assert!(output.status.success(), "{name}: {}", output.status);
    String::from_utf8(output.stdout).expect("text")
}

/// Forks, runs `child` in the child on its only thread, and returns the child's pid.
pub fn fork(child: impl FnOnce()) -> u32 {
    let _ = io::stdout().flush();
    // SAFETY: the child runs on; the cases fork with one thread, or use no lock that another holds.
    match unsafe { libc::fork() } {
        -1 => panic!("fork: {}", io::Error::last_os_error()),
        0 => {
            let passed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child)).is_ok();
            // SAFETY: ends the process without running the parent's exit functions twice.
            unsafe { libc::_exit(i32::from(!passed)) }
        }
        pid => pid.unsigned_abs(),
    }
}

/// Goes on in a child whose process group is orphaned by the rule of every kernel: its parent was of
/// the same session, and has ended, not with 0 if the group could not be made. Async-signal-safe.
pub fn orphan() -> io::Result<()> {
    let done =
        |done: libc::c_int| if done == -1 { Err(io::Error::last_os_error()) } else { Ok(done) };
    // SAFETY: makes this process the first of a session.
    done(unsafe { libc::setsid() })?;
    let parent = std::process::id();
    // SAFETY: the parent ends, and the child goes on in its place.
    let child = done(unsafe { libc::fork() })?;
    if child != 0 {
        // By the parent, before it ends: to FreeBSD a group that is made later is no orphan.
        // SAFETY: makes the child the first of a group.
        let made = unsafe { libc::setpgid(child, child) } == 0;
        // SAFETY: ends the process, and runs nothing.
        unsafe { libc::_exit(i32::from(!made)) }
    }
    while std::os::unix::process::parent_id() == parent {
        std::thread::yield_now();
    }
    Ok(())
}

/// Forks as [`fork`] does, by the system call itself: the C library knows nothing of it.
#[cfg(target_os = "linux")]
pub fn bare_fork(child: impl FnOnce()) -> u32 {
    let _ = io::stdout().flush();
    let [flags, nothing]: [libc::c_long; 2] = [libc::SIGCHLD.into(), 0];
    // On s390x the stack comes before the flags.
    let [first, second] =
        if cfg!(target_arch = "s390x") { [nothing, flags] } else { [flags, nothing] };
    // SAFETY: as `fork`: the child has a copy of all memory, and its parent's stack.
    match unsafe { libc::syscall(libc::SYS_clone, first, second, nothing, nothing, nothing) } {
        -1 => panic!("clone: {}", io::Error::last_os_error()),
        0 => {
            let passed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child)).is_ok();
            // SAFETY: ends the process without running the parent's exit functions twice.
            unsafe { libc::_exit(i32::from(!passed)) }
        }
        pid => pid.unsigned_abs().try_into().expect("a pid"),
    }
}

/// Waits for one child to end.
pub fn wait(pid: u32) -> ExitStatus {
    let mut status = 0;
    loop {
        // SAFETY: writes the status alone.
        let found = unsafe { libc::waitpid(signed(pid), &mut status, 0) };
        if found == signed(pid) {
            return ExitStatus::from_raw(status);
        }
        let error = io::Error::last_os_error();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted, "waitpid: {error}");
    }
}

/// Runs `child` in a forked process, which must not fail.
pub fn in_fork(child: impl FnOnce()) {
    let status = wait(fork(child));
    assert!(status.success(), "the forked child: {status}");
}

/// Runs `child` in a forked process that the signal must kill.
pub fn fork_dies_of(signal: Signal, child: impl FnOnce()) {
    let status = wait(fork(child));
    assert_eq!(status.signal(), Some(signal.as_raw()), "the forked child: {status}");
}

/// Waits until a child stops, and returns by which signal.
pub fn wait_for_stop(pid: u32) -> Signal {
    let mut status = 0;
    // SAFETY: writes the status alone.
    let found = unsafe { libc::waitpid(signed(pid), &mut status, libc::WUNTRACED) };
    assert_eq!(found, signed(pid), "waitpid: {}", io::Error::last_os_error());
    assert!(libc::WIFSTOPPED(status), "not stopped: {}", ExitStatus::from_raw(status));
    Signal::from_raw(libc::WSTOPSIG(status)).expect("a signal")
}
