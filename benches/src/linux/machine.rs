//! On what was measured: in general terms, for a report that others read.

use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Crates whose versions a reader wants to know.
const CRATES: &[&str] = &[
    "signal-source",
    "mio",
    "tokio",
    "nix",
    "rustix",
    "mio-signals",
    "calloop",
    "signal-hook",
    "signal-hook-mio",
    "signal-hook-tokio",
    "async-signal",
];

#[derive(Serialize, Deserialize)]
pub struct Machine {
    pub cpu: String,
    pub cpus: usize,
    pub kernel: String,
    pub rustc: String,
    /// As in `2026-01-31`, UTC.
    pub date: String,
    pub versions: Vec<(String, String)>,
}

impl Machine {
    pub fn this() -> Machine {
        let release = read("/proc/sys/kernel/osrelease");
        let release = release.split(['-', '+']).next().unwrap_or_default().trim();
        let rustc = Command::new("rustc").arg("--version").output();
        let rustc = rustc.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        Machine {
            cpu: field(&read("/proc/cpuinfo"), "model name").unwrap_or("unknown").into(),
            cpus: read("/proc/cpuinfo").matches("processor\t").count(),
            kernel: format!("Linux {release}"),
            rustc: rustc.unwrap_or_default().split(" (").next().unwrap_or_default().trim().into(),
            date: date(),
            versions: versions(),
        }
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The value of the first line `name : value`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(field, _)| field.trim() == name).map(|(_, value)| value.trim())
}

/// The versions that this program was built with.
fn versions() -> Vec<(String, String)> {
    let lock = include_str!("../../Cargo.lock");
    let version = |name: &&str| {
        let start = lock.find(&format!("name = \"{name}\"\nversion = \""))?;
        let version = lock[start..].split('"').nth(3)?;
        Some(((*name).to_owned(), version.to_owned()))
    };
    CRATES.iter().filter_map(version).collect()
}

/// Today, from the days since 1970.
fn date() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (mut year, mut days) = (1970, now.as_secs() / 86_400);
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    format!("{year}-{:02}-{:02}", month + 1, days + 1)
}
