//! Threads, and waiting.

use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::deadline;

/// Waits, with the deadline, until the condition holds.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + deadline();
    while !holds() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// A thread that does what it is told, one thing after the other.
pub struct Worker {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

type Job = Box<dyn FnOnce() + Send>;

impl Worker {
    /// Returns when the thread runs, since only then has it its name.
    pub fn start(name: &str) -> Worker {
        let (jobs, incoming) = channel::<Job>();
        let work = move || incoming.into_iter().for_each(|job| job());
        let thread = thread::Builder::new().name(name.into()).stack_size(64 * 1024).spawn(work);
        let worker = Worker { jobs: Some(jobs), thread: Some(thread.expect("a thread")) };
        worker.run(|| ());
        worker
    }

    /// Runs `job` on the thread and returns what it returned.
    pub fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
        let (answer, answered) = channel();
        let job: Job = Box::new(move || answer.send(job()).expect("the caller waits"));
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

/// How many threads of this process have the name, as the kernel shows it.
#[cfg(target_os = "linux")]
pub fn threads_named(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("/proc").flatten();
    let names = tasks.map(|task| std::fs::read_to_string(task.path().join("comm")));
    names.flatten().filter(|found| found.trim_end() == name).count()
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
