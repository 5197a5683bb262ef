//! `Shutdown`: the signal to stop, told to every task and thread that asks.
#![allow(unreachable_pub)] // each test binary is a crate of its own

#[path = "shutdown/afterwards.rs"]
mod afterwards;
#[path = "shutdown/examples.rs"]
mod examples;
mod harness;
#[path = "shutdown/opening.rs"]
mod opening;
#[path = "shutdown/told.rs"]
mod told;
#[path = "shutdown/untold.rs"]
mod untold;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use afterwards::*;
use examples::*;
use harness::kernel::KERNEL;
use harness::{End, runtime};
use opening::*;
use signal_source::Signal;
use signal_source::tokio::{Shutdown, ShutdownCause};
use told::*;
use untold::*;

fn main() {
    harness::main(
        cases![
            says_which_signal_and_who_sent_it,
            opens_without_a_runtime_for_int_and_term,
            fires_on_a_given_set,
            clones_are_told_now_and_later_anywhere,
            waits_in_a_multi_thread_runtime,
            many_threads_wait_at_once,
            seen_before_the_wait,
            is_triggered_reads_what_is_pending,
            a_second_signal_kills => End::DiesOf(Signal::INT),
            another_pending_signal_kills => End::DiesOf(Signal::TERM),
            closed_before_any_waiter_is_told => End::DiesOf(Signal::INT),
            keeps_receiving_if_told_to,
            ten_at_once_do_not_kill_a_keeper,
            further_signals_go_to_one_each,
            a_further_signal_that_was_not_read_acts => End::DiesOf(Signal::INT),
            a_further_signal_read_for_a_dropped_future_is_not_lost,
            nothing_further_without_keeping,
            triggers,
            triggers_and_keeps_receiving,
            a_pending_signal_comes_before_the_trigger,
            triggers_from_many_threads_at_once,
            closes_when_triggered => End::DiesOf(Signal::TERM),
            dropped_unfired_restores,
            dropped_unfired_lets_the_unread_act => End::DiesOf(Signal::TERM),
            fired_untold_acts => End::DiesOf(Signal::TERM),
            fired_and_told_does_not_act,
            not_read_without_a_waiter => End::DiesOf(Signal::TERM),
            a_runtime_shut_down_while_waiting => End::DiesOf(Signal::TERM),
            a_dropped_runtime_starves_no_waiter,
            a_blocked_runtime_starves_no_waiter,
            ignored_int_and_hup_stay_ignored,
            other_ignored_signals_are_received,
            with_nothing_left_only_the_trigger_fires,
            under_nohup_a_hangup_is_ignored,
            a_receiver_of_the_same_signal_is_an_error,
            refuses_an_empty_set,
            times_out,
            opens_again_after_it_fired,
            waits_without_a_runtime,
            leaves_no_descriptor_behind,
            a_forked_child_does_not_act_for_its_parent,
            debug_shows_the_set_and_the_cause,
            latched_for_several_signals,
            waits_as_a_future_of_its_own,
            the_examples_run,
            #[cfg(target_os = "linux")]
            is_refused_in_tokio_main,
            #[cfg(target_os = "linux")]
            the_audit_may_be_off,
            errors_without_descriptors_and_loses_nothing,
        ],
        roles![hung_up],
    );
}

fn shutdown() -> Shutdown {
    Shutdown::new().expect("open")
}

fn keeper() -> Shutdown {
    Shutdown::builder().keep_receiving(true).open().expect("open")
}

fn is_ours(cause: &ShutdownCause, signal: Signal) -> bool {
    let sender = cause.info().and_then(|info| info.sender());
    cause.signal() == Some(signal) && sender.is_some() == KERNEL.sender
}

/// Polls once, so that it is a waiter.
async fn start_waiting(shutdown: &Shutdown) {
    let mut waiting = pin!(shutdown.wait());
    poll_fn(|cx| {
        assert!(waiting.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}
