//! The lock of a simulated process' state.

use std::cell::RefCell;
use std::rc::Rc;

use super::scheduler;
use crate::platform::kernel::{Shared, State};

pub(in crate::platform) struct Lock<B> {
    /// The thread that has it.
    pub(in crate::platform) holder: Option<usize>,
    pub(in crate::platform) state: Rc<RefCell<State<B>>>,
}

impl<B: Shared> Default for Lock<B> {
    fn default() -> Self {
        Lock { holder: None, state: Rc::default() }
    }
}

/// Runs `change` with the lock, to which `with` is the way. What is pending may act before and after.
pub(in crate::platform) fn locked<B: Shared, T>(
    with: impl Fn(&mut dyn FnMut(&mut Lock<B>)),
    deliver: fn(),
    change: impl FnOnce(&mut State<B>) -> T,
) -> T {
    let current = scheduler::current();
    let state = loop {
        let mut taken = None;
        with(&mut |lock| {
            if lock.holder.is_none() {
                lock.holder = Some(current);
                taken = Some(lock.state.clone());
            }
        });
        if let Some(state) = taken {
            break state;
        }
        scheduler::block(scheduler::State::Lock);
        deliver();
    };
    scheduler::trace(|| "has the lock".into());
    let result = change(&mut state.borrow_mut());
    scheduler::trace(|| "unlocks".into());
    with(&mut |lock| lock.holder = None);
    scheduler::wake(|state| state == scheduler::State::Lock);
    scheduler::pause();
    deliver();
    result
}
