//! `reserve`: receivers on any thread, and signals that act as before while no receiver has them.
#![cfg_attr(target_os = "linux", allow(unsafe_code))] // the ledger's handler, which reads numbers

#[path = "reserve/acting.rs"]
mod acting;
#[path = "reserve/anywhere.rs"]
mod anywhere;
#[path = "reserve/children.rs"]
mod children;
mod harness;
#[cfg(target_os = "linux")]
#[path = "conserve/ledger.rs"]
mod ledger;
#[path = "reserve/races.rs"]
mod races;
#[path = "reserve/refused.rs"]
mod refused;

use acting::*;
use anywhere::*;
use children::*;
use harness::End;
#[cfg(target_os = "linux")]
use ledger::sender;
use races::*;
use refused::*;
use signal_source::Signal;

#[cfg(target_os = "linux")]
const ROLES: &[harness::Role] = roles![inherits, stops, sleeps, sender];

#[cfg(not(target_os = "linux"))]
const ROLES: &[harness::Role] = roles![stops, sleeps];

fn main() {
    harness::main(
        cases![
            opens_on_any_thread,
            widens_and_narrows_on_any_thread,
            moves_from_thread_to_thread,
            opens_inside_a_runtime,
            stream_shutdown_and_hub_inside_a_runtime,
            reserving_twice,
            reserving_more,
            reserving_by_many_threads_at_once,
            reserving_while_a_receiver_is_open,
            reserving_while_a_receiver_has_some_of_it,
            reserving_under_a_guard,
            reserving_in_a_thread_that_main_blocks_for,
            kills_while_there_is_no_receiver => End::DiesOf(Signal::TERM),
            kills_after_a_receiver => End::DiesOf(Signal::TERM),
            kills_after_a_receiver_elsewhere => End::DiesOf(Signal::TERM),
            kills_after_the_thread_that_reserved_has_ended => End::DiesOf(Signal::TERM),
            kills_by_what_a_receiver_left_unread => End::DiesOf(Signal::HUP),
            kills_by_what_update_removed => End::DiesOf(Signal::HUP),
            kills_by_the_second_ctrl_c_after_a_shutdown => End::DiesOf(Signal::INT),
            kills_by_exit_by_what_raise_left_pending => End::DiesOf(Signal::TERM),
            stops_and_goes_on,
            an_earlier_handler_runs,
            a_later_handler_runs,
            ignored_stays_ignored,
            #[cfg(target_os = "linux", "elsewhere a signal that is ignored is never pending")]
            a_handler_may_come_before_it_is_ignored,
            ignored_children_are_reaped,
            a_guard_keeps_it_pending,
            the_last_of_several_guards_lets_it_in,
            a_guard_of_another_thread_keeps_it_pending,
            pending_before_acts,
            pending_for_a_guard_is_received,
            refused_when_another_thread_does_not_block,
            refused_inside_a_runtime,
            refused_while_an_open_set_is_widened,
            refused_sets,
            leaves_no_descriptor,
            children_see_nothing,
            #[cfg(target_os = "linux")]
            children_without_restore_inherit_the_block,
            a_forked_child_is_killed,
            a_child_forked_by_a_worker_is_killed,
            a_forked_child_runs_an_earlier_handler,
            a_forked_child_opens,
            a_forked_child_reserves,
            a_forked_child_keeps_what_a_guard_holds,
            a_child_forked_under_a_receiver,
            #[cfg(target_os = "linux")]
            a_child_of_a_bare_fork_reserves,
            children_forked_while_others_open_and_drop,
            one_of_many_threads_opens,
            opened_and_dropped_while_handlers_run,
            #[cfg(target_os = "linux")]
            twenty_thousand_are_received_or_act,
        ],
        ROLES,
    );
}
