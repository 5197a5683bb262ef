//! A receiver in tokio: the stream.
#![allow(unreachable_pub)] // a test binary is a crate of its own

#[path = "tokio/calls.rs"]
mod calls;
#[path = "tokio/flood.rs"]
mod flood;
#[path = "tokio/forks.rs"]
mod forks;
mod harness;
#[path = "tokio/ports.rs"]
mod ports;
#[path = "tokio/runtimes.rs"]
mod runtimes;
#[path = "tokio/tokio_signal.rs"]
mod tokio_signal;

use std::future::Future;

use calls::*;
use flood::*;
use forks::*;
use harness::{End, runtime as current_thread};
use ports::*;
use runtimes::*;
use signal_source::tokio::SignalStream;
use signal_source::{Signal, SignalSet, Signals};
use tokio::runtime::{Builder, Runtime};
use tokio_signal::*;

fn main() {
    harness::main(
        cases![
            // calls
            receives_each,
            receives_batches,
            polled_by_hand,
            #[cfg(feature = "stream")]
            is_a_stream,
            updated_while_it_waits,
            taken_back_out,
            read_directly,
            its_descriptor_is_the_receivers,
            pending_before_the_runtime,
            // flood
            dropped_futures_lose_nothing,
            dropped_batches_lose_nothing,
            a_flood_starves_no_timer,
            a_flood_of_batches_starves_no_timer,
            an_idle_stream_costs_no_cpu,
            // runtimes
            several_runtimes,
            from_one_runtime_to_another,
            one_runtime_ends_another_receives,
            aborted_task_kills => End::DiesOf(Signal::TERM),
            aborted_task_runs_the_earlier_handler,
            panicked_task_runs_the_earlier_handler,
            runtime_ends_with_its_task => End::DiesOf(Signal::TERM),
            runtime_ends_with_its_task_and_the_earlier_handler_runs,
            runtime_ends_first => End::DiesOf(Signal::TERM),
            runtime_ends_first_and_the_earlier_handler_runs,
            recv_after_the_runtime_is_an_error,
            outside_a_runtime_it_panics,
            outside_a_runtime_the_signal_acts => End::DiesOf(Signal::TERM),
            without_an_io_driver_it_panics,
            panics_name_the_caller,
            opened_in_a_current_thread_runtime,
            opened_after_spawn_blocking,
            opened_in_a_multi_thread_runtime,
            // neighbours
            tokio_signal_first,
            tokio_signal_later,
            unread_goes_to_tokio_signal,
            children_of_tokio_process,
            // forks
            dropped_in_a_forked_child_the_parent_receives,
            // ports
            cancelled_at_once,
            cancelled_consumer,
            interrupt_cancels_the_main_task,
            a_second_interrupt_ends_the_process => End::DiesOf(Signal::INT),
            one_task_logs_another_sends,
            sent_before_it_waits,
            a_timeout_then_closes_clean,
            a_server_with_signals,
            interrupts_cancel,
            ignored_before_and_after,
            shows_its_set,
        ],
        roles![server, exits],
    );
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// Runs a case on the thread of a current-thread runtime, on that of `block_on` beside workers, and
/// on a worker; each time with a receiver opened before the runtime.
fn everywhere<F>(set: impl Into<SignalSet>, case: impl Fn(SignalStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let set = set.into();
    for build in [current_thread, multi_thread] {
        let signals = Signals::new(set).expect("open");
        build().block_on(async { case(stream(signals)).await });
    }
    let signals = Signals::new(set).expect("open");
    let runtime = multi_thread();
    let on_worker = async { tokio::spawn(case(stream(signals))).await };
    runtime.block_on(on_worker).expect("no panic");
}

fn stream(signals: Signals) -> SignalStream {
    SignalStream::try_from(signals).expect("registered")
}
