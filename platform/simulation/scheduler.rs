//! The scheduler: coroutines on one thread of the system, of which one runs at a time.
//!
//! A simulated thread runs until its next [`pause`], which stands before each call of a simulated
//! kernel; there the seed decides which thread goes on.

mod choice;

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::ptr;
use std::time::Duration;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::random::Random;

/// What a thread that does not run waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::platform) enum State {
    Ready,
    /// That the word is woken, or a time.
    Waiting {
        word: usize,
        deadline: Option<Duration>,
    },
    Lock,
    /// That no other thread can go on.
    Stuck,
    /// That all threads of the program have come here: the next [`phase`].
    Barrier,
    Ended,
    /// A fork has left it behind.
    Gone,
}

type Fiber = Coroutine<(), (), (), DefaultStack>;

struct Thread {
    state: State,
    /// Not taken into account at a [barrier](State::Barrier).
    is_daemon: bool,
    /// Its time was over, when it went on last.
    is_late: bool,
    fiber: Option<Fiber>,
    yielder: *const Yielder<(), ()>,
}

#[derive(Default)]
struct Scheduler {
    threads: Vec<Thread>,
    current: usize,
    next: Option<usize>,
    random: Random,
    clock: Duration,
    steps: usize,
    /// How many times of 8 the running thread goes on.
    sticky: usize,
    /// How often of 64 time passes although threads could run.
    hasty: usize,
    phase: usize,
    is_over: bool,
    /// What the threads have left is being dropped.
    is_clearing: bool,
    failure: Option<String>,
    trace: Option<Vec<String>>,
    before_step: Option<fn()>,
    at_end: Option<fn()>,
}

const STACK: usize = 256 * 1024;

thread_local! {
    static SCHEDULER: RefCell<Scheduler> = RefCell::default();
    static STACKS: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
}

fn with<T>(run: impl FnOnce(&mut Scheduler) -> T) -> T {
    SCHEDULER.with_borrow_mut(run)
}

impl Thread {
    fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended | State::Gone)
    }
}

/// Makes a thread, which runs when its turn comes, and returns its index.
pub(in crate::platform) fn spawn(is_daemon: bool, run: impl FnOnce() + 'static) -> usize {
    let stack = STACKS.with_borrow_mut(Vec::pop);
    let stack = stack.unwrap_or_else(|| DefaultStack::new(STACK).expect("memory for a stack"));
    let fiber = Coroutine::with_stack(stack, move |yielder: &Yielder<(), ()>, ()| {
        with(|all| {
            let current = all.current;
            all.threads[current].yielder = yielder;
        });
        run();
    });
    with(|all| {
        let (state, fiber) = (State::Ready, Some(fiber));
        all.threads.push(Thread { state, is_daemon, is_late: false, fiber, yielder: ptr::null() });
        all.threads.len() - 1
    })
}

/// Where another thread may go on.
pub(in crate::platform) fn pause() {
    let before_step = with(|all| all.before_step);
    before_step.into_iter().for_each(|run| run());
    switch();
}

/// Waits for what `state` says. Returns whether the time was over first.
pub(in crate::platform) fn block(state: State) -> bool {
    with(|all| {
        let current = &mut all.threads[all.current];
        (current.state, current.is_late) = (state, false);
    });
    switch();
    with(|all| all.threads[all.current].is_late)
}

fn switch() {
    let yielder = with(|all| {
        let chosen = all.choose();
        all.next = chosen;
        let current = all.current;
        (chosen != Some(current)).then(|| all.threads[current].yielder)
    });
    if let Some(yielder) = yielder {
        // SAFETY: the running coroutine's own, which lives as long as its stack.
        let yielder = unsafe { &*yielder };
        yielder.suspend(());
    }
}

/// Ends the schedule here. Does not return but by unwinding.
pub(in crate::platform) fn finish() -> ! {
    with(|all| all.is_over = true);
    loop {
        switch();
    }
}

/// The law is broken. Does not return but by unwinding.
pub(in crate::platform) fn fail(failure: String) -> ! {
    with(|all| all.fail(failure));
    finish()
}

/// Whether the calling thread is one of a schedule.
pub(in crate::platform) fn is_running() -> bool {
    with(|all| !all.threads.is_empty() && !all.is_clearing)
}

/// Whether no time passes while a thread could run.
pub(in crate::platform) fn is_patient() -> bool {
    with(|all| all.hasty == 0)
}

