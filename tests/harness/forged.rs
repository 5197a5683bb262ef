//! Records that a sender makes up.

use std::io;

use nix::libc;
use signal_source::Signal;

/// MIPS numbers some codes differently, and has code and errno the other way round.
pub const MIPS: bool = cfg!(any(target_arch = "mips", target_arch = "mips64"));

/// A record of the sender's own making.
pub struct Forged {
    pub to: u32,
    pub signal: Signal,
    pub code: i32,
    pub pid: u32,
    pub uid: u32,
    pub value: i32,
}

impl Forged {
    /// One for this process, as zeros.
    pub fn of_us(signal: Signal) -> Forged {
        Forged { to: super::pid(), signal, code: 0, pid: 0, uid: 0, value: 0 }
    }
}

/// `rt_sigqueueinfo(2)`: the kernel passes on what the sender wrote.
pub fn forge(forged: &Forged) -> io::Result<()> {
    #[repr(C, align(8))]
    struct Info([i32; 32]);
    let mut info = Info([0; 32]);
    info.0[if MIPS { 1 } else { 2 }] = forged.code;
    // Behind number, errno and code, aligned to a pointer: pid, uid, value.
    let union = 12_usize.next_multiple_of(size_of::<usize>()) / 4;
    info.0[union] = forged.pid as i32;
    info.0[union + 1] = forged.uid as i32;
    info.0[union + 2] = forged.value;
    let (number, info) = (forged.signal.as_raw(), info.0.as_ptr());
    // SAFETY: reads the record, which is a `siginfo_t` in size and alignment.
    let sent = unsafe { libc::syscall(libc::SYS_rt_sigqueueinfo, forged.to, number, info) };
    if sent == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
