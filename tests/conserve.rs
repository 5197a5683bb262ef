//! Conservation: 20,000 signals from another process, each with a number of its own, while
//! receivers come and go in every way. Each is received once or handled once; none twice, none
//! never.
//!
//! Linux alone tells the numbers.
#![cfg_attr(target_os = "linux", allow(unsafe_code))] // a handler that reads the numbers

mod harness;
#[cfg(target_os = "linux")]
#[path = "conserve/ledger.rs"]
mod ledger;
#[cfg(target_os = "linux")]
#[path = "conserve/ways.rs"]
mod ways;

#[cfg(target_os = "linux")]
fn main() {
    use ways::*;
    harness::main(
        cases![
            twenty_thousand_each_once,
            twenty_thousand_under_tokio,
            twenty_thousand_on_one_receiver,
        ],
        roles![sender],
    );
}

#[cfg(not(target_os = "linux"))]
fn main() {
    harness::main(&[], &[]);
}
