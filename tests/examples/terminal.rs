//! `watch` in a terminal: what the line discipline makes of keys, and a shell's job control.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::libc;
use nix::pty::{OpenptyResult, openpty};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpgrp, setsid, tcsetpgrp};
use rustix::io::{FdFlags, fcntl_setfd};
use signal_source::{Signal, send};

use crate::harness;
use crate::harness::kernel::KERNEL;
use crate::harness::{role, set_ignored, signed};

const CTRL_C: &[u8] = b"\x03";
const CTRL_Z: &[u8] = b"\x1a";
const CTRL_BACKSLASH: &[u8] = b"\x1c";

/// A terminal with a shell that runs `watch` in the foreground.
struct Terminal {
    /// The keyboard and the screen.
    screen: File,
    /// What is on the screen and was not looked at yet.
    unseen: Vec<u8>,
    shell: Child,
    /// What the shell says, elsewhere than on the screen.
    says: BufReader<ChildStdout>,
}

impl Terminal {
    fn open(arguments: &[&str]) -> Terminal {
        let OpenptyResult { master, slave } = openpty(None, None).expect("a terminal");
        // What the children do not hold hangs up when it is dropped here.
        fcntl_setfd(&master, FdFlags::CLOEXEC).expect("fcntl");
        let mut shell = role("shell", arguments);
        let mut shell = shell.stdin(slave).stdout(Stdio::piped()).spawn().expect("a shell starts");
        let says = BufReader::new(shell.stdout.take().expect("piped"));
        let mut terminal = Terminal { screen: File::from(master), unseen: Vec::new(), shell, says };
        assert_eq!(terminal.line().as_deref(), Some("foreground"));
        terminal
    }

    fn press(&mut self, key: &[u8]) {
        self.screen.write_all(key).expect("a key");
    }

    /// Waits until the text appears; `false` if the terminal is closed before.
    fn shows(&mut self, text: &str) -> bool {
        loop {
            let windows = self.unseen.windows(text.len());
            if let Some(at) = windows.into_iter().position(|window| window == text.as_bytes()) {
                self.unseen.drain(..at + text.len());
                return true;
            }
            let mut buffer = [0; 1024];
            match self.screen.read(&mut buffer) {
                // Linux says EIO when no process has the terminal open any more.
                Ok(0) | Err(_) => return false,
                Ok(count) => self.unseen.extend(&buffer[..count]),
            }
        }
    }

    /// The next line of the shell.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.says.read_line(&mut line).expect("the shell's line");
        line.pop().map(|_| line)
    }
}

/// Role: a shell with one job. Its standard input is the terminal; the job is `watch`, on that
/// terminal, or, after "elsewhere", with its standard output where the shell's is. A job that is
/// stopped is brought to the foreground again.
pub fn shell(arguments: &[String]) {
    let terminal = io::stdin().as_fd().try_clone_to_owned().expect("the terminal");
    setsid().expect("a session");
    // `_`: the systems number their requests in different types.
    // SAFETY: makes the terminal this session's own.
    let taken = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSCTTY as _, 0) };
    assert_eq!(taken, 0, "{}", io::Error::last_os_error());

    let screen = || Stdio::from(terminal.try_clone().expect("dup"));
    let elsewhere = arguments.first().is_some_and(|first| first == "elsewhere");
    let mut job = Command::new(harness::example("watch"));
    job.stderr(screen()).process_group(0);
    // It reads nothing. What the shell says ends when both have ended.
    job.stdin(io::stdout().as_fd().try_clone_to_owned().expect("dup"));
    if !elsewhere {
        job.stdout(screen());
    }
    let job = signed(job.spawn().expect("a job").id());
    set_ignored(Signal::TTOU); // from the background, too, a shell gives the terminal to its jobs
    give(&terminal, job);
    println!("foreground");
    loop {
        match waitpid(Pid::from_raw(job), Some(WaitPidFlag::WUNTRACED)).expect("waitpid") {
            WaitStatus::Stopped(_, by) => {
                give(&terminal, getpgrp().as_raw());
                println!("stopped by {by}");
                give(&terminal, job);
                send::kill(job.unsigned_abs(), Signal::CONT).expect("kill");
            }
            WaitStatus::Signaled(_, by, _) => break println!("killed by {by}"),
            other => break println!("{other:?}"),
        }
    }
}

fn give(terminal: &OwnedFd, group: i32) {
    tcsetpgrp(terminal, Pid::from_raw(group)).expect("the terminal's foreground");
}

pub fn watch_in_a_terminal_shows_keys_and_size() {
    let mut terminal = Terminal::open(&[]);
    assert!(terminal.shows(" ends it."));
    terminal.press(CTRL_C);
    assert!(terminal.shows("SIGINT"));
    terminal.press(CTRL_BACKSLASH);
    assert!(terminal.shows("SIGQUIT"));
    let size = libc::winsize { ws_row: 40, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: reads the size.
    let set = unsafe { libc::ioctl(terminal.screen.as_raw_fd(), libc::TIOCSWINSZ as _, &size) };
    assert_eq!(set, 0, "{}", io::Error::last_os_error());
    assert!(terminal.shows("SIGWINCH"));
    if KERNEL.sender {
        assert!(terminal.shows("kernel"));
    }
}

// origin: Go, TestTerminalSignal (G17): stopped by Ctrl-Z, continued, and the wait goes on
pub fn watch_in_a_terminal_stops_and_continues() {
    let mut terminal = Terminal::open(&[]);
    assert!(terminal.shows(" ends it."));
    for _ in 0..3 {
        terminal.press(CTRL_Z);
        assert!(terminal.shows("SIGTSTP"));
        assert_eq!(terminal.line().as_deref(), Some("stopped by SIGTSTP"));
        assert!(!KERNEL.cont || terminal.shows("SIGCONT"));
        terminal.press(CTRL_BACKSLASH);
        assert!(terminal.shows("SIGQUIT"));
    }
}

pub fn watch_in_a_terminal_ends_at_the_second_ctrl_c() {
    let mut terminal = Terminal::open(&[]);
    assert!(terminal.shows(" ends it."));
    terminal.press(CTRL_C);
    while terminal.shows("SIGINT") {
        terminal.press(CTRL_C);
    }
    assert_eq!(terminal.line().as_deref(), Some("killed by SIGINT"));
}

pub fn watch_ends_when_its_terminal_hangs_up() {
    for arguments in [&[][..], &["elsewhere"]] {
        let mut terminal = Terminal::open(arguments);
        assert!(terminal.shows(" ends it."));
        let Terminal { screen, mut shell, mut says, .. } = terminal;
        drop(screen);
        // The shell is killed; what it and the job said last is read up to the end of both.
        shell.wait().expect("wait");
        let mut last = String::new();
        says.read_to_string(&mut last).expect("the pipe");
        assert_eq!(last.contains("SIGHUP"), !arguments.is_empty(), "{last}");
    }
}