/// Whether the schedule has ended, and what is left is being dropped: nothing happens any more.
pub(in crate::platform) fn is_clearing() -> bool {
    with(|all| all.is_clearing)
}

/// How often all threads of the program have come to a barrier.
pub(in crate::platform) fn phase() -> usize {
    with(|all| all.phase)
}

pub(in crate::platform) fn current() -> usize {
    with(|all| all.current)
}

pub(in crate::platform) fn clock() -> Duration {
    with(|all| all.clock)
}

pub(in crate::platform) fn random(end: usize) -> usize {
    with(|all| all.random.below(end))
}

/// Whether something that happens so many times of 64 does.
pub(in crate::platform) fn chance(times: usize) -> bool {
    times > 0 && random(64) < times
}

pub(in crate::platform) fn state(thread: usize) -> State {
    with(|all| all.threads[thread].state)
}

pub(in crate::platform) fn set_state(thread: usize, state: State) {
    with(|all| all.threads[thread].state = state);
}

/// Lets all threads go on whose state is such.
pub(in crate::platform) fn wake(is_such: impl Fn(State) -> bool) {
    with(|all| {
        for thread in all.threads.iter_mut().filter(|thread| is_such(thread.state)) {
            thread.state = State::Ready;
        }
    });
}

/// Lets a thread go on that waits for something which a signal interrupts.
pub(in crate::platform) fn interrupt(thread: usize) {
    if !matches!(state(thread), State::Ready | State::Lock) {
        set_state(thread, State::Ready);
    }
}

/// Tells a step, if it is asked for.
pub(in crate::platform) fn trace(step: impl FnOnce() -> String) {
    if with(|all| all.trace.is_some()) {
        let step = step();
        with(|all| {
            let (current, clock) = (all.current, all.clock);
            let line = format!("{clock:>8.1?} thread {current}: {step}");
            all.trace.get_or_insert_default().push(line);
        });
    }
}

/// Runs `before_step` at each pause, before another thread is chosen, and `at_end` when all is over.
pub(in crate::platform) fn set_hooks(before_step: fn(), at_end: fn()) {
    with(|all| (all.before_step, all.at_end) = (Some(before_step), Some(at_end)));
}

/// Runs one schedule: `main` makes its threads. The failure comes with the trace, if that is asked for.
pub(super) fn run(seed: u64, trace: bool, main: impl FnOnce()) -> Result<(), String> {
    with(|all| {
        let mut random = Random::new(seed);
        let sticky = [0, 4, 6, 7][random.below(4)];
        let hasty = [0, 0, 1, 4][random.below(4)];
        let trace = trace.then(Vec::new);
        *all = Scheduler { random, sticky, hasty, trace, ..Scheduler::default() };
    });
    main();
    let ran = panic::catch_unwind(AssertUnwindSafe(go_on));
    with(|all| all.is_clearing = true);
    let mut fibers = with(|all| {
        all.threads.iter_mut().filter_map(|thread| thread.fiber.take()).collect::<Vec<_>>()
    });
    for fiber in &mut fibers {
        fiber.force_unwind();
    }
    with(|all| all.at_end).into_iter().for_each(|run| run());
    STACKS.with_borrow_mut(|stacks| stacks.extend(fibers.into_iter().map(Fiber::into_stack)));
    let (failure, trace) = with(|all| (all.failure.take(), all.trace.take()));
    let failure = ran.err().map(|_| "a panic".to_string()).or(failure);
    match failure {
        None => Ok(()),
        Some(failure) => {
            let trace = trace.map_or_else(String::new, |trace| trace.join("\n"));
            Err(format!("{failure}\n{trace}\n{failure}"))
        }
    }
}

fn go_on() {
    let mut next = with(Scheduler::choose);
    while let Some(thread) = next {
        let fiber = with(|all| {
            all.current = thread;
            all.threads[thread].fiber.take()
        });
        let mut fiber = fiber.expect("a thread that is ready has not ended");
        match fiber.resume(()) {
            CoroutineResult::Yield(()) => {
                with(|all| {
                    all.threads[thread].fiber = Some(fiber);
                    next = all.next;
                });
            }
            CoroutineResult::Return(()) => {
                STACKS.with_borrow_mut(|stacks| stacks.push(fiber.into_stack()));
                next = with(|all| {
                    all.threads[thread].state = State::Ended;
                    all.choose()
                });
            }
        }
    }
}
