//! The first process of the machines that `.ci/kernels` boots: runs each test binary of `/tests/deps`,
//! says how each ended, and switches the machine off. Under the names `true` and `cat` it is these
//! tools, which some cases start.
//!
//! On its own: `rustc --edition 2024`, statically linked. What std has no function for is asked of the
//! C library that std brings with it.

use std::env;
use std::ffi::{CString, c_char, c_int, c_ulong, c_void};
use std::fs;
use std::io::{self, Write};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::ptr;
use std::time::Instant;

unsafe extern "C" {
    fn mount(
        source: *const c_char,
        target: *const c_char,
        kind: *const c_char,
        flags: c_ulong,
        data: *const c_void,
    ) -> c_int;
    fn reboot(command: c_int) -> c_int;
    fn sync();
    fn waitpid(pid: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn ioctl(fd: c_int, request: c_ulong, ...) -> c_int;
    fn kill(pid: c_int, signal: c_int) -> c_int;
}

const POWER_OFF: c_int = 0x4321_FEDC;
const SIGKILL: c_int = 9;

fn main() {
    match env::args().next().as_deref().map(|name| name.rsplit('/').next()) {
        Some(Some("true")) => return,
        Some(Some("cat")) => {
            let _ = io::copy(&mut io::stdin(), &mut io::stdout());
            return;
        }
        _ => {}
    }
    for (kind, target) in [
        ("proc", "/proc"),
        ("sysfs", "/sys"),
        ("devtmpfs", "/dev"),
        ("devpts", "/dev/pts"),
        ("tmpfs", "/dev/shm"),
        ("mqueue", "/dev/mqueue"),
        ("tmpfs", "/tmp"),
    ] {
        if let Err(error) = mounted(kind, target) {
            println!("init: {target}: {error}");
        }
    }
    if let Err(error) = loopback_up() {
        println!("init: lo: {error}");
    }
    println!("init: {}", fs::read_to_string("/proc/version").unwrap_or_default().trim());
    match run_all() {
        Ok(()) => println!("init: the end"),
        Err(error) => println!("init: {error}"),
    }
    let _ = io::stdout().flush();
    // SAFETY: writes back what there is.
    unsafe { sync() };
    // SAFETY: switches the machine off: there is no other process.
    unsafe { reboot(POWER_OFF) };
    // A machine that can't be switched off: its emulator is ended when it has said "the end".
    loop {
        std::thread::park();
    }
}

fn mounted(kind: &str, target: &str) -> io::Result<()> {
    fs::create_dir_all(target)?;
    let (kind, target) = (CString::new(kind)?, CString::new(target)?);
    // SAFETY: three strings that end with a zero, and no data.
    match unsafe { mount(kind.as_ptr(), target.as_ptr(), kind.as_ptr(), 0, ptr::null()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Sets the flags of the interface to "up": some examples serve requests.
fn loopback_up() -> io::Result<()> {
    /// `struct ifreq`, as far as it is read.
    #[repr(C)]
    struct Request {
        name: [u8; 16],
        flags: i16,
        rest: [u8; 22],
    }
    // MIPS alone has numbers of its own for what this program calls, but not for this.
    const SIOCSIFFLAGS: c_ulong = 0x8914;
    const IFF_UP: i16 = 1;

    let socket = UdpSocket::bind("0.0.0.0:0")?;
    let mut request = Request { name: [0; 16], flags: IFF_UP, rest: [0; 22] };
    request.name[..2].copy_from_slice(b"lo");
    // SAFETY: a request of the size that the kernel reads.
    match unsafe { ioctl(socket.as_raw_fd(), SIOCSIFFLAGS, &raw mut request) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The arguments of all binaries, and of each, are files of the initramfs: one argument a line.
fn arguments(name: &str) -> Vec<String> {
    let lines = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
    let text = lines(Path::new("/tests/all").into()) + &lines(Path::new("/tests/of").join(name));
    text.lines().map(Into::into).collect()
}

fn run_all() -> io::Result<()> {
    let mut paths: Vec<_> = fs::read_dir("/tests/deps")?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        println!("init: {name} starts");
        let started = Instant::now();
        let ended = run(&path, &arguments(&name));
        let seconds = started.elapsed().as_secs();
        match ended {
            Ok(0) => println!("init: {name} passed in {seconds} s"),
            Ok(status) => {
                println!("init: {name} failed in {seconds} s, with the wait status {status:#x}")
            }
            Err(error) => println!("init: {name} failed: {error}"),
        }
    }
    Ok(())
}

/// Runs a binary to its end, waits for what it leaves behind, and returns its wait status.
fn run(path: &Path, arguments: &[String]) -> io::Result<c_int> {
    let child = Command::new(path)
        .args(arguments)
        .env("PATH", "/bin")
        .current_dir("/tmp")
        .stdin(Stdio::null())
        .spawn()?;
    let mut ended = None;
    loop {
        let mut status = 0;
        // SAFETY: writes the status alone.
        let pid = unsafe { waitpid(-1, &raw mut status, 0) };
        if pid == child.id().cast_signed() {
            ended = Some(status);
            // SAFETY: sends a signal to every process but this one. Nothing is to go on beside the next.
            unsafe { kill(-1, SIGKILL) };
        } else if pid < 0 {
            return ended.ok_or_else(io::Error::last_os_error);
        }
    }
}
