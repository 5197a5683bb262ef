//! What is known of a signal: a line for people, an object for programs.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};

use jiff::Zoned;
use nix::unistd::{Uid, User};
use serde_json::{Map, Value};
use signal_source::{Origin, Sender, SignalInfo};

/// One received signal, and what can be found out about its sender.
pub(crate) struct Report {
    /// When it was received: the kernel does not tell when it was sent.
    time: Zoned,
    info: SignalInfo,
    /// What the record says, and the names of now; what is not known has no field.
    fields: Map<String, Value>,
}

impl Report {
    pub(crate) fn now(info: &SignalInfo) -> Report {
        let Ok(Value::Object(record)) = serde_json::to_value(info) else {
            unreachable!("a record is an object")
        };
        let (mut fields, sender) = (Map::new(), info.sender());
        for (name, value) in record {
            let names = match (name.as_str(), sender) {
                ("pid", Some(sender)) => names_of_process(sender),
                ("uid", Some(sender)) => [("user", name_of_user(sender)), ("", None)],
                _ => [("", None), ("", None)],
            };
            fields.insert(name, value);
            for (name, text) in names {
                if let Some(text) = text {
                    fields.insert(name.into(), text.into());
                }
            }
        }
        Report { time: Zoned::now(), info: *info, fields }
    }

    /// All fields, in one object.
    pub(crate) fn into_json(self) -> Value {
        let mut object = Map::new();
        let time = self.time.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string();
        object.insert("time".into(), time.into());
        object.extend(self.fields);
        object.into()
    }
}

/// How the process calls itself, and was called, *now*: it may have gone, and its number may be
/// another process' by this time. Where there is no `/proc`, nothing.
fn names_of_process(Sender { pid, .. }: Sender) -> [(&'static str, Option<String>); 2] {
    let name = read(&format!("/proc/{pid}/comm")).ok();
    // Each argument ends with a zero.
    let command = read(&format!("/proc/{pid}/cmdline")).ok().map(|text| {
        let arguments = text.strip_suffix('\0').unwrap_or(&text);
        arguments.replace('\0', " ")
    });
    let name = name.map(|name| name.trim_end().to_owned());
    [("process", name), ("command", command.filter(|command| !command.is_empty()))]
}

/// A file's text, if it is long its beginning: a command may have megabytes of arguments.
fn read(path: &str) -> io::Result<String> {
    let mut text = Vec::new();
    File::open(path)?.take(4096).read_to_end(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Not of the overflow uid, which may be any user's.
fn name_of_user(sender: Sender) -> Option<String> {
    if sender.is_overflow_uid() {
        return None;
    }
    User::from_uid(Uid::from_raw(sender.uid)).ok().flatten().map(|user| user.name)
}

/// What the line says in its own way, or leaves to programs.
const NOT_IN_LINE: [&str; 5] = ["signal", "number", "origin", "verified", "si_code"];

impl fmt::Display for Report {
    /// `12:34:56.789 SIGTERM     kill     pid=4321 process=bash command=-bash uid=1000 user=ann`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.time.strftime("%H:%M:%S%.3f");
        let origin = self.fields.get("origin").and_then(Value::as_str).unwrap_or_default();
        write!(f, "{time} {:<11} {origin:<8}", self.info.signal())?;
        for (name, value) in &self.fields {
            match value.as_str() {
                _ if NOT_IN_LINE.contains(&name.as_str()) => {}
                Some(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                    write!(f, " {name}={text}")?;
                }
                // A process names itself, with what it likes: nothing of it steers the terminal.
                Some(text) => write!(f, " {name}={text:?}")?,
                None => write!(f, " {name}={value}")?,
            }
        }
        if !self.info.is_verified() && self.info.origin() != Origin::Unknown {
            f.write_str(" (unverified: as the sender claims)")?;
        }
        Ok(())
    }
}
