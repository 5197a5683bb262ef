//! tokio's runtime, as most cases want it.

use std::sync::mpsc::channel;

use tokio::runtime::{Builder, Runtime};

/// A runtime on the calling thread.
pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A runtime with that many worker threads of that name, all of which run: only then have they it.
pub fn workers(number: usize, name: &str) -> Runtime {
    let (started, starts) = channel();
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(number).thread_name(name).enable_all();
    builder.on_thread_start(move || {
        // Threads of `spawn_blocking` come when nobody waits any more.
        let _ = started.send(());
    });
    let runtime = builder.build().expect("a runtime");
    (0..number).for_each(|_| starts.recv().expect("a worker"));
    runtime
}
