//! Under a sandbox: system calls that are refused make clear errors, and nothing is left behind.
//!
//! The filters stay for good, so each case goes on under its own.
#![cfg_attr(target_os = "linux", allow(unsafe_code))] // dispositions and masks past the filter

#[cfg(target_os = "linux")]
#[path = "sandbox/denied.rs"]
mod denied;
mod harness;

#[cfg(target_os = "linux")]
use denied::*;

fn main() {
    harness::main(
        cases![
            #![cfg(target_os = "linux", "seccomp filters are Linux's")]
            changing_the_mask,
            changing_the_mask_on_update,
            changing_the_mask_on_drop,
            making_the_descriptor,
            making_the_descriptor_once_more,
            waiting_for_a_signal,
            queueing_a_record,
            queueing_a_record_to_a_full_queue,
            opening_proc,
            opening_proc_without_permission,
            listing_the_threads,
            listing_the_threads_on_update,
            reading_the_threads,
            starting_the_delegate,
        ],
        roles![],
    );
}
