//! What the kernel says of one signal, decoded: from the 128 bytes that `read(2)` of a signalfd
//! gives, and from the `siginfo_t` that the `rt_sigtimedwait(2)` system call writes.
//!
//! Both hold the same fields in other places ([`Fields`]), so one set of rules reads both. Which
//! fields the kernel fills depends on number and code ([`signalfd(2)`], and `siginfo_layout` in the
//! kernel's `kernel/signal.c`); the others hold zeros or leftovers and are not looked at.
//!
//! The system call itself, not the C library's function: glibc's `sigtimedwait(3)` turns the code
//! `SI_TKILL` into `SI_USER`.
//!
//! [`signalfd(2)`]: https://man7.org/linux/man-pages/man2/signalfd.2.html

mod raw;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::raw::Raw;
use crate::info::Kind;
use crate::{ChildInfo, ChildStatus, Origin, Signal, SignalInfo};

/// The size of one record, `sizeof(struct signalfd_siginfo)`; of a `siginfo_t` as well.
pub(super) const SIZE: usize = 128;

// Codes: `asm-generic/siginfo.h`. MIPS, which took them from IRIX, has three of them in another
// order (`arch/mips/include/uapi/asm/siginfo.h`).
const MIPS: bool = cfg!(any(
    target_arch = "mips",
    target_arch = "mips32r6",
    target_arch = "mips64",
    target_arch = "mips64r6"
));
const SI_USER: i32 = 0;
const SI_KERNEL: i32 = 128;
const SI_QUEUE: i32 = -1;
const SI_TIMER: i32 = if MIPS { -3 } else { -2 };
const SI_MESGQ: i32 = if MIPS { -4 } else { -3 };
const SI_ASYNCIO: i32 = if MIPS { -2 } else { -4 };
const SI_SIGIO: i32 = -5;
const SI_TKILL: i32 = -6;
/// `POLL_IN` to `POLL_HUP`.
const POLL: std::ops::RangeInclusive<i32> = 1..=6;

/// What the codes from `SI_TKILL` to `SI_USER` mean, but `SI_SIGIO`. A table, since a jump that depends on
/// the code can take longer than all the rest of the decoding.
const SENT: [Option<Kind>; 7] = {
    let mut sent = [None; 7];
    let kinds = [
        (SI_USER, Kind::Process),
        (SI_TKILL, Kind::Thread),
        (SI_QUEUE, Kind::Queue),
        (SI_TIMER, Kind::Timer),
        (SI_MESGQ, Kind::MessageQueue),
        (SI_ASYNCIO, Kind::AsyncIo),
    ];
    let mut next = 0;
    while next < kinds.len() {
        let (code, kind) = kinds[next];
        sent[(code - SI_TKILL) as usize] = Some(kind);
        next += 1;
    }
    sent
};

/// The kernel tells times in clock ticks, of which user space is always told 100 a second.
const TICK: u64 = 10;

/// Where a record has its fields, each named after the `siginfo_t`'s.
trait Fields: Copy {
    fn signo(self) -> u32;
    fn code(self) -> i32;
    fn pid(self) -> u32;
    fn uid(self) -> u32;
    fn tid(self) -> u32;
    fn overrun(self) -> u32;
    fn status(self) -> i32;
    fn int(self) -> i32;
    fn ptr(self) -> u64;
    fn utime(self) -> u64;
    fn stime(self) -> u64;
    fn fd(self) -> i32;
    fn band(self) -> i32;

    #[inline(always)]
    #[allow(clippy::cast_possible_truncation)] // a pointer of this process' width was widened to 64 bits
    fn value_ptr(self) -> usize {
        self.ptr() as usize
    }
}

/// `N` bytes of a record.
#[inline(always)]
fn bytes<const N: usize>(record: &[u8; SIZE], offset: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&record[offset..offset + N]);
    bytes
}

/// A record of a signalfd: `struct signalfd_siginfo`, the same on every architecture.
#[derive(Clone, Copy)]
struct Record<'a>(&'a [u8; SIZE]);

