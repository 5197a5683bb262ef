//! The audit: a thread that does not block a signal is named, and nothing else is in the way.
//!
//! Only Linux and Android have one: elsewhere no thread has to block.
#![cfg_attr(target_os = "linux", allow(unsafe_code))] // ended threads, a system without /proc

mod harness;
#[cfg(target_os = "linux")]
#[path = "audit/moving.rs"]
mod moving;
#[cfg(target_os = "linux")]
#[path = "audit/naming.rs"]
mod naming;
#[cfg(target_os = "linux")]
#[path = "audit/reading.rs"]
mod reading;
#[cfg(target_os = "linux")]
#[path = "audit/runtime.rs"]
mod runtime;

#[cfg(target_os = "linux")]
use {moving::*, naming::*, reading::*, runtime::*};

#[cfg(not(target_os = "linux"))]
fn no_thread_has_to_block() {
    use signal_source::{Signal, SignalSet, Signals, mask};

    let worker = harness::Worker::start("worker");
    let signals = Signals::new([Signal::TERM, Signal::CHLD]).expect("no audit");
    signals.update([Signal::TERM, Signal::WINCH]).expect("no audit");
    mask::unblocked_threads(SignalSet::all()).expect_err("no thread's mask is shown");
    assert_eq!(worker.run(harness::raw_mask), SignalSet::EMPTY);
    harness::receives(&signals);
    worker.run(|| harness::send(Signal::TERM));
    assert_eq!(harness::received(&signals), [Signal::TERM]);
}

const ELSEWHERE: &[harness::Case] = cases![
    #![cfg(not(target_os = "linux"), "here every thread has to")]
    no_thread_has_to_block,
];

fn main() {
    let audit: &[harness::Case] = cases![
        #![cfg(target_os = "linux", "elsewhere there is no audit: no thread's mask counts")]
        names_thread_and_signals,
        the_message_says_what_to_do,
        the_message_names_some_and_counts_the_rest,
        all_threads_may_block_first,
        can_be_left_out,
        update_audits_as_open_did,
        five_hundred_threads_that_block,
        odd_names_do_not_confuse_it,
        without_proc_it_is_skipped,
        where_no_mask_is_shown_it_is_skipped,
        threads_that_come_and_go_do_not_fail_it,
        many_threads_that_come_and_go_do_not_fail_it,
        a_newborn_thread_does_not_slip_through,
        a_relay_of_short_lives_does_not_slip_through,
        a_thread_that_blocks_all_is_no_newborn,
        a_thread_that_has_just_gone_does_not_fail_it,
        an_ended_first_thread_counts,
        a_mask_that_is_full_for_good_is_believed,
        a_thread_that_starts_others_all_the_time_does_not_slip_through,
        a_thread_that_starts_another_and_then_blocks_is_no_way_past,
        a_handler_that_takes_long_hides_its_thread,
        an_error_names_the_file,
        two_descriptors_are_needed,
        a_proc_that_may_not_be_read_is_an_error,
        its_own_thread_is_left_out_in_a_pid_namespace_too,
        inside_a_multi_thread_runtime_it_names_the_workers,
        before_the_runtime_everything_works,
        on_a_current_thread_runtime_until_spawn_blocking,
    ];
    harness::main([audit, ELSEWHERE].concat().leak(), roles![]);
}
