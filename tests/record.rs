//! The record: every origin that Linux reports, decoded from the real kernel's bytes; and on every
//! kernel counts, order and what is absent.
#![allow(unreachable_pub)] // a test binary is a crate of its own

#[path = "record/counts.rs"]
mod counts;
mod harness;

#[cfg(target_os = "linux")]
#[path = "record/absent_fields.rs"]
mod absent_fields;
#[cfg(target_os = "linux")]
#[path = "record/children.rs"]
mod children;
#[cfg(target_os = "linux")]
#[path = "record/forged.rs"]
mod forged;
#[cfg(target_os = "linux")]
#[path = "record/senders.rs"]
mod senders;
#[cfg(target_os = "linux")]
#[path = "record/sources.rs"]
mod sources;
#[cfg(target_os = "linux")]
#[path = "record/sys.rs"]
mod sys;

use counts::*;
#[cfg(target_os = "linux")]
use {absent_fields::*, children::*, forged::*, senders::*, sources::*};

const ORIGINS: &[harness::Case] = cases![
    #![cfg(target_os = "linux", "no other kernel tells where a signal came from")]
    // senders
    kill_from_this_process,
    kill_from_another_process,
    raised_by_this_thread,
    tgkill_from_another_process,
    directed_at_another_thread,
    a_broken_pipe,
    queued_with_an_integer,
    queued_with_a_pointer,
    queued_by_another_process,
    queued_real_time_signals_keep_their_values,
    merged_standard_signals_keep_the_first_value,
    forged_code_is_unknown,
    // forged
    forged_by_another_process,
    codes_that_the_kernel_keeps_for_itself,
    what_the_kernel_vouches_for,
    sender_in_another_user_namespace,
    // sources
    timer_tells_its_overrun,
    timers_are_told_apart,
    message_queue_tells_the_sender,
    descriptor_with_setsig,
    descriptor_without_setsig,
    #[cfg(target_env = "gnu", "the libc crate has no asynchronous input and output here")]
    asynchronous_write,
    interval_timer,
    // children
    child_exited,
    child_killed,
    child_dumped,
    child_stopped_continued_killed,
    child_trapped,
    child_of_another_user,
    child_times,
    two_children_while_pending_are_one_record,
    payload_and_child_status,
    // absent fields
    queue_full,
    sender_outside_the_pid_namespace,
];

const COUNTS: &[harness::Case] = cases![
    a_hundred_of_one_signal,
    a_thousand_from_four_processes,
    first_sent_or_lowest_first,
    read_twice_in_succession,
    only_what_the_kernel_tells,
    queued_values_are_told_or_counted,
    three_children,
];

#[cfg(target_os = "linux")]
const ROLES: &[harness::Role] = roles![sends_many, sender, forger];

#[cfg(not(target_os = "linux"))]
const ROLES: &[harness::Role] = roles![sends_many];

fn main() {
    harness::main([ORIGINS, COUNTS].concat().leak(), ROLES);
}
