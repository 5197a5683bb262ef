//! The workers.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use rustix::process::WaitOptions;
use signal_source::Signal;
use signal_source::process::Spawn;

use super::{Options, say};

pub struct Pool {
    options: Options,
    program: OsString,
    arguments: Vec<OsString>,
    workers: Vec<Worker>,
    stop: Option<Stop>,
    /// The first process of a container: whatever loses its parent becomes its child.
    is_first: bool,
    has_children: bool,
}

struct Worker {
    state: State,
    /// How long to wait before it is started again, should it end soon.
    pause: Duration,
}

enum State {
    /// The pid is ours until we have waited for it: no other process can get it.
    Running {
        pid: Pid,
        since: Instant,
    },
    Due(Instant),
    Over,
}

struct Stop {
    signal: Signal,
    /// When to kill; `None` once that is done.
    deadline: Option<Instant>,
}

impl Pool {
    /// A pool of workers that are all to be started at once.
    pub fn new(options: Options) -> io::Result<Pool> {
        let (program, arguments) = match options.command.split_first() {
            Some((program, arguments)) => (program.clone(), arguments.to_vec()),
            None => options.demo.command()?,
        };
        let worker = || Worker { state: State::Due(Instant::now()), pause: options.pause };
        Ok(Pool {
            program,
            arguments,
            workers: (0..options.workers).map(|_| worker()).collect(),
            stop: None,
            is_first: std::process::id() == 1,
            has_children: false,
            options,
        })
    }

    /// Waits for every child that has ended, without waiting for one to end.
    pub fn reap(&mut self) -> io::Result<()> {
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    self.ended(pid.as_raw_nonzero().get(), ExitStatus::from_raw(status.as_raw()));
                }
                Ok(None) => break self.has_children = true,
                Err(rustix::io::Errno::CHILD) => break self.has_children = false,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn ended(&mut self, child: i32, status: ExitStatus) {
        let stopping = self.stop.is_some();
        let longest = self.options.longest_pause;
        for (number, worker) in self.workers.iter_mut().enumerate() {
            match worker.state {
                State::Running { pid, since } if pid.as_raw() == child => {
                    say!("worker {number} (pid {child}) ended: {status}");
                    if since.elapsed() >= longest {
                        worker.pause = self.options.pause;
                    }
                    worker.state = State::Over;
                    if !stopping {
                        worker.put_off(number, longest);
                    }
                    return;
                }
                _ => {}
            }
        }
        say!("orphan (pid {child}) ended: {status}");
    }

    /// Does what is due: starts workers, kills what has not stopped.
    pub fn on_time(&mut self, now: Instant) {
        if let Some(Stop { deadline, .. }) = &mut self.stop {
            if deadline.is_some_and(|deadline| deadline <= now) {
                *deadline = None;
                self.kill();
            }
            return;
        }
        let longest = self.options.longest_pause;
        for number in 0..self.workers.len() {
            if !matches!(self.workers[number].state, State::Due(time) if time <= now) {
                continue;
            }
            let started = self.start();
            let worker = &mut self.workers[number];
            match started {
                Ok(pid) => {
                    say!("worker {number} (pid {pid}) started");
                    worker.state = State::Running { pid, since: Instant::now() };
                }
                Err(error) => {
                    say!("worker {number}: {:?} does not start: {error}", self.program);
                    worker.put_off(number, longest);
                }
            }
        }
    }

    fn start(&self) -> io::Result<Pid> {
        let child = Spawn::new(&self.program)
            .args(&self.arguments)
            // A group of its own: Ctrl-C comes to the supervisor alone, and a worker can be killed
            // with whatever it has started.
            .process_group(0)
            .spawn()?;
        // The pid is enough: `reap` waits for all children.
        Ok(Pid::from_raw(child.pid().try_into().map_err(io::Error::other)?))
    }

    /// When something is due; `None` if only a signal can bring news.
    pub fn next_deadline(&self) -> Option<Instant> {
        let due = self.workers.iter().filter_map(|worker| match worker.state {
            State::Due(time) => Some(time),
            _ => None,
        });
        due.chain(self.stop.as_ref().and_then(|stop| stop.deadline)).min()
    }

    /// Hands a signal on to the workers.
    pub fn forward(&self, signal: Signal) {
        for pid in self.running() {
            send(pid, signal);
        }
    }

    /// Asks all to terminate; the second time, kills them.
    pub fn stop(&mut self, signal: Signal) {
        if let Some(stop) = &mut self.stop {
            stop.deadline = Some(Instant::now());
            return;
        }
        let deadline = Instant::now().checked_add(self.options.grace);
        self.stop = Some(Stop { signal, deadline });
        for worker in &mut self.workers {
            if let State::Due(_) = worker.state {
                worker.state = State::Over;
            }
        }
        if self.is_first {
            send(EVERYONE, Signal::TERM);
        } else {
            self.forward(Signal::TERM);
        }
    }

    fn kill(&self) {
        if self.is_first {
            send(EVERYONE, Signal::KILL);
        }
        for pid in self.running() {
            say!("worker (pid {pid}) has not stopped: killed");
            send(Pid::from_raw(-pid.as_raw()), Signal::KILL); // its group
        }
    }

    fn running(&self) -> impl Iterator<Item = Pid> {
        self.workers.iter().filter_map(|worker| match worker.state {
            State::Running { pid, .. } => Some(pid),
            _ => None,
        })
    }

    /// The signal that began the stop, once it is complete.
    pub fn stopped_by(&self) -> Option<Signal> {
        let left = self.running().next().is_some() || (self.is_first && self.has_children);
        self.stop.as_ref().filter(|_| !left).map(|stop| stop.signal)
    }
}

impl Worker {
    /// Has it started again after its pause, which doubles.
    fn put_off(&mut self, number: usize, longest: Duration) {
        say!("worker {number} starts again in {:?}", self.pause);
        self.state = State::Due(Instant::now() + self.pause);
        self.pause = self.pause.saturating_mul(2).min(longest);
    }
}

/// Every process that there is but this one (`kill(2)`); meant for the first process alone.
const EVERYONE: Pid = Pid::from_raw(-1);

fn send(to: Pid, signal: Signal) {
    let named = nix::sys::signal::Signal::try_from(signal.as_raw());
    match named.and_then(|signal| kill(to, signal)) {
        // ESRCH: there is no such process any more.
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => say!("{signal} to {to}: {error}"),
    }
}
