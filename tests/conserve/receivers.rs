//! What receivers go through while the signals come.

#[path = "one_receiver.rs"]
mod one_receiver;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use signal_source::tokio::SignalStream;
use signal_source::{SignalSet, Signals, mask};
use tokio::runtime::Builder;

pub(crate) use self::one_receiver::{each_once_on_one_receiver, each_once_on_one_shared_receiver};
use super::{Sender, all, install, pause, received, settle};
use crate::harness::{Worker, quiet_panics, raw_mask};

/// A small generator of numbers (xorshift): one seed, one sequence of ways.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).expect("small")
    }

    /// One signal at least.
    fn set(&mut self) -> SignalSet {
        let some: SignalSet = all().iter().filter(|_| self.below(2) == 0).collect();
        if some.is_empty() { all() } else { some }
    }
}

struct World {
    numbers: Numbers,
    sender: Sender,
    /// Threads that block all of it, as the audit wants.
    workers: Vec<Worker>,
    more: bool,
}

impl World {
    fn new(seed: u64) -> World {
        install();
        quiet_panics();
        let guard = mask::block(all()).expect("block");
        let workers = (0..3).map(|_| Worker::start("worker")).collect();
        drop(guard);
        World { numbers: Numbers(seed), sender: Sender::start(), workers, more: true }
    }

    fn open(&mut self) -> Signals {
        pause(&mut self.sender, None);
        self.go_on();
        let signals = Signals::new(self.numbers.set()).expect("open");
        self.go_on();
        signals
    }

    /// Maybe has more signals sent.
    fn go_on(&mut self) {
        if self.numbers.below(2) == 0 {
            self.more = self.sender.go_on();
        }
    }

    fn worker(&mut self) -> &Worker {
        let index = self.numbers.below(3);
        &self.workers[index]
    }

    /// Reads some of what is there, in one of the ways to read.
    fn read(&mut self, signals: &Signals) {
        let limit = self.numbers.below(50);
        if self.numbers.below(2) == 0 {
            let mut infos = Vec::new();
            signals.try_recv_many(&mut infos, limit).expect("read");
            infos.iter().for_each(received);
        } else {
            for _ in 0..limit {
                signals.try_recv().expect("read").iter().for_each(received);
            }
        }
        if let Some(info) = signals.recv_timeout(Duration::from_micros(50)).expect("read") {
            received(&info);
        }
    }

    fn end(self) {
        let World { sender, workers, .. } = self;
        sender.end();
        assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
        assert_eq!(raw_mask(), SignalSet::EMPTY);
        settle();
        drop(workers);
        settle();
    }
}

/// Blocking receivers on several threads.
pub(crate) fn each_once() {
    let mut world = World::new(0x9E37_79B9_7F4A_7C15);
    while world.more {
        let signals = world.open();
        world.read(&signals);
        match world.numbers.below(8) {
            0 => drop(signals),
            1 => world.worker().run(move || drop(signals)),
            2 => moved(&mut world, signals),
            3 => changed_here(&mut world, signals),
            4 => changed_elsewhere(&mut world, signals),
            5 => panicking(&mut world, signals),
            6 => guarded(&mut world, signals),
            _ => several(&mut world, signals),
        }
        world.go_on();
    }
    world.end();
}

/// From thread to thread, read on each.
fn moved(world: &mut World, mut signals: Signals) {
    for _ in 0..3 {
        world.go_on();
        signals = world.worker().run(move || {
            let mut infos = Vec::new();
            signals.try_recv_many(&mut infos, 10).expect("read");
            infos.iter().for_each(received);
            signals
        });
    }
    world.read(&signals);
}

fn changed_here(world: &mut World, signals: Signals) {
    for _ in 0..3 {
        let set = world.numbers.set();
        signals.update(set).expect("update");
        world.go_on();
        world.read(&signals);
    }
    // Removed on another thread is less than was opened here.
    world.worker().run(move || drop(signals));
}

/// Only what main blocks may be added on another thread; the refusal changes nothing.
fn changed_elsewhere(world: &mut World, mut signals: Signals) {
    for _ in 0..3 {
        let set = world.numbers.set();
        signals = world.worker().run(move || {
            let before = signals.set();
            if signals.update(set).is_err() {
                assert_eq!(signals.set(), before);
            }
            signals
        });
        world.go_on();
        world.read(&signals);
    }
}

