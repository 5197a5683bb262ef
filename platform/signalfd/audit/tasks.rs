//! The directory of this process' threads, `/proc/self/task`.

use std::ffi::CStr;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Seek as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;

use super::stat::Stat;
use super::status::{Status, Text, decimal};
use crate::platform::signalfd::calls;

pub(super) const TASKS: &str = "/proc/self/task";

/// The calling thread's number as this `/proc` shows it (`/proc/thread-self`): not what `gettid(2)`
/// says, should `/proc` be of an outer pid namespace.
pub(in crate::platform) fn own_tid() -> u32 {
    // "PID/task/TID"
    let shown = fs::read_link("/proc/thread-self").ok();
    let shown = shown.and_then(|path| path.file_name()?.to_str()?.parse().ok());
    shown.unwrap_or_else(|| rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs())
}

/// The directory of this process' threads, open: a file that is named from there is found in half the
/// time.
pub(super) struct Tasks {
    directory: File,
    /// Entries as the kernel writes them.
    entries: Vec<u8>,
    /// How many threads were on the list before.
    listed: usize,
}

impl Tasks {
    /// With room for a list of so many threads; `None` where `/proc` is not mounted.
    pub(super) fn open(threads: usize) -> io::Result<Option<Tasks>> {
        match File::open(TASKS) {
            Ok(directory) => {
                // Two more for the directories.
                let len = (threads + 2).saturating_mul(ENTRY).min(MOST);
                Ok(Some(Tasks { directory, entries: vec![0; len], listed: threads }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(naming(TASKS, error)),
        }
    }

    /// The threads that are listed now, in the order of their numbers.
    pub(super) fn list(&mut self) -> io::Result<Vec<u32>> {
        self.read_list().map_err(|error| naming(TASKS, error))
    }

    fn read_list(&mut self) -> io::Result<Vec<u32>> {
        let mut list = Vec::with_capacity(self.listed);
        self.directory.rewind()?;
        loop {
            let len = calls::list(self.directory.as_fd(), &mut self.entries)?;
            if len == 0 {
                break;
            }
            list.extend(Names(&self.entries[..len]).filter_map(decimal::<u32>));
        }
        // They come in the order in which the threads were started, mostly that of their numbers.
        list.sort_unstable();
        self.listed = list.len();
        Ok(list)
    }

    /// The number of threads, as the kernel counts them just now: it says that the directory has two
    /// links more (`proc_task_getattr` in its `fs/proc/base.c`). This takes a tenth of the time of a
    /// status; a kernel that says something else is asked for that.
    pub(super) fn count(&self) -> Option<usize> {
        let links = self.directory.metadata().ok()?.nlink();
        links.checked_sub(2)?.try_into().ok()
    }

    /// What the thread's status says; `None` if it has ended. Its text is read to `text`.
    pub(super) fn status(&self, tid: u32, text: &mut Text) -> io::Result<Option<Status>> {
        let status = self.open_file(tid, b"/status\0").and_then(|file| text.read(file));
        unless_ended(|| format!("{TASKS}/{tid}/status"), status)
    }

    /// What the thread's stat says, which the kernel writes in a third of the time.
    pub(super) fn stat(&self, tid: u32, text: &mut Text) -> io::Result<Stat> {
        self.open_file(tid, b"/stat\0\0\0").and_then(|file| text.read_stat(file))
    }

    fn open_file(&self, tid: u32, name: &[u8; 8]) -> io::Result<File> {
        // The number goes before the name, and has ten digits at most.
        let (mut path, mut at, mut rest) = ([b'0'; 18], 10, tid);
        path[at..].copy_from_slice(name);
        while rest > 0 {
            at -= 1;
            path[at] += (rest % 10) as u8;
            rest /= 10;
        }
        let path = CStr::from_bytes_until_nul(&path[at..]).unwrap_or_default();
        calls::open_at(self.directory.as_fd(), path)
    }
}

/// Room for an entry that a number of eight digits names, and at most for a thousand.
const ENTRY: usize = 32;
const MOST: usize = 32 * 1024;

/// The names in what `getdents64(2)` writes: number (8 bytes), offset (8), length of the entry (2), type
/// (1), name, and a zero.
struct Names<'a>(&'a [u8]);

impl<'a> Iterator for Names<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let len = u16::from_ne_bytes(*self.0.get(16..)?.first_chunk()?);
        let (entry, rest) = self.0.split_at_checked(len.into())?;
        self.0 = rest;
        entry.get(19..)?.split(|&byte| byte == 0).next()
    }
}

/// `None` if the thread has ended: the file is gone (`ENOENT`), or goes while it is read (`ESRCH`).
pub(super) fn unless_ended<T>(
    path: impl FnOnce() -> String,
    read: io::Result<T>,
) -> io::Result<Option<T>> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(None),
        Err(error) => Err(naming(&path(), error)),
    }
}

/// A file of `/proc` that can't be read: which one, why, and what to do.
#[derive(Debug)]
struct Unreadable {
    path: String,
    error: io::Error,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unreadable { path, error } = self;
        write!(
            f,
            "reading {path}: {error}: the audit of this process' threads needs a readable /proc (no \
             security policy in its way, two descriptors to spare); or open the receiver with \
             Signals::builder().audit(false), if you know that every thread blocks the signals"
        )
    }
}

impl std::error::Error for Unreadable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Says what was read when it failed. The kind stays, so does the error itself, as the source.
fn naming(path: &str, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), Unreadable { path: path.to_owned(), error })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An entry as the kernel writes it.
    fn entry(name: &str) -> Vec<u8> {
        let len = (19 + name.len() + 1).next_multiple_of(8);
        let mut entry = vec![7; 16];
        entry.extend(u16::try_from(len).expect("short").to_ne_bytes());
        entry.push(4);
        entry.extend(name.as_bytes());
        entry.resize(len, 0);
        entry
    }

    #[test]
    fn names_of_entries() {
        let bytes = [".", "..", "1", "4194303", "12345"].map(entry).concat();
        let numbers: Vec<u32> = Names(&bytes).filter_map(decimal).collect();
        assert_eq!(numbers, [1, 4_194_303, 12_345]);
        for len in 0..bytes.len() {
            assert!(Names(&bytes[..len]).count() < 5, "what is cut off is no name");
        }
        assert_eq!(Names(&[0; 64]).take(100).filter_map(decimal::<u32>).count(), 0);
    }

    proptest! {
        #[test]
        fn any_bytes(entries: Vec<u8>) {
            prop_assert!(Names(&entries).count() <= entries.len());
        }
    }
}