macro_rules! at {
    ($($field:ident: $type:ident = $offset:literal;)*) => {
        $(
            #[inline(always)]
            fn $field(self) -> $type {
                $type::from_ne_bytes(bytes(self.0, $offset))
            }
        )*
    };
}

impl Fields for Record<'_> {
    at! {
        signo: u32 = 0;
        code: i32 = 8;
        pid: u32 = 12;
        uid: u32 = 16;
        fd: i32 = 20;
        tid: u32 = 24;
        band: i32 = 28;
        overrun: u32 = 32;
        status: i32 = 40;
        int: i32 = 44;
        ptr: u64 = 48;
        utime: u64 = 56;
        stime: u64 = 64;
    }
}

/// Of a code that is no sender's and not the kernel's own.
#[cold]
#[inline(never)]
fn rare(fields: impl Fields, signal: Signal) -> SignalInfo {
    let code = fields.code();
    let origin = if signal == Signal::CHLD {
        child(fields).map_or(Origin::Unknown, Origin::Child)
    } else if POLL.contains(&code) || code == SI_SIGIO {
        Origin::Io { fd: fields.fd(), band: fields.band() }
    } else {
        Origin::Unknown
    };
    SignalInfo::new(signal, 1, Some(code), origin, fields.value_ptr())
}

fn child(fields: impl Fields) -> Option<ChildInfo> {
    let status = fields.status();
    let signal = u32::try_from(status).ok().and_then(Signal::from_kernel);
    let status = match fields.code() {
        1 => ChildStatus::Exited(status),
        2 => ChildStatus::Killed(signal?),
        3 => ChildStatus::Dumped(signal?),
        4 => ChildStatus::Trapped(signal?),
        5 => ChildStatus::Stopped(signal?),
        6 => ChildStatus::Continued(signal?),
        _ => return None,
    };
    let (pid, uid) = (fields.pid(), fields.uid());
    let ticks = |count: u64| Duration::from_millis(count.saturating_mul(TICK));
    let (user_time, system_time) = (ticks(fields.utime()), ticks(fields.stime()));
    // Pid 0 is no process.
    (pid != 0).then_some(ChildInfo { pid, uid, status, user_time, system_time })
}

/// Hands what the fields say to `with`.
///
/// Inlined, in two places of which one is rare, so that the fields go straight to where the caller wants
/// them: a copy in between would wait for the stores that it copies, and costs as much as the decoding.
#[inline(always)]
fn info<R>(fields: impl Fields, with: impl FnOnce(SignalInfo) -> R) -> Option<R> {
    let signal = Signal::from_kernel(fields.signo())?;
    let code = fields.code();
    let kind = match SENT.get(code.wrapping_sub(SI_TKILL) as usize) {
        Some(&Some(kind)) => kind,
        _ if code == SI_KERNEL => Kind::Kernel,
        _ => return Some(with(rare(fields, signal))),
    };
    let (first, second) = match kind {
        Kind::Timer => (fields.tid(), fields.overrun()),
        _ => (fields.pid(), fields.uid()),
    };
    let numbers = [first, second, fields.int() as u32];
    Some(with(SignalInfo::of_kind(signal, code, kind, numbers, fields.value_ptr())))
}

/// Decodes one record of a signalfd; `None` if its number is no signal's, which no kernel does.
#[inline(always)]
pub(super) fn decode(record: &[u8; SIZE]) -> Option<SignalInfo> {
    info(Record(record), |info| info)
}

/// Decodes one record of a signalfd to the end of `infos`, if [`decode`] does.
#[inline(always)]
pub(super) fn decode_to(record: &[u8; SIZE], infos: &mut Vec<SignalInfo>) {
    info(Record(record), |info| infos.push(info));
}

/// Decodes a `siginfo_t` as the raw system call `rt_sigtimedwait(2)` writes it; `None` as with
/// [`decode`].
///
/// The bytes are to be zeros before the call: kernels before 4.20 write the fields of the signal's
/// code alone.
#[inline(always)]
pub(super) fn decode_siginfo(raw: &[u8; SIZE]) -> Option<SignalInfo> {
    info(Raw::native(raw), |info| info)
}
