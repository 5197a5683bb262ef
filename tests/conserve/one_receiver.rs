//! A single receiver, whose set changes all the time: by one thread after the other, and by several at
//! once.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use signal_source::{OpenError, Signals, mask};

use super::super::{all, pause, settle};
use super::{Numbers, World};

/// A single receiver whose set changes all the time, and which is not dropped until the end.
pub(crate) fn each_once_on_one_receiver() {
    let mut world = World::new(0xA076_1D64_78BD_642F);
    let one = all().iter().next().expect("some");
    let mut signals = Signals::new(one).expect("open");
    while world.more {
        pause(&mut world.sender, Some(&signals));
        let set = world.numbers.set();
        if world.numbers.below(2) == 0 {
            signals.update(set).expect("update");
        } else {
            let guard = mask::block(all()).expect("block");
            signals =
                world.worker().run(move || signals.update(set).map(|()| signals).expect("update"));
            drop(guard);
        }
        world.go_on();
        world.read(&signals);
    }
    world.worker().run(move || drop(signals));
    world.end();
}

/// Whether a change may be refused so in a flood: main waits for a signal, or the crate's thread has
/// been running the handler of one after the other for a second.
fn may_refuse(error: &OpenError) -> bool {
    match error {
        OpenError::Waiting(waiting) => *waiting == 1,
        OpenError::Os(error) => error.kind() == io::ErrorKind::ResourceBusy,
        OpenError::UnblockedThreads { threads, .. } => {
            threads.iter().all(|thread| thread.name == "signal-source")
        }
        _ => false,
    }
}

/// A single receiver whose set all workers change at once, while main reads, and waits in between.
pub(crate) fn each_once_on_one_shared_receiver() {
    let mut world = World::new(0xE703_7ED1_A0B4_28DB);
    signal_source::reserve(all()).expect("main lets them in");
    let one = all().iter().next().expect("some");
    let signals = Signals::new(one).expect("open");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for seed in 1..=3 {
            let (signals, is_over) = (&signals, &is_over);
            scope.spawn(move || {
                let mut numbers = Numbers(seed * 0x9E37_79B9);
                while !is_over.load(Ordering::SeqCst) {
                    let updated = signals.update(numbers.set());
                    assert!(updated.as_ref().map_or_else(may_refuse, |()| true), "{updated:?}");
                }
            });
        }
        while world.more {
            world.go_on();
            world.read(&signals);
            pause(&mut world.sender, Some(&signals));
        }
        is_over.store(true, Ordering::SeqCst);
    });
    drop(signals);
    let World { sender, .. } = world;
    sender.end();
    settle();
}
