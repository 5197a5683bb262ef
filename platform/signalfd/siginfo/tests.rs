//! The rules on made-up records, in each layout; `tests/kernel.rs` beside this has the kernel's own.

#[cfg(target_os = "linux")] // Android has no POSIX message queues
mod kernel;

use proptest::prelude::*;

use super::raw::Layout;
use super::*;
use crate::Sender;

const CODE: usize = 8;
const PID: usize = 12;
const UID: usize = 16;
const FD: usize = 20;
const BAND: usize = 28;
const STATUS: usize = 40;
const INT: usize = 44;

fn record(fields: &[(usize, i32)]) -> SignalInfo {
    decode(&filled(fields)).expect("a signal's number")
}

fn filled(fields: &[(usize, i32)]) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    for &(offset, value) in fields {
        bytes[offset..offset + 4].copy_from_slice(&value.to_ne_bytes());
    }
    bytes
}

#[test]
fn pid_zero_is_no_process() {
    let lost = record(&[(0, 15), (CODE, SI_USER), (UID, 1000)]);
    assert_eq!(lost.origin(), Origin::Unknown);
    assert_eq!((lost.sender(), lost.is_verified()), (None, false));
    let outside = record(&[(0, 34), (CODE, SI_QUEUE), (INT, 7)]);
    assert_eq!(outside.origin(), Origin::Queue { sender: None, value: 7 });
    let child = record(&[(0, Signal::CHLD.as_raw()), (CODE, 1), (STATUS, 3)]);
    assert_eq!(child.origin(), Origin::Unknown);
}

#[test]
fn a_code_means_a_child_with_chld_alone() {
    let child = [(CODE, 1), (PID, 9), (UID, 1), (STATUS, 3)];
    let chld = record(&[&[(0, Signal::CHLD.as_raw())], &child[..]].concat());
    assert!(matches!(
        chld.origin(),
        Origin::Child(ChildInfo { pid: 9, status: ChildStatus::Exited(3), .. })
    ));
    let io = record(&[(0, Signal::IO.as_raw()), (CODE, 1), (FD, 5), (BAND, 0x41)]);
    assert_eq!(io.origin(), Origin::Io { fd: 5, band: 0x41 });
}

#[test]
fn what_is_not_understood_is_unknown() {
    let forged = record(&[(0, 15), (CODE, -60), (PID, 5)]);
    assert_eq!((forged.origin(), forged.code()), (Origin::Unknown, Some(-60)));
    let child = record(&[(0, Signal::CHLD.as_raw()), (CODE, 2), (PID, 5), (STATUS, 0)]);
    assert_eq!(child.origin(), Origin::Unknown);
    assert!(decode(&[0; SIZE]).is_none());
    assert!(decode(&filled(&[(0, 500)])).is_none());
    assert!(decode_siginfo(&[0; SIZE]).is_none());
}

/// What the kernel lets a process write for another is not verified, all else is.
#[test]
fn negative_codes_are_the_senders_word() {
    for code in [SI_USER, SI_TKILL, SI_KERNEL, 1, 6] {
        let info = record(&[(0, 15), (CODE, code), (PID, 5)]);
        assert!(info.is_verified(), "{info:?}");
    }
    for code in [SI_QUEUE, SI_TIMER, SI_MESGQ, SI_ASYNCIO, SI_SIGIO, -7, -60, i32::MIN] {
        let info = record(&[(0, 15), (CODE, code), (PID, 5)]);
        assert!(!info.is_verified(), "{info:?}");
    }
}

fn raw(fields: &[(usize, i32)], layout: Layout) -> SignalInfo {
    info(raw::Raw::with(&filled(fields), layout), |info| info).expect("a signal's number")
}

/// Offsets as the kernel's headers have them, for the architectures that no test runs on.
#[test]
fn the_layouts_of_other_architectures() {
    let long = Layout { swapped: false, word: 8, clock: 8, band: 8 };
    let int = Layout { swapped: false, word: 4, clock: 4, band: 4 };
    let mips = Layout { swapped: true, ..int };
    let x32 = Layout { clock: 8, ..int };
    let user = Origin::Process(Sender { pid: 7, uid: 8 });
    // The low half of a wide number comes first on a little-endian machine, and last on others.
    let low = |width: usize| if cfg!(target_endian = "big") { width - 4 } else { 0 };
    for (layout, code, at) in [(long, 8, 16), (int, 8, 12), (mips, 4, 12), (x32, 8, 12)] {
        let start = [(0, 15), (code, SI_USER), (12 - code, 99)];
        let sent = raw(&[&start[..], &[(at, 7), (at + 4, 8)]].concat(), layout);
        assert_eq!((sent.origin(), sent.code()), (user, Some(SI_USER)));
        let start = [(0, 15), (code, SI_QUEUE)];
        let queued = raw(&[&start[..], &[(at, 7), (at + 8, -3)]].concat(), layout);
        assert_eq!((queued.sender().map(|by| by.pid), queued.value()), (Some(7), Some(-3)));
        let start = [(0, 15), (code, 1), (at + low(layout.band), 0x41)];
        let ready = raw(&[&start[..], &[(at + layout.band, 5)]].concat(), layout);
        assert_eq!(ready.origin(), Origin::Io { fd: 5, band: 0x41 });
        let start = [(0, Signal::CHLD.as_raw()), (code, 1), (at, 7), (at + 8, 3)];
        // Two ticks of user time, three of system time.
        let times = if layout.word == 8 { at + 16 } else { at + 12 };
        let times = times + low(layout.clock);
        let times = [(times, 2), (times + layout.clock, 3)];
        let Origin::Child(child) = raw(&[&start[..], &times].concat(), layout).origin() else {
            panic!("a child")
        };
        let millis = (child.user_time.as_millis(), child.system_time.as_millis());
        assert_eq!((child.status, millis), (ChildStatus::Exited(3), (20, 30)));
    }
}

fn is_sound(info: SignalInfo) {
    assert!((1..=128).contains(&info.signal().as_raw()));
    assert!(info.sender().is_none_or(|sender| sender.pid != 0), "{info:?}");
    assert_eq!(info.value().is_some(), info.value_ptr().is_some());
    assert!(!info.is_verified() || info.code().is_some_and(|code| code >= 0 || code == SI_TKILL));
    assert!(info.origin() != Origin::Unknown || !info.is_verified());
    assert!(!format!("{info} {info:?}").contains('\n'));
}

proptest! {
    /// No bytes make a panic, nor a sender that is no process.
    #[test]
    fn any_bytes(bytes: [[u8; 32]; 4], signal in 0..130_i32, code in -70..140_i32) {
        let mut bytes: [u8; SIZE] = bytes.as_flattened().try_into().expect("128 bytes");
        decode(&bytes).into_iter().chain(decode_siginfo(&bytes)).for_each(is_sound);
        // Nearly all of these have a number that is none: give them a likely one.
        bytes[0..4].copy_from_slice(&signal.to_ne_bytes());
        bytes[8..12].copy_from_slice(&code.to_ne_bytes());
        let infos = decode(&bytes).into_iter().chain(decode_siginfo(&bytes));
        prop_assert_eq!(infos.map(is_sound).count(), if (1..=128).contains(&signal) { 2 } else { 0 });
    }
}
