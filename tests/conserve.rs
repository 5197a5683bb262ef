//! Conservation: thousands of signals from other processes, while receivers come and go in every way.
//! None is lost.
//!
//! By numbers, where the kernel tells one with each signal: 20,000 in floods, each of which is received
//! once or handled once. By counts, on every kernel: 6,000, of which three are under way at a time, so
//! that no two are merged. Each of those is received or handled; where no call changes both at once, it
//! may be both in the moment of an opening or a closing.
#![cfg_attr(target_os = "linux", allow(unsafe_code))] // a handler that reads the numbers
#![allow(clippy::duplicate_mod)] // the same ways, over either ledger

#[path = "conserve/counts.rs"]
mod counts;
mod harness;
#[cfg(target_os = "linux")]
#[path = "conserve/numbers.rs"]
mod numbers;

use counts::sends_one_at_a_time;
use counts::ways::{
    each_once as counted, each_once_on_one_receiver as counted_on_one_receiver,
    each_once_on_one_shared_receiver as counted_on_one_shared_receiver,
    each_once_under_tokio as counted_under_tokio,
};
#[cfg(target_os = "linux")]
use numbers::{
    sender,
    ways::{
        each_once as numbered, each_once_on_one_receiver as numbered_on_one_receiver,
        each_once_on_one_shared_receiver as numbered_on_one_shared_receiver,
        each_once_under_tokio as numbered_under_tokio,
    },
};

fn main() {
    harness::main(
        cases![
            #[cfg(target_os = "linux", "only Linux tells the number that comes with each signal")]
            numbered,
            #[cfg(target_os = "linux", "only Linux tells the number that comes with each signal")]
            numbered_under_tokio,
            #[cfg(target_os = "linux", "only Linux tells the number that comes with each signal")]
            numbered_on_one_receiver,
            #[cfg(target_os = "linux", "only Linux tells the number that comes with each signal")]
            numbered_on_one_shared_receiver,
            counted,
            counted_under_tokio,
            counted_on_one_receiver,
            counted_on_one_shared_receiver,
        ],
        roles![
            #[cfg(target_os = "linux")]
            sender,
            sends_one_at_a_time,
        ],
    );
}
