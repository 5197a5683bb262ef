//! What is known of a signal: a line for people, an object for programs.

use std::{fmt, fs};

use jiff::Zoned;
use nix::unistd::{Uid, User};
use serde_json::{Map, Value, json};
use signal_source::{ChildStatus, Origin, Sender, Signal, SignalInfo};

/// One received signal, and what can be found out about its sender.
pub(crate) struct Report {
    /// When it was received: nobody says when it was sent.
    time: Zoned,
    signal: Signal,
    origin: &'static str,
    /// What else is known; what is not known has no field.
    details: Map<String, Value>,
}

impl Report {
    pub(crate) fn now(info: &SignalInfo) -> Report {
        let mut report = Report {
            time: Zoned::now(),
            signal: info.signal(),
            origin: origin(info),
            details: Map::new(),
        };
        if info.count() > 1 {
            report.put("count", info.count());
        }
        if let Some(sender) = info.sender() {
            report.put_sender(sender);
        }
        if let Some(value) = info.value() {
            report.put("value", value);
        }
        // A pointer that holds more than the integer.
        if let Some(pointer) = info.value_ptr().filter(|&pointer| u32::try_from(pointer).is_err()) {
            report.put("pointer", format!("{pointer:#x}"));
        }
        match info.origin() {
            Origin::Timer { id, overrun, .. } => {
                report.put("timer", id);
                report.put("overrun", overrun);
            }
            Origin::Io { fd, band } => {
                report.put("fd", fd);
                report.put("band", band);
            }
            Origin::Child(child) => {
                report.put_status(child.status);
                report.put("user_time", child.user_time.as_secs_f64());
                report.put("system_time", child.system_time.as_secs_f64());
            }
            _ => {}
        }
        report
    }

    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.details.insert(name.into(), value.into());
    }

    /// Its numbers come from the kernel; the names are those of now, and the process may have gone.
    fn put_sender(&mut self, sender: Sender) {
        self.put("pid", sender.pid);
        if let Ok(name) = fs::read(format!("/proc/{}/comm", sender.pid)) {
            self.put("process", String::from_utf8_lossy(&name).trim_end());
        }
        self.put("uid", sender.uid);
        if let Ok(Some(user)) = User::from_uid(Uid::from_raw(sender.uid)) {
            self.put("user", user.name);
        }
    }

    fn put_status(&mut self, status: ChildStatus) {
        let (status, signal) = match status {
            ChildStatus::Exited(code) => {
                self.put("status", "exited");
                return self.put("code", code);
            }
            ChildStatus::Killed(signal) => ("killed", signal),
            ChildStatus::Dumped(signal) => ("dumped", signal),
            ChildStatus::Trapped(signal) => ("trapped", signal),
            ChildStatus::Stopped(signal) => ("stopped", signal),
            ChildStatus::Continued(signal) => ("continued", signal),
            other => return self.put("status", other.to_string()),
        };
        self.put("status", status);
        self.put("by", signal.to_string());
    }

    /// All fields, in one object.
    pub(crate) fn into_json(self) -> Value {
        let mut object = json!({
            "time": self.time.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string(),
            "signal": self.signal.to_string(),
            "number": self.signal.as_raw(),
            "origin": self.origin,
        });
        object.as_object_mut().expect("made above").extend(self.details);
        object
    }
}

/// The kernel's word for what sent it.
fn origin(info: &SignalInfo) -> &'static str {
    match info.origin() {
        Origin::Process(_) => "kill",
        Origin::Thread(_) => "tgkill",
        Origin::Queue { .. } => "sigqueue",
        Origin::Timer { .. } => "timer",
        Origin::MessageQueue { .. } => "mqueue",
        Origin::AsyncIo { .. } => "aio",
        Origin::Io { .. } => "io",
        Origin::Child(_) => "child",
        Origin::Kernel => "kernel",
        _ => "unknown",
    }
}

impl fmt::Display for Report {
    /// `12:34:56.789 SIGTERM     kill     pid=4321 process=bash uid=1000 user=ann`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.time.strftime("%H:%M:%S%.3f");
        write!(f, "{time} {:<11} {:<8}", self.signal, self.origin)?;
        for (name, value) in &self.details {
            match value.as_str() {
                Some(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                    write!(f, " {name}={text}")?;
                }
                // A process names itself, with what it likes: nothing of it steers the terminal.
                Some(text) => write!(f, " {name}={text:?}")?,
                None => write!(f, " {name}={value}")?,
            }
        }
        Ok(())
    }
}
