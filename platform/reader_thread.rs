//! Starting a thread that lets in no signal.

use std::io;
use std::thread;

use nix::sys::signal::SigSet;

/// Starts a thread that blocks every signal from its first instruction on.
pub(crate) fn start_blocking_all(
    name: &str,
    run: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    // The new thread inherits the full mask, so that no signal acts there in between.
    let mask = SigSet::thread_get_mask()?;
    SigSet::all().thread_set_mask()?;
    let started = thread::Builder::new().name(name.into()).spawn(run);
    mask.thread_set_mask()?;
    started.map(drop)
}
