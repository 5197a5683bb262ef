//! tokio's runtime, as most cases want it.

use tokio::runtime::{Builder, Runtime};

/// A runtime on the calling thread.
pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}
