//! `reserve_at_start!` beside other constructors, which may start threads before `main` as well.
#![allow(unsafe_code)] // constructors

mod harness;
#[cfg(target_os = "linux")]
#[path = "constructors/started.rs"]
mod started;

#[cfg(target_os = "linux")]
use started::*;

signal_source::reserve_at_start!(TERM, USR1);

#[cfg(target_os = "linux")]
const ROLES: &[harness::Role] = roles![opens, opens_later, waits];

#[cfg(not(target_os = "linux"))]
const ROLES: &[harness::Role] = roles![];

fn main() {
    harness::main(
        cases![
            #![cfg(target_os = "linux", "only Linux needs a reservation")]
            a_thread_of_a_later_constructor_is_no_obstacle,
            a_thread_of_an_earlier_constructor_is_named,
            what_failed_at_the_start_is_told_at_the_first_opening,
            what_failed_at_the_start_leaves_the_signals_alone,
        ],
        ROLES,
    );
}
