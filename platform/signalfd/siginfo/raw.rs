//! A `siginfo_t` as the kernel lays it out (`include/uapi/asm-generic/siginfo.h`).
//!
//! Three integers (number, errno, code) stand in front of a union, which is aligned to the size of
//! a `long`; what is in the union depends on the code. MIPS has code and errno the other way round.
//! The C library's own declaration is the same memory, but the libc crate does not show each field
//! on each target, so they are read by their offsets.

use super::{Fields, SIZE, bytes};

const _: () = assert!(size_of::<libc::siginfo_t>() == SIZE);

/// What differs by architecture.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    /// `__ARCH_HAS_SWAPPED_SIGINFO`: code, then errno.
    pub(super) swapped: bool,
    /// The bytes of a pointer, to which the union is aligned.
    pub(super) word: usize,
    /// The bytes of a `clock_t` and of `si_band`: a `long` of the kernel, which is wider than a
    /// pointer in programs of the x32 kind, for the former; sparc has an `int` for the latter.
    pub(super) clock: usize,
    pub(super) band: usize,
}

impl Layout {
    pub(super) const NATIVE: Layout = {
        let word = size_of::<usize>();
        let x32 = cfg!(all(target_arch = "x86_64", target_pointer_width = "32"));
        let sparc64 = cfg!(target_arch = "sparc64");
        Layout {
            swapped: super::MIPS,
            word,
            clock: if x32 { 8 } else { word },
            band: if sparc64 { 4 } else { word },
        }
    };

    /// Where the union begins.
    const fn union(self) -> usize {
        12_usize.next_multiple_of(self.word)
    }
}

/// A `siginfo_t` in a layout.
#[derive(Clone, Copy)]
pub(super) struct Raw<'a> {
    bytes: &'a [u8; SIZE],
    layout: Layout,
}

impl<'a> Raw<'a> {
    #[inline(always)]
    pub(super) fn native(bytes: &'a [u8; SIZE]) -> Raw<'a> {
        Raw { bytes, layout: Layout::NATIVE }
    }

    #[cfg(test)]
    pub(super) fn with(bytes: &'a [u8; SIZE], layout: Layout) -> Raw<'a> {
        Raw { bytes, layout }
    }

    /// At so many bytes from the union's begin.
    #[inline(always)]
    fn u32(self, offset: usize) -> u32 {
        u32::from_ne_bytes(bytes(self.bytes, self.layout.union() + offset))
    }

    #[inline(always)]
    fn i32(self, offset: usize) -> i32 {
        i32::from_ne_bytes(bytes(self.bytes, self.layout.union() + offset))
    }

    /// As the kernel widens it for a signalfd: with its sign.
    #[inline(always)]
    fn long(self, offset: usize, size: usize) -> u64 {
        match size {
            8 => u64::from_ne_bytes(bytes(self.bytes, self.layout.union() + offset)),
            _ => i64::from(self.i32(offset)) as u64,
        }
    }

    /// The child's user time stands behind pid, uid and status, aligned.
    #[inline(always)]
    fn times(self) -> usize {
        12_usize.next_multiple_of(self.layout.word)
    }
}

impl Fields for Raw<'_> {
    #[inline(always)]
    fn signo(self) -> u32 {
        u32::from_ne_bytes(bytes(self.bytes, 0))
    }

    #[inline(always)]
    fn code(self) -> i32 {
        i32::from_ne_bytes(bytes(self.bytes, if self.layout.swapped { 4 } else { 8 }))
    }

    #[inline(always)]
    fn pid(self) -> u32 {
        self.u32(0)
    }

    #[inline(always)]
    fn uid(self) -> u32 {
        self.u32(4)
    }

    #[inline(always)]
    fn tid(self) -> u32 {
        self.u32(0)
    }

    #[inline(always)]
    fn overrun(self) -> u32 {
        self.u32(4)
    }

    #[inline(always)]
    fn status(self) -> i32 {
        self.i32(8)
    }

    #[inline(always)]
    fn int(self) -> i32 {
        self.i32(8)
    }

    #[inline(always)]
    fn ptr(self) -> u64 {
        self.long(8, self.layout.word)
    }

    #[inline(always)]
    fn utime(self) -> u64 {
        self.long(self.times(), self.layout.clock)
    }

    #[inline(always)]
    fn stime(self) -> u64 {
        self.long(self.times() + self.layout.clock, self.layout.clock)
    }

    #[inline(always)]
    fn fd(self) -> i32 {
        self.i32(self.layout.band)
    }

    /// As the kernel narrows it for a signalfd.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation)]
    fn band(self) -> i32 {
        self.long(0, self.layout.band) as i32
    }
}
