//! `Spawn`: children without a fork. What they start with is `inherited.rs`.
#![allow(unsafe_code)] // waitpid, and descriptors by number

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::libc;
use signal_source::process::{Spawn, Spawned};
use signal_source::{Signal, send as sends};

use crate::harness::{
    descriptors, eventually, fork, hits, in_fork, open, pid, receives, role, send,
};
use crate::harness::{received, set_counting, set_ignored};
use crate::report::TERM_AND_USR1;

/// The same child as the standard library's command would start.
pub fn like(command: &Command) -> Spawn {
    let mut spawn = Spawn::new(command.get_program());
    spawn.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => spawn.env(name, value),
            None => spawn.env_remove(name),
        };
    }
    spawn
}

/// Waits for the child, and returns the code that it exited with; `None` if no status is to be had,
/// since this process ignores CHLD.
pub fn wait(child: &Spawned) -> Option<i32> {
    let pid = i32::try_from(child.pid()).expect("a pid");
    let mut status = 0;
    // SAFETY: writes the status alone.
    let waited = unsafe { libc::waitpid(pid, &mut status, 0) };
    (waited == pid).then(|| {
        assert!(libc::WIFEXITED(status), "{status:#x}");
        libc::WEXITSTATUS(status)
    })
}

/// What it prints.
pub fn printed(spawn: &mut Spawn) -> String {
    let (mut reader, writer) = UnixStream::pair().expect("a pipe");
    let child = spawn.stdout(writer).spawn().expect("it starts");
    // The builder has this process' end.
    spawn.stdout(File::open("/dev/null").expect("/dev/null"));
    let mut text = String::new();
    reader.read_to_string(&mut text).expect("text");
    assert!(matches!(wait(&child), None | Some(0)), "{text}");
    text
}

/// The role: says what it was started with.
pub fn tells(arguments: &[String]) {
    let variable = |name| std::env::var(name).unwrap_or_else(|_| "-".into());
    let directory = std::env::current_dir().expect("a directory");
    let (home, own) = (variable("HOME"), variable("OWN"));
    println!("{arguments:?} HOME={home} OWN={own} {}", directory.display());
    if let Ok(text) = std::io::read_to_string(std::io::stdin()) {
        eprintln!("read {text:?}");
    }
}

fn quiet(role: Command) -> Spawn {
    let mut spawn = like(&role);
    let null = || File::options().read(true).write(true).open("/dev/null").expect("/dev/null");
    spawn.stdin(null()).stderr(null());
    spawn
}

pub fn arguments_and_environment() {
    let home = std::env::var("HOME").unwrap_or_else(|_| "-".into());
    let mut spawn = quiet(role("tells", &["one", "two words", ""]));
    let told = printed(&mut spawn);
    let one = r#"["one", "two words", ""]"#;
    assert!(told.starts_with(&format!("{one} HOME={home} OWN=- ")), "{told}");
    let told = printed(spawn.env("OWN", "a=b").env("HOME", "/").env_remove("HOME"));
    assert!(told.starts_with(&format!("{one} HOME=- OWN=a=b ")), "{told}");
    let tells = role("tells", &[]);
    let mut cleared = quiet(role("tells", &[]));
    cleared.env("OWN", "forgotten").env_clear();
    // The variable that names the role.
    for (name, value) in tells.get_envs() {
        cleared.env(name, value.expect("set"));
    }
    let told = printed(&mut cleared);
    assert!(told.starts_with("[] HOME=- OWN=- "), "{told}");
}

pub fn in_a_directory() {
    let root = fs::canonicalize("/usr/..").expect("a directory");
    for directory in [Path::new("/"), Path::new("/usr")] {
        let directory = fs::canonicalize(directory).expect("a directory");
        let told = printed(quiet(role("tells", &[])).current_dir(&directory));
        assert!(told.trim_end().ends_with(&format!(" {}", directory.display())), "{told}");
    }
    // The program is looked for there.
    let this = std::env::current_exe().expect("this binary");
    let relative = Path::new("./").join(this.strip_prefix(&root).expect("a path from the root"));
    let mut spawn = Spawn::new(relative);
    for (name, value) in role("tells", &[]).get_envs() {
        spawn.env(name, value.expect("set"));
    }
    let null = || File::open("/dev/null").expect("/dev/null");
    let told = printed(spawn.current_dir("/").stdin(null()));
    assert!(told.trim_end().ends_with(" /"), "{told}");
}

