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
#[path = "conserve/receivers.rs"]
mod receivers;

#[cfg(target_os = "linux")]
use receivers::*;

#[cfg(target_os = "linux")]
const ROLES: &[harness::Role] = roles![sender];

#[cfg(not(target_os = "linux"))]
const ROLES: &[harness::Role] = &[];

fn main() {
    harness::main(
        cases![
            #![cfg(target_os = "linux", "only Linux tells the number that comes with each signal")]
            twenty_thousand_each_once,
            twenty_thousand_under_tokio,
            twenty_thousand_on_one_receiver,
            twenty_thousand_on_one_shared_receiver,
        ],
        ROLES,
    );
}
