//! What no subscriber has read by the end acts.

use std::thread;

use crate::harness::{self, send};
use crate::{blocking, hub, next, read_queue, runtime, start_waiting, subscribe};
use signal_source::Signal;

pub fn unread_by_all_acts() {
    let hub = hub(Signal::TERM);
    let (one, other) = (subscribe(&hub, Signal::TERM), subscribe(&hub, Signal::TERM));
    send(Signal::TERM);
    read_queue(&hub, Signal::TERM);
    drop((one, other));
}

pub fn unread_in_the_kernel_acts() {
    let hub = hub(Signal::TERM);
    let subscriber = subscribe(&hub, Signal::TERM);
    send(Signal::TERM);
    drop(subscriber);
}

pub fn read_by_one_is_received() {
    let hub = hub(Signal::TERM);
    let (mut one, other) = (subscribe(&hub, Signal::TERM), subscribe(&hub, Signal::TERM));
    send(Signal::TERM);
    assert_eq!(blocking(&mut one), Signal::TERM);
    drop(one);
    drop(other);
}

pub fn read_by_one_after_another_left_is_received() {
    let hub = hub(Signal::TERM);
    let (one, mut other) = (subscribe(&hub, Signal::TERM), subscribe(&hub, Signal::TERM));
    send(Signal::TERM);
    read_queue(&hub, Signal::TERM);
    drop(one);
    assert_eq!(blocking(&mut other), Signal::TERM);
}

pub fn unread_acts_when_a_task_is_aborted() {
    let mut subscriber = subscribe(&hub(Signal::TERM), Signal::TERM);
    runtime().block_on(async {
        start_waiting(&mut subscriber).await;
        let task = tokio::spawn(async move { next(&mut subscriber).await });
        tokio::task::yield_now().await;
        send(Signal::TERM);
        task.abort();
        let _ = task.await;
    });
}

pub fn unread_acts_when_a_runtime_is_shut_down() {
    let mut subscriber = subscribe(&hub(Signal::TERM), Signal::TERM);
    let runtime = runtime();
    runtime.block_on(async {
        tokio::spawn(async move { next(&mut subscriber).await });
        tokio::task::yield_now().await;
    });
    send(Signal::TERM);
    drop(runtime);
}

pub fn unread_acts_when_dropped_on_another_thread() {
    let hub = hub(Signal::TERM);
    let (one, other) = (subscribe(&hub, Signal::TERM), subscribe(&hub, Signal::TERM));
    send(Signal::TERM);
    read_queue(&hub, Signal::TERM);
    drop(one);
    let _ = thread::spawn(move || drop(other)).join();
}

pub fn a_forked_child_does_not_act_for_its_parent() {
    let hub = hub(Signal::TERM);
    let subscriber = subscribe(&hub, Signal::TERM);
    send(Signal::TERM);
    read_queue(&hub, Signal::TERM);
    let mut inherited = Some((hub, subscriber));
    harness::in_fork(|| drop(inherited.take()));
    let (_hub, mut subscriber) = inherited.expect("the parent's");
    assert_eq!(blocking(&mut subscriber), Signal::TERM);
}
