//! Where async receivers run.

use std::future::Future;

use tokio::runtime::{Builder, Runtime};

/// A runtime on the calling thread.
pub fn current() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A runtime with workers of its own, as `#[tokio::main]` makes it on two CPUs.
pub fn multi() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// Runs a future as a task, on a worker.
pub fn run_task<F>(future: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    multi().block_on(async { tokio::spawn(future).await.expect("the task") });
}
