//! `Spawn`: a child without a fork.

use std::env;
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{CommandExt as _, find};
use crate::error::Refused;
use crate::platform;

/// Starts a program by `posix_spawn(3)`, with the signal mask and dispositions that it would have if
/// this crate had changed none.
///
/// For programs that start many children, or have much memory: unlike
/// [`restore_signals`](super::CommandExt::restore_signals), which has the standard library fork, this
/// copies no page tables, and takes as long in a process of many gigabytes as in a small one. There is
/// no [`Child`](std::process::Child) in return, but the pid, and on Linux a pidfd.
///
/// What the child starts with is what [`restore_signals`](super::CommandExt::restore_signals) gives it:
/// the calling thread's mask less every signal that this crate has newly blocked, the dispositions
/// without this crate's doing, and `PIPE` at its default, as the standard library has it. In the parent
/// nothing is unblocked and no disposition changed, not for a moment.
///
/// Environment, directory and the descriptors 0, 1 and 2 are inherited unless they are set here. All
/// other descriptors are inherited if they are not close-on-exec; those that Rust opens are. A builder
/// can start as many children as are wanted.
///
/// # Platform notes
///
/// It forks nevertheless, by way of the standard library and `restore_signals`, where what is asked for
/// can't be said otherwise: on Android and iOS; for a directory, where the C library has no
/// `posix_spawn_file_actions_addchdir_np` (glibc before 2.29, macOS before 10.15, OpenBSD); and in a
/// program that was started with `CHLD` ignored, which the child is to ignore too. While it is ignored,
/// no failed child can be waited for, and the standard library panics if one fails by something else
/// than the program or the directory, which are looked for before: a group that does not exist, say.
///
/// # Examples
///
/// ```
/// use std::fs::File;
/// use signal_source::process::Spawn;
/// use signal_source::{Signal, Signals};
///
/// let signals = Signals::new([Signal::TERM, Signal::CHLD])?;
/// let child = Spawn::new("true").arg("--quiet").stdin(File::open("/dev/null")?).spawn()?;
/// while signals.recv()?.signal() != Signal::CHLD {}
/// println!("process {} has ended", child.pid()); // and is to be waited for
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Spawn {
    program: OsString,
    arguments: Vec<OsString>,
    /// What differs from this process' environment, each variable once; `None` is removed.
    environment: Vec<(OsString, Option<OsString>)>,
    is_cleared: bool,
    directory: Option<PathBuf>,
    files: [Option<OwnedFd>; 3],
    group: Option<i32>,
}

impl Spawn {
    /// A program with no arguments. Without a slash in its name it is looked for in the folders of
    /// `PATH`, that of the child's environment where it is set here; with one it is a path, relative to
    /// the child's directory.
    pub fn new(program: impl AsRef<OsStr>) -> Spawn {
        Spawn {
            program: program.as_ref().into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            is_cleared: false,
            directory: None,
            files: [None, None, None],
            group: None,
        }
    }

    /// Adds an argument.
    pub fn arg(&mut self, argument: impl AsRef<OsStr>) -> &mut Spawn {
        self.arguments.push(argument.as_ref().into());
        self
    }

