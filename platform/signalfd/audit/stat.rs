//! What a thread's `stat` says ([`proc(5)`]).
//!
//! [`proc(5)`]: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html

use std::fs;
use std::io;

use super::status::decimal;
use super::tasks::{TASKS, unless_ended};
use crate::SignalSet;

/// Flags of `/proc/.../stat`: a worker of io_uring, of vhost, and of the kernel itself.
const WORKER: u64 = 0x10 | 0x4000 | 0x20_0000;

/// What a `stat` file says, as far as it is needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stat {
    /// The thread is the kernel's own.
    pub(super) is_worker: bool,
    /// The time it ran in its life, in the program's code and in the kernel's: ticks of 10 ms.
    pub(super) user: u64,
    pub(super) system: u64,
    /// Those of the first 31 signals that it blocks; the file has no others.
    pub(super) blocked: SignalSet,
}

impl Stat {
    /// `None` if the thread has ended.
    pub(super) fn read(tid: u32) -> io::Result<Option<Stat>> {
        let path = format!("{TASKS}/{tid}/stat");
        let text = fs::read(&path);
        Ok(unless_ended(|| path, text)?.map(|text| Stat::parse(&text)))
    }

    pub(super) fn parse(text: &[u8]) -> Stat {
        // The name stands in parentheses and may hold any character. Of the fields after it the
        // flags are the 7th, the times the 12th and 13th, and the mask is the 30th. A field counts once it
        // is whole.
        let after_name =
            text.iter().rposition(|&byte| byte == b')').map_or(text.len(), |at| at + 1);
        let end = text.iter().rposition(u8::is_ascii_whitespace).unwrap_or(0);
        let fields = text.get(after_name..end).unwrap_or_default();
        let mut fields = fields.split(|&byte| byte == b' ').skip(1);
        let mut skip = |count| fields.nth(count).and_then(decimal::<u64>).unwrap_or(0);
        Stat {
            is_worker: skip(6) & WORKER != 0,
            user: skip(4),
            system: skip(0),
            blocked: SignalSet::from_bits(skip(16).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Signal;

    /// As Linux 6.18 writes it. Signals are HUP and TERM here.
    const FIELDS: &str = "S 1 4 4 0 -1 4194368 117 0 0 0 12 34 0 0 20 0 2 0 1544546 3133440 401 \
        18446744073709551615 94897218207744 94897218227625 140735174115808 0 0 0 16385 0 2 0 0 0 17 0\n";

    fn stat(name: &str, fields: &str) -> Stat {
        Stat::parse(format!("4322 ({name}) {fields}").as_bytes())
    }

    #[test]
    fn a_stat_reads() {
        let blocked = [Signal::HUP, Signal::TERM].into();
        let expected = Stat { is_worker: false, user: 12, system: 34, blocked };
        for name in ["busy bee", "a) R 1 1 1", "", ") (", "\u{1}"] {
            assert_eq!(stat(name, FIELDS), expected);
        }
        assert!(stat("iou-wrk-4", &FIELDS.replace("4194368", "4194384")).is_worker);
        assert_eq!(Stat::parse(b""), Stat::default());
    }

    /// What is cut off has no mask, or the whole one.
    #[test]
    fn a_stat_cut_off_anywhere() {
        let (whole, end) = (stat("a", FIELDS).blocked, FIELDS.find(" 0 2 0 0").expect("fields"));
        for len in 0..FIELDS.len() {
            let expected = if len > end { whole } else { SignalSet::EMPTY };
            assert_eq!(stat("a", &FIELDS[..len]).blocked, expected, "{len}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes(text: Vec<u8>) {
            Stat::parse(&text);
        }
    }
}
