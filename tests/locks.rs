//! No lock of the crate is held while the program's own code runs: an earlier handler that takes
//! its time, or that ends the process, keeps only the call waiting that gave its signal back.
//!
//! The handler sleeps until the case tells it to go on, so what must not wait for it either returns
//! or hangs.
#![allow(unsafe_code)] // functions for the process' exit

#[cfg(target_os = "linux")]
#[path = "locks/delegate.rs"]
mod delegate;
#[path = "locks/exits.rs"]
mod exits;
mod harness;

#[cfg(target_os = "linux")]
use delegate::*;
use exits::*;
use harness::End;

#[cfg(target_os = "linux")]
const ROLES: &[harness::Role] = roles![returns_from_main];

#[cfg(not(target_os = "linux"))]
const ROLES: &[harness::Role] = &[];

fn main() {
    harness::main(
        cases![
            #[cfg(target_os = "linux", "only Linux has a delegate thread")]
            threads_end_while_the_delegate_is_in_a_handler,
            #[cfg(target_os = "linux", "only Linux has a delegate thread")]
            exit_while_the_delegate_is_in_a_handler,
            #[cfg(target_os = "linux", "only Linux has a delegate thread")]
            exit_on_a_thread_while_the_delegate_is_in_a_handler,
            #[cfg(target_os = "linux", "only Linux has a delegate thread")]
            exit_by_while_the_delegate_is_in_a_handler,
            #[cfg(target_os = "linux", "only Linux has a delegate thread")]
            main_returns_while_the_delegate_is_in_a_handler,
            #[cfg(target_os = "linux", "only Linux has a delegate thread")]
            another_signal_opens_while_the_delegate_is_in_a_handler,
            #[cfg(target_os = "linux", "only Linux has a delegate thread")]
            another_signal_opens_elsewhere_while_the_delegate_is_in_a_handler,
            #[cfg(target_os = "linux", "only Linux has a delegate thread")]
            the_same_signal_is_refused_while_the_delegate_is_in_its_handler,
            #[cfg(target_os = "linux", "only Linux has a delegate thread")]
            another_receiver_is_dropped_while_the_delegate_is_in_a_handler,
            #[cfg(target_os = "linux", "only Linux has a delegate thread")]
            guards_come_and_go_while_the_delegate_is_in_a_handler,
            #[cfg(target_os = "linux", "only Linux has a delegate thread")]
            another_receiver_is_dropped_unread_while_the_delegate_is_in_a_handler,
            a_drop_that_runs_its_handler_holds_no_lock,
            an_update_that_runs_its_handler_holds_no_lock,
            a_handler_exits_while_a_thread_local_receiver_is_destroyed,
            a_handler_exits_while_a_receiver_is_destroyed_elsewhere => End::Exits(7),
            an_exit_function_joins_a_thread_that_used_the_crate => End::Exits(7),
            an_exit_function_joins_it_after_a_drop_elsewhere => End::Exits(7),
        ],
        ROLES,
    );
}
