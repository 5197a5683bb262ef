//! Feature `serde`: signals by their names, so that a file or a log says the same on every system.

use std::fmt;

use ::serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use ::serde::ser::{Serialize, SerializeMap, Serializer};

use crate::{ChildStatus, Origin, Signal, SignalInfo, SignalSet};

#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl Serialize for Signal {
    /// As its name: `"SIGTERM"`, `"SIGRTMIN+3"`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl<'de> Deserialize<'de> for Signal {
    /// From a string that `FromStr` understands: `"SIGTERM"`, `"TERM"`, `"RTMIN+3"`, `"15"`.
    ///
    /// # Errors
    ///
    /// For any other string, which the message names.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Signal, D::Error> {
        deserializer.deserialize_str(Name)
    }
}

struct Name;

impl Visitor<'_> for Name {
    type Value = Signal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a signal's name, such as \"SIGTERM\"")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Signal, E> {
        name.parse().map_err(E::custom)
    }
}

#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl Serialize for SignalSet {
    /// As a list of names, in the order of their numbers: `["SIGINT", "SIGTERM"]`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl<'de> Deserialize<'de> for SignalSet {
    /// From a list of strings, in any order, each as a [`Signal`]'s.
    ///
    /// # Errors
    ///
    /// If one is no signal's name; the message names it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SignalSet, D::Error> {
        deserializer.deserialize_seq(Names)
    }
}

struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = SignalSet;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of signals' names")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<SignalSet, A::Error> {
        let mut set = SignalSet::EMPTY;
        while let Some(signal) = names.next_element::<Signal>()? {
            set = set | signal;
        }
        Ok(set)
    }
}

#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl Serialize for SignalInfo {
    /// As an object: `signal`, `number`, `origin`, `verified`; then what the record has, and nothing
    /// for what it has not.
    ///
    /// | field | of |
    /// |---|---|
    /// | `si_code` | [`code`](SignalInfo::code) |
    /// | `count` | [`count`](SignalInfo::count), if more than 1 |
    /// | `pid`, `uid` | [`sender`](SignalInfo::sender) |
    /// | `value` | [`value`](SignalInfo::value) |
    /// | `pointer` | [`value_ptr`](SignalInfo::value_ptr), in hexadecimal, if it holds more than the value |
    /// | `timer`, `overrun` | [`Origin::Timer`] |
    /// | `fd`, `band` | [`Origin::Io`] |
    /// | `status`, with `code` or `by`; `user_time`, `system_time` in seconds | [`Origin::Child`] |
    ///
    /// `origin` is `kill`, `tgkill`, `sigqueue`, `timer`, `mqueue`, `aio`, `io`, `child`, `kernel` or
    /// `unknown`; `status` is `exited`, `killed`, `dumped`, `trapped`, `stopped` or `continued`.
    /// There is no way back: a record that was read somewhere is none of the kernel's.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("signal", &self.signal())?;
        map.serialize_entry("number", &self.signal().as_raw())?;
        map.serialize_entry("origin", origin(self))?;
        map.serialize_entry("verified", &self.is_verified())?;
        if let Some(code) = self.code() {
            map.serialize_entry("si_code", &code)?;
        }
        if self.count() > 1 {
            map.serialize_entry("count", &self.count())?;
        }
        if let Some(sender) = self.sender() {
            map.serialize_entry("pid", &sender.pid)?;
            map.serialize_entry("uid", &sender.uid)?;
        }
        if let Some(value) = self.value() {
            map.serialize_entry("value", &value)?;
        }
        // The integer shares the pointer's first bytes, which are its upper half on a big-endian machine.
        let holds_more = |pointer: &usize| pointer.to_ne_bytes()[4..].iter().any(|&byte| byte != 0);
        if let Some(pointer) = self.value_ptr().filter(holds_more) {
            map.serialize_entry("pointer", &format_args!("{pointer:#x}"))?;
        }
        match self.origin() {
            Origin::Timer { id, overrun, .. } => {
                map.serialize_entry("timer", &id)?;
                map.serialize_entry("overrun", &overrun)?;
            }
            Origin::Io { fd, band } => {
                map.serialize_entry("fd", &fd)?;
                map.serialize_entry("band", &band)?;
            }
            Origin::Child(child) => {
                let (status, detail) = status(child.status);
                map.serialize_entry("status", status)?;
                match detail {
                    Detail::Code(code) => map.serialize_entry("code", &code)?,
                    Detail::By(signal) => map.serialize_entry("by", &signal)?,
                }
                map.serialize_entry("user_time", &child.user_time.as_secs_f64())?;
                map.serialize_entry("system_time", &child.system_time.as_secs_f64())?;
            }
            _ => {}
        }
        map.end()
    }
}

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
        Origin::Unknown => "unknown",
    }
}

enum Detail {
    Code(i32),
    By(Signal),
}

fn status(status: ChildStatus) -> (&'static str, Detail) {
    match status {
        ChildStatus::Exited(code) => ("exited", Detail::Code(code)),
        ChildStatus::Killed(signal) => ("killed", Detail::By(signal)),
        ChildStatus::Dumped(signal) => ("dumped", Detail::By(signal)),
        ChildStatus::Trapped(signal) => ("trapped", Detail::By(signal)),
        ChildStatus::Stopped(signal) => ("stopped", Detail::By(signal)),
        ChildStatus::Continued(signal) => ("continued", Detail::By(signal)),
    }
}

#[cfg(test)]
mod tests;
