//! What a thread's `status` says ([`proc(5)`]).
//!
//! [`proc(5)`]: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html

use std::fs::File;
use std::io::{self, Read as _};
use std::str::FromStr;

use super::stat::Stat;
use super::tasks::unless_ended;
use crate::SignalSet;

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
            if count == 0 || status.blocked.is_some() {
                return Ok(status);
            }
            if self.len == self.bytes.len() {
                self.bytes.resize(2 * self.len, 0);
            }
        }
    }

    /// The same room for a `stat`, which is never long.
    pub(super) fn read_stat(&mut self, mut file: File) -> io::Result<Stat> {
        self.len = file.read(&mut self.bytes)?;
        Ok(Stat::parse(&self.bytes[..self.len]))
    }

    /// The thread's name, which need not be UTF-8.
    pub(super) fn name(&self) -> String {
        let name = field(&mut &self.bytes[..self.len], b"Name:").unwrap_or_default();
        String::from_utf8_lossy(name.trim_ascii()).into()
    }

    /// Whether `State` is S: the thread waits for something, and not for the kernel's own sake.
    pub(super) fn is_asleep(&self) -> bool {
        self.field(b"State:").is_some_and(|state| state.trim_ascii().starts_with(b"S"))
    }

    /// `Tgid`: the number of the process, which is that of its first thread.
    pub(super) fn process(&self) -> Option<u32> {
        self.field(b"Tgid:").and_then(decimal)
    }

    /// `SigCgt`: what the process has a handler for.
    pub(super) fn caught(&self) -> Option<SignalSet> {
        self.field(b"SigCgt:").and_then(set)
    }

    fn field(&self, key: &[u8]) -> Option<&[u8]> {
        field(&mut after_name(&self.bytes[..self.len]), key)
    }
}

/// What a `status` file says, as far as it is needed of each thread.
#[derive(Clone, Copy, Default)]
pub(super) struct Status {
    /// `VmSize` is there.
    pub(super) has_memory: bool,
    pub(super) threads: Option<usize>,
    /// `SigBlk`, which comes last of these.
    pub(super) blocked: Option<SignalSet>,
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
        let mut rest = after_name(text);
        let memory = field(&mut rest, b"VmSize:");
        let threads = field(&mut rest, b"Threads:");
        let blocked = field(&mut rest, b"SigBlk:");
        Status {
            has_memory: memory.is_some(),
            threads: threads.and_then(decimal),
            blocked: blocked.and_then(set),
        }
    }
}

/// The lines after the first one, which has text of a program's own, but no end of a line in it: the
/// kernel escapes that.
fn after_name(mut text: &[u8]) -> &[u8] {
    field(&mut text, b"Name:");
    text
}

/// What stands after the next key of this name, up to the end of its line; the text then goes on from
/// there: the kernel has always written the lines in the order in which they are asked for here. The text
/// stays where it is if there is none, or no whole line.
fn field<'a>(text: &mut &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let mut rest = *text;
    loop {
        rest = &rest[position(rest, *key.first()?)?..];
        if rest.starts_with(key) {
            break;
        }
        rest = &rest[1..];
    }
    let value = &rest[key.len()..];
    let end = value.iter().position(|&byte| byte == b'\n')?;
    (_, *text) = value.split_at(end);
    Some(&value[..end])
}

/// Where the byte is first. Of the fifty lines of a status three count, so most of it is passed over: 16
/// bytes at once, which are compared in one instruction since none of them ends the loop.
fn position(text: &[u8], byte: u8) -> Option<usize> {
    let has_it = |block: &[u8]| block.iter().fold(false, |found, &other| found | (other == byte));
    let passed = 16 * text.chunks_exact(16).take_while(|block| !has_it(block)).count();
    Some(passed + text[passed..].iter().position(|&other| other == byte)?)
}

pub(super) fn decimal<T: FromStr>(field: &[u8]) -> Option<T> {
    std::str::from_utf8(field.trim_ascii()).ok()?.parse().ok()
}

/// A set as the kernel writes it: 16 hexadecimal digits, or 32 on MIPS.
fn set(field: &[u8]) -> Option<SignalSet> {
    let digits = field.trim_ascii();
    let bits = digits.iter().try_fold(0, |bits: u128, &digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(bits << 4 | u128::from(digit))
    })?;
    (1..=32).contains(&digits.len()).then(|| SignalSet::from_bits(bits))
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

    fn text(bytes: &[u8]) -> Text {
        Text { bytes: bytes.into(), len: bytes.len() }
    }

    #[test]
    fn a_status_reads() {
        let status = Status::parse(TEXT.as_bytes());
        assert_eq!((status.has_memory, status.threads), (true, Some(2)));
        assert_eq!(status.blocked, Some([Signal::HUP, Signal::TERM].into()));
        let text = text(TEXT.as_bytes());
        assert_eq!(text.process(), Some(4321));
        assert!(text.is_asleep());
        assert_eq!(text.caught(), Some(Signal::INT.into()));
    }

    /// An ended thread's has no memory, and what follows is found nevertheless.
    #[test]
    fn without_a_line() {
        let whole = Status::parse(TEXT.as_bytes());
        for line in TEXT.lines().skip(1) {
            let status = Status::parse(TEXT.replace(&format!("{line}\n"), "").as_bytes());
            let is = |key| line.starts_with(key);
            assert_eq!(status.has_memory, !is("VmSize:"));
            assert_eq!(status.threads, whole.threads.filter(|_| !is("Threads:")));
            assert_eq!(status.blocked, whole.blocked.filter(|_| !is("SigBlk:")));
        }
    }

    /// Whatever a thread is called.
    #[test]
    fn a_name_is_no_line() {
        for key in
            ["State:\tR", "Tgid:\t1", "VmSize:\t1 kB", "Threads:\t7", "SigBlk:\tf", "Name:\ta"]
        {
            let named = TEXT.replace("busy bee", key);
            let without = named.replace("VmSize:\t   71480 kB\n", "");
            assert!(!Status::parse(without.as_bytes()).has_memory, "{key}");
            let status = Status::parse(named.as_bytes());
            assert_eq!((status.has_memory, status.threads), (true, Some(2)), "{key}");
            assert_eq!(status.blocked, Some([Signal::HUP, Signal::TERM].into()), "{key}");
            let text = text(named.as_bytes());
            assert_eq!((text.process(), text.is_asleep()), (Some(4321), true), "{key}");
            assert_eq!(text.name(), key);
        }
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

    proptest! {
        #[test]
        fn any_bytes(text: Vec<u8>) {
            Status::parse(&text);
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
