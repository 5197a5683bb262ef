//! signal-source beside the raw system calls and its peers: README.md says how to run it.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
use linux::main;

/// Raw signalfd is the measure, and most peers that share the kernel's queue stand on it too.
#[cfg(not(target_os = "linux"))]
fn main() {
    println!("These benchmarks compare with signalfd, which this system does not have.");
}
