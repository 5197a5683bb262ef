//! `SignalHub`: one receiver, many subscribers.
#![allow(unreachable_pub)] // each test binary is a crate of its own

#[cfg(target_os = "linux")]
#[path = "hub/bystanders.rs"]
mod bystanders;
#[path = "hub/forks.rs"]
mod forks;
mod harness;
#[path = "hub/joins.rs"]
mod joins;
#[cfg(target_os = "linux")]
#[path = "hub/losses.rs"]
mod losses;
#[cfg(target_os = "linux")]
#[path = "hub/real_time.rs"]
mod real_time;
#[path = "hub/receiver.rs"]
mod receiver;
#[path = "hub/runtimes.rs"]
mod runtimes;
#[path = "hub/sharing.rs"]
mod sharing;
#[path = "hub/tasks.rs"]
mod tasks;
#[path = "hub/unread.rs"]
mod unread;
#[path = "hub/waiting.rs"]
mod waiting;
#[path = "hub/wakers.rs"]
mod wakers;

use std::future::{Future, poll_fn};
use std::pin::pin;

#[cfg(target_os = "linux")]
use bystanders::*;
use forks::*;
use harness::{End, runtime};
use joins::*;
#[cfg(target_os = "linux")]
use losses::*;
#[cfg(target_os = "linux")]
use real_time::*;
use receiver::*;
use runtimes::*;
use sharing::*;
use signal_source::tokio::{SignalHub, Subscriber};
use signal_source::{Signal, SignalSet};
use tasks::*;
use tokio::runtime::Runtime;
use unread::*;
use waiting::*;
use wakers::*;

