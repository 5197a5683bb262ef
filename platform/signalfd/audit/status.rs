//! What the files of a thread say: `status` and `stat`.

use std::fs::{self, File};
use std::io::{self, BufRead as _, Read as _};
use std::str::FromStr;

use super::tasks::{TASKS, unless_ended};
use crate::SignalSet;

/// Flags of `/proc/.../stat`: a worker of io_uring, of vhost, and of the kernel itself.
const WORKER: u64 = 0x10 | 0x4000 | 0x20_0000;

/// The text of a `status` file. There is one, which all are read to.
pub(super) struct Text {
    bytes: Vec<u8>,
    len: usize,
}

impl Text {
    pub(super) fn new() -> Text {
        Text { bytes: vec![0; 4096], len: 0 }
    }

    /// Reads no further than needed: one `read(2)` does, unless the user is in very many groups.
    pub(super) fn read(&mut self, mut file: File) -> io::Result<Status> {
        self.len = 0;
        loop {
            let count = file.read(&mut self.bytes[self.len..])?;
            self.len += count;
            let status = Status::parse(&self.bytes[..self.len]);
            if count == 0 || status.caught.is_some() {
                return Ok(status);
            }
            if self.len == self.bytes.len() {
                self.bytes.resize(2 * self.len, 0);
            }
        }
    }

    /// The thread's name, which need not be UTF-8. It stands first.
    pub(super) fn name(&self) -> String {
        let line = next_line(&mut &self.bytes[..self.len]).unwrap_or_default();
        let name = line.strip_prefix(b"Name:").unwrap_or_default();
        String::from_utf8_lossy(name.trim_ascii()).into()
    }
}

/// What a `status` file says, as far as it is needed.
#[derive(Clone, Copy, Default)]
pub(super) struct Status {
    /// `State` is S: it waits for something, and not for the kernel's own sake.
    pub(super) is_asleep: bool,
    /// `Tgid`.
    pub(super) process: Option<u32>,
    /// `VmSize` is there.
    pub(super) has_memory: bool,
    pub(super) threads: Option<usize>,
    /// `SigBlk`.
    pub(super) blocked: Option<SignalSet>,
    /// `SigCgt`, which comes last of all these: what the process has a handler for.
    pub(super) caught: Option<SignalSet>,
}

impl Status {
    /// The first thread's, which tells of the process too; `None` where `/proc` is not mounted.
    pub(super) fn of_process(text: &mut Text) -> io::Result<Option<Status>> {
        let path = "/proc/self/status";
        unless_ended(|| path.into(), File::open(path).and_then(|file| text.read(file)))
    }

    /// Whether this is a system that does not show it: gVisor's status has other lines alone.
    pub(super) fn shows_no_mask(&self) -> bool {
        self.threads.is_some() && self.blocked.is_none()
    }

    /// A line counts once it is whole.
    fn parse(text: &[u8]) -> Status {
        let (mut status, mut rest) = (Status::default(), text);
        while let Some(line) = next_line(&mut rest) {
            // Most lines are not looked at, so they are told apart by their beginning.
            match line {
                [b'S', b't', b'a', b't', b'e', b':', state @ ..] => {
                    status.is_asleep = state.trim_ascii().starts_with(b"S");
                }
                [b'T', b'g', b'i', b'd', b':', number @ ..] => status.process = decimal(number),
                [b'V', b'm', b'S', b'i', b'z', b'e', b':', ..] => status.has_memory = true,
                [b'T', b'h', b'r', b'e', b'a', b'd', b's', b':', number @ ..] => {
                    status.threads = decimal(number);
                }
                [b'S', b'i', b'g', b'B', b'l', b'k', b':', mask @ ..] => status.blocked = set(mask),
                [b'S', b'i', b'g', b'C', b'g', b't', b':', mask @ ..] => {
                    status.caught = set(mask);
                    break;
                }
                _ => {}
            }
        }
        status
    }
}

/// Takes the next line, without its end; `None` if there is no whole one.
fn next_line<'a>(text: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut rest = *text;
    // Reading from memory does not fail.
    let len = rest.skip_until(b'\n').ok()?;
    let line = text[..len].strip_suffix(b"\n")?;
    *text = rest;
    Some(line)
}

pub(super) fn decimal<T: FromStr>(field: &[u8]) -> Option<T> {
    std::str::from_utf8(field.trim_ascii()).ok()?.parse().ok()
}

/// A set as the kernel writes it, in hexadecimal digits.
fn set(field: &[u8]) -> Option<SignalSet> {
    let digits = std::str::from_utf8(field.trim_ascii()).ok()?;
    u128::from_str_radix(digits, 16).ok().map(SignalSet::from_bits)
}

/// What a `stat` file says, as far as it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    /// The thread is the kernel's own.
    pub(super) is_worker: bool,
    /// The time it ran in its life, in the program's code and in the kernel's: ticks of 10 ms.
    pub(super) user: u64,
    pub(super) system: u64,
}