pub fn looked_for_in_path() {
    let this = std::env::current_exe().expect("this binary");
    let (folder, name) = (this.parent().expect("a folder"), this.file_name().expect("a name"));
    let mut spawn = Spawn::new(name);
    for (name, value) in role("tells", &[]).get_envs() {
        spawn.env(name, value.expect("set"));
    }
    let null = || File::open("/dev/null").expect("/dev/null");
    let error = spawn.arg("x").stdin(null()).spawn().expect_err("not in this PATH");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains(name.to_str().expect("text")), "{error}");
    let told = printed(spawn.env("PATH", folder));
    assert!(told.starts_with(r#"["x"]"#), "{told}");
    let child = Spawn::new("true").spawn().expect("in this PATH");
    assert_eq!(wait(&child), Some(0));
}

pub fn errors_name_the_program() {
    let before = descriptors();
    let signals = open(TERM_AND_USR1);
    let null = || File::open("/dev/null").expect("/dev/null");
    for program in ["/nonexistent/program", "no-such-program-anywhere"] {
        let error = Spawn::new(program).stdin(null()).spawn().expect_err("no such program");
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        assert!(error.to_string().contains(program), "{error}");
        std::error::Error::source(&error).expect("what the system said");
    }
    let error = Spawn::new("/").spawn().expect_err("a directory");
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    let error = Spawn::new("true").current_dir("/nonexistent").spawn().expect_err("no directory");
    assert!(error.to_string().contains("directory /nonexistent"), "{error}");
    let error = Spawn::new("true").arg("a\0b").spawn().expect_err("no string of C's");
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    let error = Spawn::new("true").process_group(-1).spawn().expect_err("no group");
    assert!(error.to_string().starts_with("true: "), "{error}");
    receives(&signals);
    drop(signals);
    assert_eq!(descriptors(), before);
    // No child is left behind.
    // SAFETY: writes nothing.
    assert_eq!(unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) }, -1);
}

pub fn files_for_0_1_and_2() {
    let [(input, mut to), (mut from_1, output), (mut from_2, errors)] =
        [(); 3].map(|()| UnixStream::pair().expect("a pipe"));
    let before = descriptors();
    let mut spawn = like(&role("tells", &["files"]));
    spawn.stdin(input).stdout(output).stderr(errors);
    let child = spawn.spawn().expect("it starts");
    drop(spawn);
    let pidfds = usize::from(child.pidfd().is_some());
    assert_eq!(descriptors(), before - 3 + pidfds, "the builder had them");
    to.write_all(b"hello").expect("the child reads");
    drop(to);
    let (mut one, mut two) = (String::new(), String::new());
    from_1.read_to_string(&mut one).expect("text");
    from_2.read_to_string(&mut two).expect("text");
    assert_eq!(wait(&child), Some(0));
    assert!(one.starts_with(r#"["files"]"#), "{one}");
    assert_eq!(two, "read \"hello\"\n");
}

/// In a process that has closed its own 0, 1 and 2, what it opens gets these numbers.
pub fn files_that_are_0_1_and_2_themselves() {
    let (mut result, to_result) = UnixStream::pair().expect("a pipe");
    let child = fork(|| {
        let mut to_result = to_result.try_clone().expect("a copy");
        (0..3).for_each(|fd| {
            // SAFETY: nothing of this child uses them from here on.
            unsafe { libc::close(fd) };
        });
        // 0 and 1, then 2: the child gets each as another number.
        let (mut reader, writer) = UnixStream::pair().expect("a pipe");
        let path = CString::new(Path::new("/dev/null").as_os_str().as_bytes()).expect("a path");
        // SAFETY: opens a file.
        let null = unsafe { libc::open(path.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) };
        assert_eq!(null, 2);
        // SAFETY: a new descriptor, which has no other owner.
        let null = unsafe { OwnedFd::from_raw_fd(null) };
        let mut spawn = like(&role("tells", &["swapped"]));
        spawn.stdin(null.try_clone().expect("a copy")).stdout(null).stderr(writer);
        let child = spawn.spawn().expect("it starts");
        drop(spawn);
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("text");
        let code = wait(&child);
        to_result.write_all(format!("{code:?} {text}").as_bytes()).expect("written");
        // SAFETY: ends the child, past whatever would write to what is closed.
        unsafe { libc::_exit(0) };
    });
    drop(to_result);
    let mut text = String::new();
    result.read_to_string(&mut text).expect("text");
    assert_eq!(text, "Some(0) read \"\"\n");
    crate::harness::wait(child);
}

/// Where the child is to ignore CHLD. With a receiver of it, children can be waited for.
pub fn the_same_by_fork() {
    set_ignored(Signal::CHLD);
    let signals = open(Signal::CHLD);
    arguments_and_environment();
    in_a_directory();
    looked_for_in_path();
    errors_name_the_program();
    files_for_0_1_and_2();
    in_a_group();
    drop(signals);
}

pub fn in_a_group() {
    let group = |pid: u32| {
        // SAFETY: asks.
        unsafe { libc::getpgid(i32::try_from(pid).expect("a pid")) }
    };
    let end = |child: &Spawned| {
        sends::kill(child.pid(), Signal::KILL).expect("sent");
        let pid = i32::try_from(child.pid()).expect("a pid");
        // SAFETY: writes nothing.
        assert_eq!(unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) }, pid);
    };
    let mut spawn = quiet(role("sleeper", &[]));
    spawn.stdout(File::options().write(true).open("/dev/null").expect("/dev/null"));
    let inherits = spawn.spawn().expect("it starts");
    assert_eq!(group(inherits.pid()), group(pid()));
    let leads = spawn.process_group(0).spawn().expect("it starts");
    assert_eq!(u32::try_from(group(leads.pid())), Ok(leads.pid()));
    let joins = spawn.process_group(group(leads.pid())).spawn().expect("it starts");
    assert_eq!(group(joins.pid()), group(leads.pid()));
    [inherits, leads, joins].iter().for_each(end);
}