fn panicking(world: &mut World, signals: Signals) {
    if world.numbers.below(2) == 0 {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let signals = signals;
            world.read(&signals);
            panic!("on purpose");
        }));
        assert!(panicked.is_err());
    } else {
        world.worker().run(move || {
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                let _signals = signals;
                panic!("on purpose");
            }));
            assert!(panicked.is_err());
        });
    }
}

/// Guards before, inside and after.
fn guarded(world: &mut World, signals: Signals) {
    let set = world.numbers.set();
    let guard = mask::block(set).expect("block");
    world.go_on();
    if world.numbers.below(2) == 0 {
        drop(guard);
        world.read(&signals);
        drop(signals);
    } else {
        world.worker().run(move || drop(signals));
        world.go_on();
        drop(guard);
    }
}

/// One for each signal, some opened on a worker under a guard of main's.
fn several(world: &mut World, signals: Signals) {
    drop(signals);
    let guard = mask::block(all()).expect("block");
    let mut receivers: Vec<Signals> = Vec::new();
    for signal in all() {
        world.go_on();
        receivers.push(world.worker().run(move || Signals::new(signal).expect("all block")));
    }
    drop(guard);
    for signals in receivers {
        world.read(&signals);
        world.worker().run(move || drop(signals));
        world.go_on();
    }
}

/// Streams whose futures and tasks are cancelled, on runtimes that come and go.
pub(crate) fn each_once_under_tokio() {
    let mut world = World::new(0xD1B5_4A32_D192_ED03);
    while world.more {
        let signals = world.open();
        if world.numbers.below(2) == 0 {
            current_thread(&mut world, signals);
        } else {
            multi_thread(&mut world, signals);
        }
        world.go_on();
    }
    world.end();
}

/// Futures that lose against a timer, batches, changes; then one of four ends.
fn current_thread(world: &mut World, signals: Signals) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let end = world.numbers.below(4);
    let kept = runtime.block_on(async {
        let mut stream = SignalStream::try_from(signals).expect("a runtime");
        for _ in 0..5 {
            world.go_on();
            let patience = Duration::from_micros(world.numbers.below(300) as u64);
            let mut infos = Vec::new();
            tokio::select! {
                biased;
                () = tokio::time::sleep(patience) => {}
                info = stream.recv() => received(&info.expect("recv")),
            }
            tokio::select! {
                () = tokio::task::yield_now() => {}
                count = stream.recv_many(&mut infos, 5) => {
                    assert_eq!(count.expect("recv_many"), infos.len());
                }
            }
            infos.iter().for_each(received);
            stream.update(world.numbers.set()).expect("update");
        }
        match end {
            0 => None, // dropped inside
            1 => {
                // A task that is aborted in the middle of its wait.
                let task = tokio::spawn(async move {
                    while let Ok(info) = stream.recv().await {
                        received(&info);
                    }
                });
                tokio::task::yield_now().await;
                task.abort();
                None
            }
            _ => Some(stream),
        }
    });
    drop(runtime); // with the aborted task, perhaps; or before the stream
    match (end, kept) {
        (2, Some(stream)) => drop(stream),
        (_, Some(stream)) => {
            let signals = stream.into_inner();
            world.read(&signals);
            world.worker().run(move || drop(signals));
        }
        (_, None) => {}
    }
}

/// A task on some worker, aborted or left to the end of the runtime.
fn multi_thread(world: &mut World, signals: Signals) {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let task = runtime.spawn(async move {
        let mut stream = SignalStream::try_from(signals).expect("a runtime");
        let mut infos = Vec::new();
        loop {
            received(&stream.recv().await.expect("recv"));
            // Nothing is awaited between reading and entering.
            stream.recv_many(&mut infos, 3).await.expect("recv_many");
            infos.drain(..).for_each(|info| received(&info));
        }
    });
    for _ in 0..world.numbers.below(4) {
        world.go_on();
        runtime.block_on(async { tokio::time::sleep(Duration::from_micros(100)).await });
    }
    if world.numbers.below(2) == 0 {
        task.abort();
    }
    world.go_on();
    drop(runtime);
}
