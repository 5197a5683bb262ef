//! What a hub costs a program for signals that are none of its own.

use std::fs;
use std::sync::{Arc, Barrier};
use std::thread;

use crate::harness::{hits, raise, send, set_counting};
use crate::{blocking, hub, next, runtime, start_waiting, subscribe};
use signal_source::Signal;

/// How often the threads of this process have gone to sleep, the calling one left out.
fn sleeps_of_others() -> u64 {
    let own = format!("{}", nix::unistd::gettid());
    let tasks = fs::read_dir("/proc/self/task").expect("/proc");
    let of_task = |task: fs::DirEntry| {
        if task.file_name().to_string_lossy() == own {
            return 0;
        }
        let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        count.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
    };
    tasks.map(|task| of_task(task.expect("a task"))).sum()
}

// Linux wakes every waiter of a signalfd for every signal of the process.
pub fn a_signal_of_another_wakes_one_thread_at_most() {
    const SIGNALS: usize = 200;
    set_counting(Signal::USR2);
    let hub = hub(Signal::USR1);
    let all_wait = Arc::new(Barrier::new(17));
    let threads: Vec<_> = (0..16)
        .map(|_| {
            let (mut subscriber, all_wait) = (subscribe(&hub, Signal::USR1), all_wait.clone());
            thread::spawn(move || {
                runtime().block_on(async {
                    start_waiting(&mut subscriber).await;
                    all_wait.wait();
                    next(&mut subscriber).await
                })
            })
        })
        .collect();
    all_wait.wait();
    thread::sleep(std::time::Duration::from_millis(50)); // they settle, or the count is too high
    let before = sleeps_of_others();
    for _ in 0..SIGNALS {
        raise(Signal::USR2);
        thread::yield_now();
    }
    thread::sleep(std::time::Duration::from_millis(50));
    let sleeps = sleeps_of_others() - before;
    assert_eq!(hits(Signal::USR2), SIGNALS);
    assert!(sleeps <= SIGNALS as u64 + 32, "{sleeps} wake-ups for {SIGNALS} signals");
    send(Signal::USR1);
    threads.into_iter().for_each(|thread| assert_eq!(thread.join().expect("ok"), Signal::USR1));
    let mut last = subscribe(&hub, Signal::USR1);
    send(Signal::USR1);
    blocking(&mut last);
}