/// As a supervisor does: each child's end is a CHLD, and its number is its own until it is waited for.
pub fn reaped_by_pid_and_seen_by_pidfd() {
    let signals = open(Signal::CHLD);
    let children: Vec<_> = (0..5).map(|_| Spawn::new("true").spawn().expect("it starts")).collect();
    for child in children {
        if cfg!(target_os = "linux") {
            crate::harness::readable(&child.pidfd().expect("a pidfd"));
        }
        assert_eq!(wait(&child), Some(0));
        if cfg!(target_os = "linux") {
            let pidfd = child.into_pidfd().expect("a pidfd");
            // SAFETY: asks for the flags.
            let flags =
                unsafe { libc::fcntl(std::os::fd::AsRawFd::as_raw_fd(&pidfd), libc::F_GETFD) };
            assert_eq!(flags, libc::FD_CLOEXEC);
        }
    }
    assert_eq!(signals.recv().expect("recv").signal(), Signal::CHLD);
}

/// A child that was never to be waited for has a pid and no more.
pub fn where_children_are_ignored() {
    set_ignored(Signal::CHLD);
    let child = Spawn::new("true").spawn().expect("it starts");
    eventually("it has gone", || wait(&child).is_none());
    let error = Spawn::new("/nonexistent/program").spawn().expect_err("no such program");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    Spawn::new("true").current_dir("/nonexistent").spawn().expect_err("no such directory");
}

pub fn nothing_acts_meanwhile() {
    set_counting(Signal::TERM);
    let signals = open(TERM_AND_USR1);
    send(Signal::TERM);
    for _ in 0..20 {
        let child = Spawn::new("true").spawn().expect("it starts");
        assert_eq!(wait(&child), Some(0));
    }
    assert_eq!(hits(Signal::TERM), 0);
    assert_eq!(received(&signals), [Signal::TERM]);
    in_fork(|| {
        let child = Spawn::new("true").spawn().expect("it starts");
        assert_eq!(wait(&child), Some(0));
    });
}

pub fn with_a_piped_standard_library() {
    let mut cat =
        Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("cat");
    let mut spawn = like(&role("tells", &["piped"]));
    let null = || File::open("/dev/null").expect("/dev/null");
    let to_cat = OwnedFd::from(cat.stdin.take().expect("a pipe"));
    let child = spawn.stdin(null()).stdout(to_cat).spawn().expect("it starts");
    drop(spawn);
    assert_eq!(wait(&child), Some(0));
    let text = std::io::read_to_string(cat.stdout.take().expect("a pipe")).expect("text");
    assert!(text.starts_with(r#"["piped"]"#), "{text}");
    assert!(cat.wait().expect("wait").success());
}