impl Stat {
    /// `None` if the thread has ended.
    pub(super) fn read(tid: u32) -> io::Result<Option<Stat>> {
        let path = format!("{TASKS}/{tid}/stat");
        let text = fs::read(&path);
        Ok(unless_ended(|| path, text)?.map(|text| Stat::parse(&text)))
    }

    fn parse(text: &[u8]) -> Stat {
        // The name stands in parentheses and may hold any character. Of the fields after it the
        // flags are the 7th, the times the 12th and 13th.
        let text = String::from_utf8_lossy(text);
        let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
        let field = |index| {
            let field = fields.split_ascii_whitespace().nth(index);
            field.and_then(|field| field.parse::<u64>().ok()).unwrap_or(0)
        };
        Stat { is_worker: field(6) & WORKER != 0, user: field(11), system: field(12) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Signal;

    /// As Linux 6.18 writes it, with the lines that are not looked at left out.
    const TEXT: &str = "Name:\tbusy bee\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t4321\nPid:\t4322\n\
        VmSize:\t   71480 kB\nThreads:\t2\nSigQ:\t0/31434\nSigPnd:\t0000000000000000\n\
        ShdPnd:\t0000000000000000\nSigBlk:\t0000000000004001\nSigIgn:\t0000000000001000\nSigCgt:\t0000000000000002\n";

    #[test]
    fn a_status_reads() {
        let status = Status::parse(TEXT.as_bytes());
        assert_eq!(status.process, Some(4321));
        assert_eq!((status.has_memory, status.threads), (true, Some(2)));
        assert!(status.is_asleep);
        assert_eq!(status.blocked, Some([Signal::HUP, Signal::TERM].into()));
        assert_eq!(status.caught, Some(Signal::INT.into()));
    }

    fn text(bytes: &[u8]) -> Text {
        Text { bytes: bytes.into(), len: bytes.len() }
    }

    #[test]
    fn a_name_reads() {
        assert_eq!(text(TEXT.as_bytes()).name(), "busy bee");
        assert_eq!(text(b"Name:\t\xFF\nUmask:").name(), "\u{FFFD}");
        assert_eq!(text(b"Name:\t\n").name(), "");
        assert_eq!(text(b"").name(), "");
    }

    /// MIPS writes 128 bits.
    #[test]
    fn a_wide_mask_reads() {
        let text = "SigBlk:\t80000000000000000000000000000001\n";
        assert_eq!(Status::parse(text.as_bytes()).blocked.map(SignalSet::len), Some(2));
    }

    /// What is cut off has no mask, or the whole one: never a part of it.
    #[test]
    fn cut_off_anywhere() {
        let whole = Status::parse(TEXT.as_bytes()).blocked;
        let end = TEXT.find("\nSigIgn").expect("a line") + 1;
        for len in 0..=TEXT.len() {
            let expected = whole.filter(|_| len >= end);
            assert_eq!(Status::parse(&TEXT.as_bytes()[..len]).blocked, expected, "{len}");
        }
    }

    #[test]
    fn a_stat_reads() {
        let fields = "S 1 4 4 0 -1 4194368 117 0 0 0 12 34 0 0 20 0 1 0 5 1 2";
        for name in ["busy bee", "a) R 1 1 1", "", ") (", "\u{1}"] {
            let stat = Stat::parse(format!("4322 ({name}) {fields}\n").as_bytes());
            assert_eq!(stat, Stat { is_worker: false, user: 12, system: 34 });
        }
        let worker = Stat::parse(b"9 (iou-wrk-4) S 1 4 4 0 -1 4194384 0 0 0 0 0 0 0");
        assert!(worker.is_worker);
        assert_eq!(Stat::parse(b""), Stat { is_worker: false, user: 0, system: 0 });
    }

    proptest! {
        #[test]
        fn any_bytes(text: Vec<u8>) {
            Status::parse(&text);
            Stat::parse(&text);
        }

        /// Some bytes of a true text are wrong.
        #[test]
        fn nearly_a_status(at in 0..TEXT.len(), bytes: Vec<u8>) {
            let mut text = TEXT.as_bytes().to_vec();
            let end = text.len().min(at + bytes.len());
            text.splice(at..end, bytes);
            Status::parse(&text);
        }

        #[test]
        fn mask_bits_are_a_set(bits: u128) {
            let text = format!("SigBlk:\t{bits:032x}\n");
            let blocked = Status::parse(text.as_bytes()).blocked.expect("a mask");
            prop_assert_eq!(blocked.bits(), bits);
            prop_assert_eq!(blocked.len(), bits.count_ones() as usize);
            prop_assert_eq!(blocked.iter().collect::<SignalSet>(), blocked);
            for signal in blocked {
                prop_assert_eq!(bits >> (signal.as_raw() - 1) & 1, 1);
            }
        }
    }
}
