//! The delegate thread: where signals act that their own thread can't be made to let in.
//!
//! A thread's mask is its own. If a receiver is dropped on another thread than the one that opened
//! it, the opener still blocks, and a signal might find no thread to act on: Ctrl-C would be dead.
//! So a thread of this crate's own, which blocks everything else and does nothing, lets it in. It
//! is started when first needed; programs that drop where they opened never see it.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use nix::libc;
use nix::sys::signal::SigSet;

use super::audit::own_tid;
use crate::SignalSet;

/// The way to the thread.
pub(super) struct Delegate {
    pub(super) tid: u32,
    /// What it lets in.
    unblocked: SignalSet,
    requests: Sender<SignalSet>,
    done: Receiver<()>,
}

impl Delegate {
    /// Starts the thread, with everything blocked.
    pub(super) fn start() -> io::Result<Delegate> {
        let (requests, incoming) = channel::<SignalSet>();
        let (answers, done) = channel();
        let (tell_tid, tid) = channel();
        // The new thread inherits the full mask: no signal acts there before it is told to.
        let mask = SigSet::thread_get_mask()?;
        SigSet::all().thread_set_mask()?;
        let started = thread::Builder::new().name("signal-source".into()).spawn(move || {
            let _ = tell_tid.send(own_tid());
            for unblocked in incoming {
                // What is pending acts before this returns.
                let done = all_but(unblocked).thread_set_mask();
                debug_assert_eq!(done, Ok(()));
                let _ = answers.send(());
            }
        });
        mask.thread_set_mask()?;
        started?;
        let tid = tid.recv().map_err(io::Error::other)?;
        Ok(Delegate { tid, unblocked: SignalSet::EMPTY, requests, done })
    }

    /// Makes the thread let in exactly `set`, and waits until it does.
    pub(super) fn let_in(&mut self, set: SignalSet) {
        if set != self.unblocked {
            self.unblocked = set;
            let asked = self.requests.send(set);
            let answered = self.done.recv();
            debug_assert!(asked.is_ok() && answered.is_ok(), "the delegate thread never ends");
        }
    }
}

/// Every signal but those of the set.
fn all_but(set: SignalSet) -> SigSet {
    let mut raw = *SigSet::all().as_ref();
    for signal in set {
        // SAFETY: `raw` is an initialised set, and a refused number changes nothing.
        unsafe { libc::sigdelset(&mut raw, signal.as_raw()) };
    }
    // SAFETY: `raw` is an initialised set.
    unsafe { SigSet::from_sigset_t_unchecked(raw) }
}