fn main() {
    harness::main(
        cases![
            two_subscribers_of_one_signal_both_get_it,
            of_three_the_second_gets_it_after_the_others_have_gone,
            an_unread_subscriber_holds_up_no_other,
            each_of_ten_signals_reaches_all,
            one_shot_among_steady_ones,
            many_threads_with_runtimes_while_others_come_and_go,
            tasks_that_are_the_first_to_wait_for_their_hub,
            four_runtimes_ten_rounds,
            a_dropped_runtime_starves_no_waiter,
            a_blocked_runtime_starves_no_waiter,
            a_runtime_that_is_not_driven_starves_no_waiter,
            an_inner_and_an_outer_runtime,
            a_task_and_threads_at_once,
            a_multi_thread_runtime,
            tasks_of_several_runtimes,
            two_in_one_task,
            in_a_local_set,
            moves_between_runtimes_and_threads,
            a_signal_wakes_its_own_waiter,
            a_thread_is_told_what_a_runtime_read,
            a_late_joiner_sees_no_history,
            what_came_before_the_first_subscriber_acts => End::DiesOf(Signal::TERM),
            standard_signals_merge_for_a_stuck_subscriber,
            different_signals_take_turns,
            a_subscriber_for_another_signal_widens,
            what_is_pending_when_it_widens_is_received,
            the_last_subscriber_of_a_signal_narrows,
            the_last_subscriber_closes => End::DiesOf(Signal::INT),
            closes_and_opens_again,
            without_a_hub_nothing_is_reserved,
            dropping_an_unused_hub_closes,
            unread_by_all_acts => End::DiesOf(Signal::TERM),
            unread_in_the_kernel_acts => End::DiesOf(Signal::TERM),
            read_by_one_is_received,
            read_by_one_after_another_left_is_received,
            unread_acts_when_a_task_is_aborted => End::DiesOf(Signal::TERM),
            unread_acts_when_a_runtime_is_shut_down => End::DiesOf(Signal::TERM),
            unread_acts_when_dropped_on_another_thread => End::DiesOf(Signal::TERM),
            a_set_changes,
            a_removed_signal_acts_unread,
            a_dropped_future_loses_nothing,
            waits_no_longer_than_told,
            refuses_what_a_receiver_refuses,
            waits_without_a_runtime,
            waits_on_after_a_stop,
            waits_without_the_io_driver,
            errors_without_descriptors_and_loses_nothing,
            leaves_no_descriptor_behind,
            a_forked_child_does_not_act_for_its_parent,
            debug_and_display,
            a_waker_uses_the_hub_when_woken_and_when_dropped,
            a_waker_asks_the_shutdown_when_dropped,
            what_comes_while_a_waker_is_cloned_is_told,
            a_waker_that_panics_keeps_no_other_from_being_woken,
            executors_of_any_kind,
            a_forked_child_leaves_the_parent_receiving,
            an_inherited_hub_says_what_to_do,
            a_forked_child_opens_its_own,
            forked_while_other_threads_use_the_hub,
            many_widen_by_the_same_at_once,
            #[cfg(target_os = "linux", "only Linux has a delegate thread")]
            one_waits_for_a_handler_and_no_other_does,
            #[cfg(feature = "stream")]
            is_a_stream,
            #[cfg(target_os = "linux")]
            is_refused_in_tokio_main,
            #[cfg(target_os = "linux")]
            widening_is_refused_while_a_thread_does_not_block,
            #[cfg(target_os = "linux")]
            real_time_signals_queue_to_the_bound,
            #[cfg(target_os = "linux")]
            an_inherited_subscriber_returns_nothing,
            #[cfg(target_os = "linux")]
            real_time_signals_that_were_not_read_act_each,
            #[cfg(target_os = "linux")]
            real_time_signals_act_with_their_integer,
            #[cfg(target_os = "linux")]
            a_flood_reaches_many_subscribers,
            #[cfg(target_os = "linux")]
            every_subscriber_sees_each_in_order,
            #[cfg(target_os = "linux")]
            a_flood_leaves_other_tasks_their_turn,
            #[cfg(target_os = "linux")]
            what_has_no_subscriber_stays_in_the_kernel,
            #[cfg(target_os = "linux")]
            a_lagging_subscriber_dropped_unread_loses_none,
            #[cfg(target_os = "linux")]
            a_full_queue_at_the_end_loses_none,
            #[cfg(target_os = "linux")]
            a_waiter_for_another_signal_has_nothing_missed,
            #[cfg(target_os = "linux")]
            a_lagging_subscriber_alone_misses_none,
            #[cfg(target_os = "linux")]
            received_and_dropped_are_all_that_was_sent,
            #[cfg(target_os = "linux")]
            an_update_tells_what_was_dropped,
            #[cfg(target_os = "linux")]
            what_came_before_the_first_subscriber_does_not_vanish,
            #[cfg(target_os = "linux")]
            what_only_one_that_left_could_read_acts,
            #[cfg(target_os = "linux")]
            a_joining_subscriber_reads_one_batch,
            #[cfg(target_os = "linux")]
            opens_again_without_an_audit_if_it_had_none,
            #[cfg(target_os = "linux")]
            a_signal_of_another_wakes_one_thread_at_most,
        ],
        roles![],
    );
}

fn multi_thread() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(4).enable_all().build().expect("a runtime")
}

fn hub(set: impl Into<SignalSet>) -> SignalHub {
    SignalHub::new(set).expect("a hub")
}

fn subscribe(hub: &SignalHub, set: impl Into<SignalSet>) -> Subscriber {
    hub.subscribe(set).expect("subscribe")
}

/// Has everything that is pending handed to the subscribers: a late joiner must not see it.
fn read_queue(hub: &SignalHub, signal: Signal) {
    drop(subscribe(hub, signal));
}

fn is_unread(subscriber: &mut Subscriber) -> Option<Signal> {
    subscriber.try_recv().expect("try_recv").map(|event| event.signal())
}

fn blocking(subscriber: &mut Subscriber) -> Signal {
    subscriber.recv_blocking().expect("recv_blocking").signal()
}

async fn next(subscriber: &mut Subscriber) -> Signal {
    subscriber.recv().await.expect("recv").signal()
}

/// Polls once, so that it is a waiter.
async fn start_waiting(subscriber: &mut Subscriber) {
    let mut waiting = pin!(subscriber.recv());
    poll_fn(|cx| {
        assert!(waiting.as_mut().poll(cx).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
}
