//! The steps of the kqueue backend, on a simulated kernel.

mod kernel;
mod program;
mod world;

#[test]
fn signals_are_recorded_or_act_in_every_schedule() {
    crate::platform::simulation::run(program::schedule);
}
