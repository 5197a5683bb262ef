//! Stopping by a signal's default action.
//!
//! For a moment the process has the signal's default action, and the calling thread lets in that
//! signal alone, which it has sent to itself. So it is this thread that stops the process, before
//! the call returns, and no handler runs on it meanwhile.

use std::io;

use super::actions::Action;
use super::kernel::{Kernel, Os, Shared, Stop};
use super::process::{Change, locked, locked_anyhow};
use super::{ByDefault, numbers};
use crate::error::Refused;
use crate::{Disposition, Signal, SignalSet};

/// Stops this process by the signal's default action. Returns when the process is continued, or at
/// once if the kernel discards the signal.
pub(crate) fn stop(signal: Signal) -> io::Result<()> {
    if numbers::by_default(signal.as_raw()) != ByDefault::Stops {
        let message = format!("{signal} does not stop a process: TSTP, TTIN, TTOU and STOP do");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let mask = |error| Refused::wrap("pthread_sigmask(3)", error);
    let action = |error| Refused::wrap("sigaction(2)", error);
    locked(&Os, |change| begin(change, signal)).map_err(mask)?.map_err(action)?;
    let stopped = stop_here(signal);
    locked_anyhow(&Os, |change| end(change, signal));
    stopped
}

/// With the default action set.
fn stop_here(signal: Signal) -> io::Result<()> {
    let everything = SignalSet::from_bits(u128::MAX);
    let mask = |error| Refused::wrap("pthread_sigmask(3)", error);
    let before = Os.set_mask(everything).map_err(mask)?;
    // Sent before it is let in: one that another process has sent is pending with it then, and both
    // stop the process once. Directed at this thread: the process stops before the call that lets
    // it in returns; another thread might take it while this one goes on.
    // SAFETY: sending a signal touches no memory of ours.
    let sent = match unsafe { libc::raise(signal.as_raw()) } {
        0 => Ok(()),
        _ => Err(Refused::wrap("raise(3)", io::Error::last_os_error())),
    };
    let stopped = Os.set_mask(everything - signal.into());
    // The first call succeeded, so these do. Handlers of what came meanwhile run here.
    let done = Os.set_mask(before);
    debug_assert!(done.is_ok(), "a mask that was changed can't be put back");
    sent.and(stopped.map(drop).map_err(mask))
}

/// Sets the default action, unless another thread's stop has done so.
fn begin(change: &mut Change<'_, Os>, signal: Signal) -> io::Result<()> {
    let stops = &mut change.state.stops;
    if let Some(stop) = stops.iter_mut().find(|stop| stop.signal == signal) {
        stop.threads += 1;
    } else {
        let earlier = set_default(signal)?;
        stops.push(Stop { signal, threads: 1, earlier });
        // Before anything is sent: a receiver would be told of this crate's own signal.
        change.state.backend.pause(signal);
    }
    // A receiver that is opened on another thread waits until this one blocks the signal again.
    change.own.unblocking.insert(signal.into());
    Ok(())
}

/// Sets the default action and returns the earlier one, if that was another.
fn set_default(signal: Signal) -> io::Result<Option<Action>> {
    if signal == Signal::STOP {
        return Ok(None); // it has no other, and lets none be set
    }
    let earlier = Action::of(signal)?;
    let disposition = earlier.disposition();
    if disposition == Disposition::Default {
        return Ok(None);
    }
    // A receiver's own action stays known as such, should that receiver end meanwhile.
    let before = earlier.mark(signal).unwrap_or(disposition);
    Action::default().marked(before).set(signal)?;
    Ok(Some(earlier))
}

/// Undoes [`begin`]; the last thread's call puts the action back.
fn end(change: &mut Change<'_, Os>, signal: Signal) {
    change.own.unblocking.remove(signal.into());
    let stops = &mut change.state.stops;
    // In a child that a handler of this thread forked there is none.
    let Some(at) = stops.iter().position(|stop| stop.signal == signal) else { return };
    stops[at].threads -= 1;
    if stops[at].threads > 0 {
        return;
    }
    let earlier = stops.swap_remove(at).earlier;
    // First, so that what arrives now acts or is recorded, or both.
    change.state.backend.resume(signal);
    if let Some(earlier) = earlier {
        // An action that the program has set meanwhile stays.
        if Action::of(signal).is_ok_and(|now| now.mark(signal).is_some()) {
            let done = earlier.set(signal);
            debug_assert!(done.is_ok(), "the action of {signal} was set before");
        }
    }
}