    /// Adds arguments.
    pub fn args<I, S>(&mut self, arguments: I) -> &mut Spawn
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().into()));
        self
    }

    /// Sets a variable of the child's environment.
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Spawn {
        self.change(name.as_ref(), Some(value.as_ref().into()))
    }

    /// Has the child not inherit a variable.
    pub fn env_remove(&mut self, name: impl AsRef<OsStr>) -> &mut Spawn {
        self.change(name.as_ref(), None)
    }

    /// Has the child inherit no variable, and forgets those that were set here.
    pub fn env_clear(&mut self) -> &mut Spawn {
        self.environment.clear();
        self.is_cleared = true;
        self
    }

    /// Sets the child's directory.
    pub fn current_dir(&mut self, directory: impl AsRef<Path>) -> &mut Spawn {
        self.directory = Some(directory.as_ref().into());
        self
    }

    /// Sets the child's standard input: a file, one end of a pipe or of a socket pair. Dropped with
    /// the builder.
    pub fn stdin(&mut self, file: impl Into<OwnedFd>) -> &mut Spawn {
        self.files[0] = Some(file.into());
        self
    }

    /// Sets the child's standard output.
    pub fn stdout(&mut self, file: impl Into<OwnedFd>) -> &mut Spawn {
        self.files[1] = Some(file.into());
        self
    }

    /// Sets the child's standard error.
    pub fn stderr(&mut self, file: impl Into<OwnedFd>) -> &mut Spawn {
        self.files[2] = Some(file.into());
        self
    }

    /// Moves the child into a process group (`setpgid(2)`) before the program starts; 0 is a new one,
    /// of the child's own pid.
    pub fn process_group(&mut self, group: i32) -> &mut Spawn {
        self.group = Some(group);
        self
    }

    /// Starts a child.
    ///
    /// # Errors
    ///
    /// If there is no such program, directory or group, or no right to it; what `posix_spawn(3)`
    /// reports. The message names the program, or the directory. There is no child then. The kind is
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if something has a zero byte in it, which C's
    /// strings can't have.
    pub fn spawn(&self) -> io::Result<Spawned> {
        let named = |error| match &self.directory {
            Some(directory) if !directory.is_dir() => {
                Refused::wrap(format!("the directory {}", directory.display()), error)
            }
            _ => Refused::wrap(self.program.to_string_lossy().into_owned(), error),
        };
        let pid = match self.posix_spawn().map_err(named)? {
            Some(pid) => pid,
            None => self.fork().map_err(named)?,
        };
        let number = u32::try_from(pid).map_err(io::Error::other)?;
        Ok(Spawned { pid: number, pidfd: platform::pidfd(pid) })
    }

    /// `None` if that can't be done in this way.
    fn posix_spawn(&self) -> io::Result<Option<i32>> {
        let program = self.program()?;
        let program = c_string(program.as_ref().map_or(&self.program, |path| path.as_os_str()))?;
        let mut arguments = vec![c_string(&self.program)?];
        for argument in &self.arguments {
            arguments.push(c_string(argument)?);
        }
        let environment = self.environment()?;
        let directory =
            self.directory.as_ref().map(|path| c_string(path.as_os_str())).transpose()?;
        platform::posix_spawn(&platform::Request {
            program: &program,
            is_looked_for: !self.has_path_of_its_own(),
            arguments: &arguments,
            environment: &environment,
            directory: directory.as_deref(),
            files: self.files.each_ref().map(|file| file.as_ref().map(AsFd::as_fd)),
            group: self.group,
        })
    }

    /// By the standard library, as if this builder were its.
    fn fork(&self) -> io::Result<i32> {
        let mut command = self.command();
        Spawn::look_for_program(&command)?;
        if let Some(directory) = &self.directory {
            if !directory.metadata()?.is_dir() {
                return Err(io::ErrorKind::NotADirectory.into());
            }
        }
        let files: [_; 3] = self.files.each_ref().map(|file| file.as_ref().map(OwnedFd::try_clone));
        let [stdin, stdout, stderr] = files;
        if let Some(file) = stdin.transpose()? {
            command.stdin(Stdio::from(file));
        }
        if let Some(file) = stdout.transpose()? {
            command.stdout(Stdio::from(file));
        }
        if let Some(file) = stderr.transpose()? {
            command.stderr(Stdio::from(file));
        }
        command.restore_signals();
        // Nothing is waited for when it is dropped.
        let child = command.spawn()?;
        i32::try_from(child.id()).map_err(io::Error::other)
    }

    /// All but the files.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        if self.is_cleared {
            command.env_clear();
        }
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        if let Some(group) = self.group {
            command.process_group(group);
        }
        command
    }

    fn change(&mut self, name: &OsStr, value: Option<OsString>) -> &mut Spawn {
        self.environment.retain(|(other, _)| other != name);
        self.environment.push((name.into(), value));
        self
    }

    /// As C has it: `name=value`.
    fn environment(&self) -> io::Result<Vec<CString>> {
        let mut all = Vec::new();
        let mut add = |mut variable: OsString, value: &OsStr| {
            variable.push("=");
            variable.push(value);
            c_string(&variable).map(|variable| all.push(variable))
        };
        if !self.is_cleared {
            for (name, value) in env::vars_os() {
                if self.environment.iter().all(|(other, _)| *other != name) {
                    add(name, &value)?;
                }
            }
        }
        for (name, value) in &self.environment {
            if let Some(value) = value {
                add(name.clone(), value)?;
            }
        }
        Ok(all)
    }

    fn has_path_of_its_own(&self) -> bool {
        self.is_cleared || self.environment.iter().any(|(name, _)| name == "PATH")
    }

    /// Where the program is, if `posix_spawnp(3)` would look elsewhere: in this process' `PATH`.
    fn program(&self) -> io::Result<Option<PathBuf>> {
        if !self.has_path_of_its_own() {
            return Ok(None);
        }
        Spawn::look_for_program(&self.command()).map(Some)
    }

    /// The caller's error names the program.
    fn look_for_program(command: &Command) -> io::Result<PathBuf> {
        find(command).map_err(|error| error.kind().into())
    }
}

fn c_string(text: &OsStr) -> io::Result<CString> {
    CString::new(text.as_bytes()).map_err(|_| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("a zero byte in {text:?}"))
    })
}

/// A child that was started: [`Spawn::spawn`]. Dropping it neither waits for the child nor ends it.
///
/// A child that has ended is to be waited for (`waitpid(2)`), by this pid or with all others; until
/// then no other process gets its pid.
#[derive(Debug)]
#[must_use = "a child that has ended is to be waited for"]
pub struct Spawned {
    pid: u32,
    pidfd: Option<OwnedFd>,
}

impl Spawned {
    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// A close-on-exec descriptor of the process, which is readable when it has ended
    /// (`pidfd_open(2)`, Linux since 5.3). `None` elsewhere, and if another thread of this program had
    /// waited for the child before it could be opened.
    pub fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(AsFd::as_fd)
    }

    /// The same, for the caller to keep.
    pub fn into_pidfd(self) -> Option<OwnedFd> {
        self.pidfd
    }
}
