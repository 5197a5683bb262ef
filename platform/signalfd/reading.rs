//! Reading records, by `read(2)`.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
#[cfg(feature = "tokio")]
use std::sync::OnceLock;

use rustix::io::Errno;

#[cfg(feature = "tokio")]
use super::opening::Descriptors;
use super::siginfo;
use crate::SignalInfo;
#[cfg(feature = "tokio")]
use crate::SignalSet;
#[cfg(feature = "tokio")]
use crate::platform::atomic_set::AtomicSet;
#[cfg(feature = "tokio")]
use crate::platform::kernel::Os;

/// Records of one `read(2)`: beyond this many, a larger buffer gains nothing.
const BATCH: usize = 64;

/// Room for records. Each fills two cache lines, which the kernel writes faster if it fills them
/// whole.
#[repr(align(64))]
struct Records<const N: usize>([[MaybeUninit<u8>; siginfo::SIZE]; N]);

impl<const N: usize> Records<N> {
    fn new() -> Records<N> {
        Records([[MaybeUninit::uninit(); siginfo::SIZE]; N])
    }

    fn bytes(&mut self) -> &mut [MaybeUninit<u8>] {
        self.0.as_flattened_mut()
    }
}

/// The next record, if there is one.
pub(super) fn read_one(fd: &OwnedFd) -> io::Result<Option<SignalInfo>> {
    let mut buffer = Records::<1>::new();
    match read(fd, buffer.bytes())?.first_chunk() {
        None => Ok(None),
        Some(record) => siginfo::decode(record).map(Some).ok_or_else(no_signal),
    }
}

/// Appends up to `limit` records and returns their number; stops early at a short read, which need not
/// mean that nothing is left.
pub(super) fn read_many(
    fd: &OwnedFd,
    infos: &mut Vec<SignalInfo>,
    limit: usize,
) -> io::Result<usize> {
    let mut buffer = Records::<BATCH>::new();
    let mut total = 0;
    while total < limit {
        let batch = BATCH.min(limit - total);
        let bytes = match read(fd, &mut buffer.bytes()[..batch * siginfo::SIZE]) {
            Ok(bytes) => bytes,
            // What was read stays read; the error will come again.
            Err(_) if total > 0 => break,
            Err(error) => return Err(error),
        };
        let records = bytes.chunks_exact(siginfo::SIZE);
        let count = records.len();
        infos.reserve(count);
        for record in records {
            if let Some(record) = record.first_chunk() {
                siginfo::decode_to(record, infos);
            }
        }
        total += count;
        if count < batch {
            break;
        }
    }
    Ok(total)
}

/// What one `read(2)` gives: whole records, or nothing if nothing is pending.
fn read<'a>(fd: &OwnedFd, buffer: &'a mut [MaybeUninit<u8>]) -> io::Result<&'a [u8]> {
    match rustix::io::read(fd, buffer) {
        Ok((records, _)) => Ok(records),
        Err(Errno::AGAIN) => Ok(&[]),
        Err(errno) => Err(errno.into()),
    }
}

pub(super) fn no_signal() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the kernel's record has no signal's number")
}

/// A receiver's second descriptor: to read what the first one does not yield at the moment. To change what
/// that yields would wake all that waits for it. Opened when it is used for the first time; nothing waits
/// for this one.
#[cfg(feature = "tokio")]
#[derive(Default)]
pub(super) struct Second {
    fd: OnceLock<OwnedFd>,
    /// What it yields.
    set: AtomicSet,
}

#[cfg(feature = "tokio")]
impl Second {
    /// The descriptor, which yields the signals of `set`; `None` if the process has no room for it. One
    /// thread at a time may read so.
    pub(super) fn yielding(&self, set: SignalSet) -> Option<&OwnedFd> {
        let Some(fd) = self.fd.get() else {
            let opened = Os.open(set).ok()?;
            self.set.set(set);
            return Some(self.fd.get_or_init(|| opened));
        };
        if self.set.get() != set {
            Os.change(fd, set).ok()?;
            self.set.set(set);
        }
        Some(fd)
    }
}
