//! Fault injection: each system call that the crate makes is refused at its first, second, ... use,
//! until it is not used that often. No panic, no descriptor left open; where the operation returned
//! an error, mask, dispositions and claims are as before; and afterwards all works again.
#![cfg_attr(target_os = "linux", allow(unsafe_code))] // the kernel's notifications

mod harness;
#[cfg(target_os = "linux")]
#[path = "faults/operations.rs"]
mod operations;
#[cfg(target_os = "linux")]
#[path = "faults/supervisor.rs"]
mod supervisor;

#[cfg(target_os = "linux")]
use operations::*;

#[cfg(target_os = "linux")]
const ROLES: &[harness::Role] = roles![does_nothing];

#[cfg(not(target_os = "linux"))]
const ROLES: &[harness::Role] = &[];

fn main() {
    harness::main(
        cases![
            #![cfg(target_os = "linux", "only Linux tells a supervisor of each system call")]
            opening,
            opening_after_a_drop_elsewhere,
            updating,
            receiving,
            dropping,
            dropping_elsewhere,
            dropping_elsewhere_for_the_first_time,
            guarding,
            asking_for_masks,
            spawning,
            spawning_without_a_fork,
            failing_to_exec,
        ],
        ROLES,
    );
}
