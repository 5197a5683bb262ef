//! One process a case: what a signal does, it does to the whole process.
//!
//! A test binary speaks libtest's language (`--list`, a filter, `--exact`), but runs each case in a
//! fresh child of itself: on that child's only thread, with default dispositions, an empty mask, a
//! process group of its own, and a deadline that guards against hanging and says nothing about
//! speed. So "the signal must kill the process" is an ordinary expectation.
//!
//! A case that needs another process (a sender, a worker) starts a *role*: the same binary again,
//! with mask and dispositions inherited as any child's.
#![allow(dead_code)] // each test binary uses a part of it
#![allow(unsafe_code)] // handlers, fork and the like; the cases themselves have none
#![allow(unreachable_pub)] // each test binary is a crate of its own

pub mod kernel;

use std::env;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use nix::libc;
use nix::sys::signal::SigSet;
use signal_source::{Signal, SignalSet};

/// Beyond this a case hangs.
const DEADLINE: Duration = Duration::from_secs(180);

/// Names the case to run, in the environment of a child.
const CASE: &str = "SIGNAL_SOURCE_TEST_CASE";

/// Names the role to play, in the environment of a case's child.
const ROLE: &str = "SIGNAL_SOURCE_TEST_ROLE";

/// The exit code of a case that returned although it should not have.
const SURVIVED: i32 = 99;

/// How a case has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The function returns.
    Passes,
    /// The process exits with this code.
    Exits(i32),
    /// The signal kills the process.
    DiesOf(Signal),
}

/// One case.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub name: &'static str,
    pub run: fn(),
    pub end: End,
}

/// A function that a case can run in another process.
#[derive(Clone, Copy, Debug)]
pub struct Role {
    pub name: &'static str,
    pub run: fn(&[String]),
}

