//! What random programs do how often, and what some begin with.

use std::slice;

use super::kernel::enter;
use super::program::{block_without_crate, fork, spawn_child, start_thread};
use super::steps::{
    Guards, any_receiver, current, drop_guard, drop_receiver, guard, keep, open, read,
    take_receiver, update, wait,
};
use super::world::used;
use crate::platform::simulation::program::{Habits, take_any};
use crate::platform::simulation::scheduler::{chance, random};

/// What a thread does with this crate, or beside it.
type Step = fn(&mut Guards);

/// What a thread may do next, and how often it does as a rule.
pub(super) const STEPS: [(usize, Step); 14] = [
    (7, |_| open()),
    (5, drop_any_receiver),
    (3, |_| any_receiver().into_iter().for_each(update)),
    (1, |_| any_receiver().into_iter().for_each(read)),
    (2, |_| any_receiver().into_iter().for_each(wait)),
    (4, guard),
    (3, drop_any_guard),
    (1, |guards| take_any(guards).into_iter().for_each(|(guard, set)| keep(guard, set))),
    (2, |_| current()),
    (1, |_| block_without_crate()),
    (1, |_| spawn_child()),
    (1, |_| fork(chance(48))),
    (1, |_| start_thread()),
    (1, |_| enter(|| "does nothing".into())),
];

/// What a thread does first, and whether it ends then.
pub(super) type Plan = (&'static [Step], bool);

/// What the threads of some programs begin with, each that is started with the next: what takes many
/// steps in one order.
const PLANS: [&[Plan]; 4] = [
    // One that has opened nothing forks, and has ended when the child drops what it inherited.
    &[
        (&[|_| open(), |_| start_thread()], false),
        (&[|_| fork(true), |_| start_thread()], true),
        (&[guard, drop_any_receiver], false),
    ],
    // One blocks again what was put back there, and what another opens then; it forks.
    &[
        (&[|_| start_thread(), |_| settle_often(), |_| open()], false),
        (
            &[
                guard,
                drop_any_guard,
                |_| block_without_crate(),
                |_| settle_often(),
                |_| fork(true),
                drop_any_receiver,
            ],
            false,
        ),
    ],
    // One that drops what another has opened blocks it then, which a program sees that it starts.
    &[
        (&[|_| open(), |_| start_thread()], false),
        (&[drop_any_receiver, |_| block_without_crate(), |_| spawn_child()], false),
    ],
    // Several change one receiver, and wait for it.
    &[
        (&[|_| open(), |_| start_thread(), |_| start_thread(), |_| use_often()], false),
        (&[|_| use_often()], false),
        (&[|_| use_often()], false),
    ],
];

pub(super) fn random_habits() -> Habits {
    let signals: Vec<_> = used().collect();
    Habits::random(&STEPS.map(|(weight, _)| weight), &signals)
}

/// What the threads of a program begin with: few have a plan.
pub(super) fn random_plan() -> slice::Iter<'static, Plan> {
    if chance(4) { PLANS[random(PLANS.len())].iter() } else { [].iter() }
}

/// Takes some time.
fn settle_often() {
    (0..2 + random(3)).for_each(|_| current());
}

fn drop_any_receiver(_: &mut Guards) {
    take_receiver().into_iter().for_each(drop_receiver);
}

fn drop_any_guard(guards: &mut Guards) {
    take_any(guards).into_iter().for_each(|(guard, set)| drop_guard(guard, set));
}

fn use_often() {
    for _ in 0..3 + random(4) {
        any_receiver().into_iter().for_each(if chance(40) { update } else { wait });
    }
}
