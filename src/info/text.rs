//! Records as text, one line each.

use std::fmt;

use super::{ChildInfo, ChildStatus, Origin, Sender, SignalInfo};

impl fmt::Debug for SignalInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignalInfo")
            .field("signal", &self.signal)
            .field("count", &self.count)
            .field("code", &self.code())
            .field("origin", &self.origin())
            .field("value_ptr", &self.value_ptr())
            .finish()
    }
}

impl fmt::Display for SignalInfo {
    /// One line: `SIGTERM from process 4321 (uid 1000)`. What the sender may have made up ends with
    /// `(unverified)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.signal)?;
        match self.origin() {
            Origin::Process(sender) => write!(f, " from {sender}"),
            Origin::Thread(sender) => write!(f, " directed at this thread by {sender}"),
            Origin::Queue { sender, value } => {
                write!(f, " queued by {} with value {value}", Or(sender))
            }
            Origin::Timer { id, overrun, value } => {
                write!(f, " from timer {id} with value {value}, overrun {overrun}")
            }
            Origin::MessageQueue { sender, value } => {
                write!(f, " for a message of {} with value {value}", Or(sender))
            }
            Origin::AsyncIo { sender, value } => {
                write!(f, " for a request of {} with value {value}", Or(sender))
            }
            Origin::Io { fd, band } => write!(f, " for descriptor {fd}, events {band:#x}"),
            Origin::Child(child) => write!(f, ": {child}"),
            Origin::Kernel => write!(f, " from the kernel"),
            Origin::Unknown => return self.fmt_count(f),
        }?;
        if !self.is_verified() {
            f.write_str(" (unverified)")?;
        }
        self.fmt_count(f)
    }
}

impl SignalInfo {
    fn fmt_count(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count > 1 { write!(f, ", sent {} times", self.count) } else { Ok(()) }
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_overflow_uid() {
            return write!(
                f,
                "process {} (uid {}: of another namespace, or the user nobody)",
                self.pid, self.uid
            );
        }
        write!(f, "process {} (uid {})", self.pid, self.uid)
    }
}

/// A sender, or that there is none to name.
struct Or(Option<Sender>);

impl fmt::Display for Or {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(sender) => sender.fmt(f),
            None => f.write_str("an unknown process"),
        }
    }
}

impl fmt::Display for ChildInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "child {} (uid {}) {}", self.pid, self.uid, self.status)
    }
}

impl fmt::Display for ChildStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChildStatus::Exited(code) => write!(f, "exited with code {code}"),
            ChildStatus::Killed(signal) => write!(f, "was killed by {signal}"),
            ChildStatus::Dumped(signal) => write!(f, "was killed by {signal}, core dumped"),
            ChildStatus::Trapped(signal) => write!(f, "trapped on {signal}"),
            ChildStatus::Stopped(signal) => write!(f, "was stopped by {signal}"),
            ChildStatus::Continued(signal) => write!(f, "was continued by {signal}"),
        }
    }
}