/// The cases of a test binary: `cases![opens, is_killed => End::DiesOf(Signal::TERM)]`.
#[macro_export]
macro_rules! cases {
    ($($(#[$cfg:meta])* $name:ident $(=> $end:expr)?),* $(,)?) => {
        &[$($(#[$cfg])* $crate::harness::Case {
            name: stringify!($name),
            run: $name,
            end: $crate::cases!(@end $($end)?),
        }),*]
    };
    (@end) => { $crate::harness::End::Passes };
    (@end $end:expr) => { $end };
}

/// The roles of a test binary: `roles![sender, worker]`.
#[macro_export]
macro_rules! roles {
    ($($(#[$cfg:meta])* $name:ident),* $(,)?) => {
        &[$($(#[$cfg])* $crate::harness::Role { name: stringify!($name), run: $name }),*]
    };
}

/// The `main` of a test binary.
pub fn main(cases: &'static [Case], roles: &'static [Role]) {
    if let Ok(name) = env::var(ROLE) {
        let role = roles.iter().find(|role| role.name == name).expect("a role of this binary");
        (role.run)(&env::args().skip(1).collect::<Vec<_>>());
        return;
    }
    if let Ok(name) = env::var(CASE) {
        run_here(cases.iter().find(|case| case.name == name).expect("a case of this binary"));
    }
    let trials = cases.iter().map(|case| Trial::test(case.name, || run_in_child(case)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}

/// In the child: runs the case on the first and only thread.
fn run_here(case: &Case) -> ! {
    // SAFETY: makes this process the first of a group, which the deadline can end as a whole.
    unsafe { libc::setpgid(0, 0) };
    // SAFETY: no thread of this process reads the environment: there is no other.
    unsafe { env::remove_var(CASE) };
    // Whatever the suite was started with (nohup, a shell's background job) is not the case's.
    SignalSet::all().iter().for_each(set_default);
    set_ignored(Signal::PIPE); // as Rust's runtime does before `main`
    SigSet::empty().thread_set_mask().expect("an empty mask");
    (case.run)();
    let _ = io::stdout().flush();
    std::process::exit(if case.end == End::Passes { 0 } else { SURVIVED });
}

/// Runs the case in a child of its own and judges how it ended.
fn run_in_child(case: &Case) -> Result<(), Failed> {
    let mut command = Command::new(env::current_exe()?);
    command.env(CASE, case.name).env("RUST_BACKTRACE", "0");
    let (end, output) = outcome(&mut command)?;
    let as_expected = match (case.end, end) {
        (_, None) => false,
        (End::Passes, Some(status)) => status.success(),
        (End::Exits(code), Some(status)) => status.code() == Some(code),
        (End::DiesOf(signal), Some(status)) => status.signal() == Some(signal.as_raw()),
    };
    if as_expected {
        return Ok(());
    }
    let end = match end {
        None => "hung, and was killed".into(),
        Some(status) if status.code() == Some(SURVIVED) => "returned".into(),
        Some(status) => status.to_string(),
    };
    Err(format!("expected: {:?}; got: {end}\n{output}", case.end).into())
}

/// Runs a command to its end, or to the deadline, with all that it prints.
fn outcome(command: &mut Command) -> io::Result<(Option<ExitStatus>, String)> {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (stdout, stderr) = (read_all(child.stdout.take()), read_all(child.stderr.take()));
    let status = wait_until(&mut child, Instant::now() + DEADLINE)?;
    // Whatever the case left behind in its group would keep the pipes open.
    // SAFETY: sends a signal; the group is the child's own or already gone.
    unsafe { libc::killpg(signed(child.id()), libc::SIGKILL) };
    if status.is_none() {
        child.kill()?;
        child.wait()?;
    }
    let text = |reader: JoinHandle<String>| reader.join().unwrap_or_default();
    Ok((status, text(stdout) + &text(stderr)))
}

/// Reads a pipe to its end, on a thread of its own.
fn read_all(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut output = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut output);
        }
        String::from_utf8_lossy(&output).into_owned()
    })
}

/// A pid as C has it.
pub fn signed(pid: u32) -> libc::pid_t {
    pid.try_into().expect("a pid")
}

/// Waits for a child; `None` if it has not ended by the deadline.
fn wait_until(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() > deadline {
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// A command that plays a role of this binary.
pub fn role(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env::current_exe().expect("this binary"));
    command.env(ROLE, name).args(arguments);
    command
}

/// Runs a role to its end, which must be a success, and returns what it printed.
pub fn play(name: &str, arguments: &[&str]) -> String {
    let output = role(name, arguments).stderr(Stdio::inherit()).output().expect("a role starts");
    assert!(output.status.success(), "{name}: {}", output.status);
    String::from_utf8(output.stdout).expect("text")
}

/// Waits, with the deadline, until the condition holds.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// This process' pid.
pub fn pid() -> u32 {
    std::process::id()
}

/// Sends a signal to this process.
pub fn send(signal: Signal) {
    signal_source::send::kill(pid(), signal).expect("a process may signal itself");
}

fn set_action(signal: Signal, handler: libc::sighandler_t) {
    // SAFETY: all zeros are a valid action.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = handler;
    // SAFETY: the action ignores, is the default, or a function that only counts.
    let set = unsafe { libc::sigaction(signal.as_raw(), &action, ptr::null_mut()) };
    assert_eq!(set, 0, "the action of {signal}");
}

pub fn set_default(signal: Signal) {
    set_action(signal, libc::SIG_DFL);
}

pub fn set_ignored(signal: Signal) {
    set_action(signal, libc::SIG_IGN);
}

static HITS: [AtomicUsize; 129] = [const { AtomicUsize::new(0) }; 129];

extern "C" fn count(number: libc::c_int) {
    if let Some(hits) = usize::try_from(number).ok().and_then(|number| HITS.get(number)) {
        hits.fetch_add(1, Ordering::SeqCst);
    }
}

/// Installs a handler that counts: [`hits`].
pub fn set_counting(signal: Signal) {
    set_action(signal, count as extern "C" fn(libc::c_int) as libc::sighandler_t);
}

/// How often the counting handler ran.
pub fn hits(signal: Signal) -> usize {
    HITS[usize::try_from(signal.as_raw()).expect("a number")].load(Ordering::SeqCst)
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

/// A thread that does what it is told, one thing after the other.
pub struct Worker {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

type Job = Box<dyn FnOnce() + Send>;

impl Worker {
    pub fn start(name: &str) -> Worker {
        let (jobs, incoming) = channel::<Job>();
        let work = move || incoming.into_iter().for_each(|job| job());
        let thread = thread::Builder::new().name(name.into()).stack_size(64 * 1024).spawn(work);
        Worker { jobs: Some(jobs), thread: Some(thread.expect("a thread")) }
    }

    /// Runs `job` on the thread and returns what it returned.
    pub fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
        let (answer, answered) = channel();
        let job: Job = Box::new(move || answer.send(job()).expect("somebody waits"));
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).expect("the thread runs");
        answered.recv().expect("the job did not panic")
    }
}

/// Ends the thread, and waits for its end.
impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.jobs.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The calling thread's mask, asked of the C library and nobody else.
pub fn raw_mask() -> SignalSet {
    let mask = SigSet::thread_get_mask().expect("a mask");
    // SAFETY: the set is initialised, and a number that does not exist is refused.
    let blocked = |number| unsafe { libc::sigismember(mask.as_ref(), number) } == 1;
    (1..=128).filter(|&number| blocked(number)).filter_map(Signal::from_raw).collect()
}

/// Blocks the set in the calling thread, as a program does that does not use this crate.
pub fn raw_block(set: impl Into<SignalSet>) {
    change_mask(libc::SIG_BLOCK, set.into());
}

/// Unblocks the set in the calling thread, as a program does that does not use this crate.
pub fn raw_unblock(set: impl Into<SignalSet>) {
    change_mask(libc::SIG_UNBLOCK, set.into());
}

fn change_mask(how: libc::c_int, set: SignalSet) {
    let mut raw = *SigSet::empty().as_ref();
    for signal in set {
        // SAFETY: the set is initialised, and a number that does not exist is refused.
        unsafe { libc::sigaddset(&mut raw, signal.as_raw()) };
    }
    // SAFETY: reads an initialised set.
    assert_eq!(unsafe { libc::pthread_sigmask(how, &raw, ptr::null_mut()) }, 0);
}

/// `panic!("on purpose")` prints nothing from now on.
pub fn quiet_panics() {
    let others = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload().downcast_ref() != Some(&"on purpose") {
            others(panic);
        }
    }));
}

/// Waits for a signal that must end this process.
pub fn wait_for_death() -> ! {
    eventually("this process is killed", || false);
    unreachable!("the condition never holds")
}

static EXIT_CODE: AtomicUsize = AtomicUsize::new(0);

extern "C" fn exit(_number: libc::c_int) {
    // Not allowed in a handler, and done in many a program.
    std::process::exit(EXIT_CODE.load(Ordering::SeqCst).try_into().unwrap_or(1))
}

/// Installs a handler that exits with the code, in the way of programs that know no better.
pub fn set_exiting(signal: Signal, code: u8) {
    EXIT_CODE.store(code.into(), Ordering::SeqCst);
    set_action(signal, exit as extern "C" fn(libc::c_int) as libc::sighandler_t);
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

/// Lets no memory be mapped while `run` runs, so that no thread can be started.
#[cfg(target_os = "linux")] // OpenBSD has no such limit, and nobody else a use for it
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

/// Becomes a user without rights; `false` if this process has none to give up.
pub fn become_nobody() -> bool {
    // SAFETY: asks.
    let is_root = unsafe { libc::geteuid() } == 0;
    // SAFETY: changes the user of this process, for good.
    is_root && unsafe { libc::setuid(65534) } == 0
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

/// Reads where there is no memory.
pub fn fault() {
    set_default(Signal::SEGV); // Rust's own handler prints about overflowed stacks
    let page = 4096;
    let (nowhere, private) = (ptr::null_mut(), libc::MAP_PRIVATE | libc::MAP_ANON);
    // SAFETY: new memory, which nobody else uses, and which can't be read.
    let memory = unsafe { libc::mmap(nowhere, page, libc::PROT_NONE, private, -1, 0) };
    assert_ne!(memory, libc::MAP_FAILED);
    // SAFETY: faults, on purpose: the address is mapped and may not be read.
    unsafe { memory.cast::<u8>().read_volatile() };
}

/// Sends a signal to the calling thread.
pub fn raise(signal: Signal) {
    // SAFETY: sending a signal touches no memory of ours.
    assert_eq!(unsafe { libc::raise(signal.as_raw()) }, 0);
}
