//! System calls that the kernel refuses to this process: seccomp filters, written by hand.

use nix::libc;

/// What an architecture calls itself in a filter's input (`linux/audit.h`): its ELF number, and
/// whether it has 64 bits and is little-endian.
const ARCHITECTURE: u32 = {
    let machine: u32 = match () {
        () if cfg!(target_arch = "x86") => 3,
        () if cfg!(any(target_arch = "mips", target_arch = "mips64")) => 8,
        () if cfg!(target_arch = "powerpc") => 20,
        () if cfg!(target_arch = "powerpc64") => 21,
        () if cfg!(target_arch = "s390x") => 22,
        () if cfg!(target_arch = "arm") => 40,
        () if cfg!(target_arch = "x86_64") => 62,
        () if cfg!(target_arch = "aarch64") => 183,
        () if cfg!(any(target_arch = "riscv32", target_arch = "riscv64")) => 243,
        () if cfg!(target_arch = "loongarch64") => 258,
        () => panic!("an architecture whose number in a filter's input is to be added here"),
    };
    let wide = if cfg!(target_pointer_width = "64") { 0x8000_0000 } else { 0 };
    let little = if cfg!(target_endian = "little") { 0x4000_0000 } else { 0 };
    machine | wide | little
};

/// Where `struct seccomp_data` has the call's number and the architecture.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;

fn statement(code: u32, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: code.try_into().expect("16 bits"), jt: 0, jf: 0, k }
}

/// Skips `jf` statements unless what was loaded is `k`.
fn unless_equal(k: u32, jf: u8) -> libc::sock_filter {
    let code = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    libc::sock_filter { jf, ..statement(code, k) }
}

/// Refuses each of these calls with its errno, in all threads that the caller starts from now on and
/// in itself, for good. `false` if this process may have no filter.
#[must_use]
pub fn deny(calls: &[(libc::c_long, i32)]) -> bool {
    let verdicts = calls.iter().map(|&(call, errno)| {
        let errno = u32::try_from(errno).expect("an errno") & libc::SECCOMP_RET_DATA;
        (call, libc::SECCOMP_RET_ERRNO | errno)
    });
    install(&verdicts.collect::<Vec<_>>(), 0).is_some()
}

/// Installs a filter that answers each of these calls with its verdict and allows the others.
/// Returns what seccomp(2) does: 0, or a descriptor if `flags` ask for one.
pub fn install(calls: &[(libc::c_long, u32)], flags: libc::c_ulong) -> Option<libc::c_int> {
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let answer = |verdict| statement(libc::BPF_RET | libc::BPF_K, verdict);
    let allow = answer(libc::SECCOMP_RET_ALLOW);
    let mut program = vec![
        statement(load, ARCH),
        libc::sock_filter { jt: 1, ..unless_equal(ARCHITECTURE, 0) },
        allow,
        statement(load, NUMBER),
    ];
    for &(call, verdict) in calls {
        program.push(unless_equal(call.try_into().expect("a call's number"), 1));
        program.push(answer(verdict));
    }
    program.push(allow);
    let program = libc::sock_fprog {
        len: program.len().try_into().expect("a short program"),
        filter: program.as_mut_ptr(),
    };
    let [yes, no]: [libc::c_ulong; 2] = [1, 0];
    // SAFETY: sets a flag of this process, which a filter needs without rights.
    if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, yes, no, no, no) } != 0 {
        return None;
    }
    // SAFETY: the kernel copies the program, which is live.
    let done = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program)
    };
    libc::c_int::try_from(done).ok().filter(|&done| done >= 0)
}
