//! The 128 bytes that `read(2)` of a signalfd gives, decoded.
//!
//! Which fields the kernel fills depends on number and code ([`signalfd(2)`], and
//! `siginfo_layout` in the kernel's `kernel/signal.c`); the others hold zeros or leftovers and are
//! not looked at.
//!
//! [`signalfd(2)`]: https://man7.org/linux/man-pages/man2/signalfd.2.html

use std::time::Duration;

use crate::{ChildInfo, ChildStatus, Origin, Sender, Signal, SignalInfo};

/// The size of one record, `sizeof(struct signalfd_siginfo)`.
pub(super) const SIZE: usize = 128;

// Offsets of the fields of `struct signalfd_siginfo`.
const SIGNO: usize = 0;
const CODE: usize = 8;
const PID: usize = 12;
const UID: usize = 16;
const FD: usize = 20;
const TID: usize = 24;
const BAND: usize = 28;
const OVERRUN: usize = 32;
const STATUS: usize = 40;
const INT: usize = 44;
const PTR: usize = 48;
const UTIME: usize = 56;
const STIME: usize = 64;

// Codes: `asm-generic/siginfo.h`, the same on every architecture.
const SI_USER: i32 = 0;
const SI_KERNEL: i32 = 128;
const SI_QUEUE: i32 = -1;
const SI_TIMER: i32 = -2;
const SI_MESGQ: i32 = -3;
const SI_ASYNCIO: i32 = -4;
const SI_SIGIO: i32 = -5;
const SI_TKILL: i32 = -6;
/// `POLL_IN` to `POLL_HUP`.
const POLL: std::ops::RangeInclusive<i32> = 1..=6;

/// The kernel tells times in clock ticks, of which user space is always told 100 a second.
const TICK: u64 = 10;

/// One record.
#[derive(Clone, Copy)]
struct Record<'a>(&'a [u8; SIZE]);

impl Record<'_> {
    fn bytes<const N: usize>(self, offset: usize) -> [u8; N] {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.0[offset..offset + N]);
        bytes
    }

    fn u32(self, offset: usize) -> u32 {
        u32::from_ne_bytes(self.bytes(offset))
    }

    fn i32(self, offset: usize) -> i32 {
        i32::from_ne_bytes(self.bytes(offset))
    }

    fn u64(self, offset: usize) -> u64 {
        u64::from_ne_bytes(self.bytes(offset))
    }

    /// Pid 0 is no process: the sender is outside the pid namespace, or the information was lost.
    fn sender(self) -> Option<Sender> {
        let pid = self.u32(PID);
        (pid != 0).then(|| Sender { pid, uid: self.u32(UID) })
    }

    #[cold]
    fn child(self) -> Option<ChildInfo> {
        let status = self.i32(STATUS);
        let signal = u32::try_from(status).ok().and_then(Signal::from_kernel);
        let status = match self.i32(CODE) {
            1 => ChildStatus::Exited(status),
            2 => ChildStatus::Killed(signal?),
            3 => ChildStatus::Dumped(signal?),
            4 => ChildStatus::Trapped(signal?),
            5 => ChildStatus::Stopped(signal?),
            6 => ChildStatus::Continued(signal?),
            _ => return None,
        };
        let ticks = |offset| Duration::from_millis(self.u64(offset).saturating_mul(TICK));
        Some(ChildInfo {
            pid: self.u32(PID),
            uid: self.u32(UID),
            status,
            user_time: ticks(UTIME),
            system_time: ticks(STIME),
        })
    }

    #[inline(always)]
    fn origin(self, signal: Signal) -> Origin {
        let value = || self.i32(INT);
        let origin = match self.i32(CODE) {
            SI_USER => self.sender().map(Origin::Process),
            SI_TKILL => self.sender().map(Origin::Thread),
            SI_QUEUE => Some(Origin::Queue { sender: self.sender(), value: value() }),
            SI_TIMER => Some(Origin::Timer {
                id: self.u32(TID),
                overrun: self.u32(OVERRUN),
                value: value(),
            }),
            SI_MESGQ => Some(Origin::MessageQueue { sender: self.sender(), value: value() }),
            SI_ASYNCIO => Some(Origin::AsyncIo { sender: self.sender(), value: value() }),
            SI_KERNEL => Some(Origin::Kernel),
            _ if signal == Signal::CHLD => self.child().map(Origin::Child),
            code if POLL.contains(&code) || code == SI_SIGIO => {
                Some(Origin::Io { fd: self.i32(FD), band: self.i32(BAND) })
            }
            _ => None,
        };
        origin.unwrap_or(Origin::Unknown)
    }
}

/// Decodes one record; `None` if its number is no signal's, which no kernel does.
///
/// Inlined, with [`Record::origin`], so that the fields go straight to where the caller wants them:
/// a copy in between would wait for the stores that it copies, and costs as much as the decoding.
#[inline(always)]
#[allow(clippy::cast_possible_truncation)] // a pointer of this process' width was widened to 64 bits
pub(super) fn decode(record: &[u8; SIZE]) -> Option<SignalInfo> {
    let record = Record(record);
    let signal = Signal::from_kernel(record.u32(SIGNO))?;
    let value_ptr = record.u64(PTR) as usize;
    let code = Some(record.i32(CODE));
    Some(SignalInfo::new(signal, 1, code, record.origin(signal), value_ptr))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(fields: &[(usize, i32)]) -> SignalInfo {
        let mut bytes = [0; SIZE];
        for &(offset, value) in fields {
            bytes[offset..offset + 4].copy_from_slice(&value.to_ne_bytes());
        }
        decode(&bytes).expect("a signal's number")
    }

    #[test]
    fn pid_zero_is_nobody() {
        let lost = record(&[(SIGNO, 15), (CODE, SI_USER), (UID, 1000)]);
        assert_eq!(lost.origin(), Origin::Unknown);
        assert_eq!(lost.sender(), None);
        let outside = record(&[(SIGNO, 34), (CODE, SI_QUEUE), (INT, 7)]);
        assert_eq!(outside.origin(), Origin::Queue { sender: None, value: 7 });
    }

    #[test]
    fn a_code_means_a_child_with_chld_alone() {
        let child = [(CODE, 1), (PID, 9), (UID, 1), (STATUS, 3)];
        let chld = record(&[&[(SIGNO, Signal::CHLD.as_raw())], &child[..]].concat());
        assert!(matches!(
            chld.origin(),
            Origin::Child(ChildInfo { pid: 9, status: ChildStatus::Exited(3), .. })
        ));
        let io = record(&[(SIGNO, Signal::IO.as_raw()), (CODE, 1), (FD, 5), (BAND, 0x41)]);
        assert_eq!(io.origin(), Origin::Io { fd: 5, band: 0x41 });
    }

    #[test]
    fn what_is_not_understood_is_unknown() {
        let forged = record(&[(SIGNO, 15), (CODE, -60), (PID, 5)]);
        assert_eq!((forged.origin(), forged.code()), (Origin::Unknown, Some(-60)));
        let child = record(&[(SIGNO, Signal::CHLD.as_raw()), (CODE, 2), (STATUS, 0)]);
        assert_eq!(child.origin(), Origin::Unknown);
        let mut bytes = [0; SIZE];
        assert!(decode(&bytes).is_none());
        bytes[0..4].copy_from_slice(&500u32.to_ne_bytes());
        assert!(decode(&bytes).is_none());
    }
}
