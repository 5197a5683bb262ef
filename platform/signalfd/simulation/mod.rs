//! The steps of the signalfd backend, on a simulated kernel.

mod descriptors;
mod kernel;
mod law;
mod plans;
mod program;
mod receivers;
mod steps;
mod world;

#[test]
fn signals_are_received_or_act_in_every_schedule() {
    crate::platform::simulation::run(program::schedule);
}
