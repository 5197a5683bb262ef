//! A terminal with a shell in it, whose one job is a program.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use nix::libc;
use nix::pty::{OpenptyResult, openpty};
use nix::sys::signal::{SigSet, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpgrp, setsid, tcsetpgrp};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use signal_source::Signal;

use crate::harness::{role, set_ignored, signed};

pub const CTRL_C: &[u8] = b"\x03";
pub const CTRL_Z: &[u8] = b"\x1a";
pub const CTRL_BACKSLASH: &[u8] = b"\x1c";

/// A new terminal: its other end, which this process alone has, and itself.
pub fn pty() -> (File, OwnedFd) {
    let OpenptyResult { master, slave } = openpty(None, None).expect("a terminal");
    // What the children do not hold hangs up when it is dropped here.
    for end in [&master, &slave] {
        fcntl_setfd(end, FdFlags::CLOEXEC).expect("fcntl");
    }
    (File::from(master), slave)
}

/// Makes the terminal that of this process, the first of a session.
pub fn take_terminal(terminal: &impl AsRawFd) -> io::Result<()> {
    setsid()?;
    // `_`: the systems number their requests in different types.
    // SAFETY: makes the terminal this session's own.
    match unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSCTTY as _, 0) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Has the program play a role, should it be this binary or start it.
pub fn with_role<'a>(command: &'a mut Command, name: &str) -> &'a mut Command {
    for (key, value) in role(name, &[]).get_envs() {
        command.env(key, value.expect("set"));
    }
    command
}

/// A terminal with a shell that runs one job in the foreground.
pub struct Terminal {
    /// The keyboard and the screen.
    screen: File,
    /// What is on the screen and was not looked at yet.
    unseen: Vec<u8>,
    shell: Child,
    says: BufReader<ChildStdout>,
    orders: ChildStdin,
    /// The job's first process.
    pub job: u32,
}

impl Terminal {
    /// Runs the program with the arguments; this binary would play the role there.
    pub fn run(plays: &str, job: &[&str]) -> Terminal {
        let (screen, slave) = pty();
        let mut shell = role("job_shell", &[&[plays], job].concat());
        let shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(slave);
        let mut shell = shell.spawn().expect("a shell starts");
        let says = BufReader::new(shell.stdout.take().expect("piped"));
        let orders = shell.stdin.take().expect("piped");
        let mut terminal = Terminal { screen, unseen: Vec::new(), shell, says, orders, job: 0 };
        let line = terminal.line();
        let pid = line.strip_prefix("foreground ").and_then(|pid| pid.parse().ok());
        terminal.job = pid.unwrap_or_else(|| panic!("{line:?}"));
        terminal
    }

    pub fn press(&mut self, key: &[u8]) {
        self.screen.write_all(key).expect("a key");
    }

    /// What appears up to the end of the text, which must appear.
    #[track_caller]
    pub fn until(&mut self, text: &str) -> String {
        loop {
            let windows = self.unseen.windows(text.len());
            if let Some(at) = windows.into_iter().position(|window| window == text.as_bytes()) {
                let seen: Vec<u8> = self.unseen.drain(..at + text.len()).collect();
                return String::from_utf8_lossy(&seen).into_owned();
            }
            let mut buffer = [0; 1024];
            match self.screen.read(&mut buffer) {
                Ok(count @ 1..) => self.unseen.extend(&buffer[..count]),
                // Linux says EIO when no process has the terminal open any more.
                ended => panic!(
                    "{ended:?} instead of {text:?} after {:?}",
                    String::from_utf8_lossy(&self.unseen)
                ),
            }
        }
    }

    pub fn resize(&self, rows: u16, columns: u16) {
        let size = libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: reads the size.
        let set = unsafe { libc::ioctl(self.screen.as_raw_fd(), libc::TIOCSWINSZ as _, &size) };
        assert_eq!(set, 0, "{}", io::Error::last_os_error());
    }

    /// Whether keys are made into lines, as a shell leaves its terminal.
    pub fn is_cooked(&self) -> bool {
        let modes = tcgetattr(&self.screen).expect("the terminal's attributes").local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// Has keys made into lines, as a shell does when its job has stopped.
    pub fn cook(&self) {
        let mut attributes = tcgetattr(&self.screen).expect("the terminal's attributes");
        attributes.local_modes |= LocalModes::ICANON | LocalModes::ECHO;
        tcsetattr(&self.screen, OptionalActions::Now, &attributes).expect("attributes");
    }

    /// The next line of the shell, which must be this.
    #[track_caller]
    pub fn says(&mut self, line: &str) {
        assert_eq!(self.line(), line);
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.says.read_line(&mut line).expect("the shell's line");
        line.trim_end().to_owned()
    }

    /// The shell continues its job, in the foreground.
    pub fn fg(&mut self) {
        writeln!(self.orders, "fg").expect("the shell waits");
    }

    /// The shell continues its job, in the background.
    pub fn bg(&mut self) {
        writeln!(self.orders, "bg").expect("the shell waits");
    }

    /// Waits until the shell and its job have ended.
    pub fn close(mut self) {
        drop(self.orders);
        self.shell.wait().expect("wait");
    }
}

/// Makes the group of this process the terminal's foreground.
fn take_foreground(terminal: &OwnedFd) -> io::Result<()> {
    let mut ttou = SigSet::empty();
    ttou.add(nix::sys::signal::SIGTTOU); // what a process in the background gets for it
    ttou.thread_block()?;
    tcsetpgrp(terminal, getpgrp())?;
    Ok(ttou.thread_unblock()?)
}

/// Role: a shell with one job, in a terminal that is its standard error. It says how the job
/// stopped, continues it when told to, and says how it ended.
pub fn job_shell(arguments: &[String]) {
    let [plays, program, arguments @ ..] = arguments else { panic!("no job: {arguments:?}") };
    let terminal = std::os::fd::AsFd::as_fd(&io::stderr()).try_clone_to_owned().expect("dup");
    take_terminal(&terminal).expect("a terminal");
    let screen = || Stdio::from(terminal.try_clone().expect("dup"));
    let mut job = Command::new(program);
    job.args(arguments).stdin(screen()).stdout(screen()).stderr(screen()).process_group(0);
    let own = terminal.try_clone().expect("dup");
    // As shells do: what the program does first, it does in the foreground.
    // SAFETY: system calls alone.
    unsafe { job.pre_exec(move || take_foreground(&own)) };
    #[allow(clippy::zombie_processes)] // the loop waits
    let job = with_role(&mut job, plays).spawn().expect("a job");
    let job = Pid::from_raw(signed(job.id()));
    set_ignored(Signal::TTOU); // from the background, too, a shell gives the terminal to its jobs
    let give = |group| tcsetpgrp(&terminal, group).expect("the terminal's foreground");
    println!("foreground {job}");
    let mut orders = io::stdin().lines();
    loop {
        match waitpid(job, Some(WaitPidFlag::WUNTRACED)).expect("waitpid") {
            WaitStatus::Stopped(_, by) => {
                give(getpgrp());
                println!("stopped by {by}");
                match orders.next() {
                    Some(Ok(order)) if order == "fg" => give(job),
                    Some(Ok(_)) => {}
                    _ => break, // the terminal is no longer of interest
                }
                killpg(job, nix::sys::signal::SIGCONT).expect("kill");
            }
            WaitStatus::Signaled(_, by, _) => break println!("killed by {by}"),
            WaitStatus::Exited(_, code) => break println!("exited with {code}"),
            other => panic!("{other:?}"),
        }
    }
}
