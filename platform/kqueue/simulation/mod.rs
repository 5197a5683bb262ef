//! The steps of the kqueue backend, on a simulated kernel.

mod kernel;
mod program;
mod world;

use std::sync::atomic::Ordering;

#[test]
fn signals_are_recorded_or_act_in_every_schedule() {
    crate::platform::simulation::run(program::schedule);
    let [twice, sent] = [&program::TWICE_IN_ALL, &program::SENT_IN_ALL];
    let [twice, sent] = [twice, sent].map(|count| count.load(Ordering::Relaxed));
    println!("{twice} of {sent} signals that were sent in a transition were seen twice");
}
