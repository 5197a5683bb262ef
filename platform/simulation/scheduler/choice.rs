//! Which thread goes on.

use super::{Scheduler, State};

/// More steps than any schedule has that ends.
const MOST: usize = 100_000;

impl Scheduler {
    pub(super) fn fail(&mut self, failure: String) {
        if !self.is_over {
            self.failure = Some(failure);
            self.is_over = true;
        }
    }

    /// Which thread goes on.
    pub(super) fn choose(&mut self) -> Option<usize> {
        self.steps += 1;
        if self.steps > MOST {
            self.fail("it does not end".into());
        }
        if self.is_over {
            return None;
        }
        if self.hasty > 0 && self.random.below(64) < self.hasty {
            self.let_time_pass();
        }
        let running = self.current;
        if self.threads[running].state == State::Ready && self.random.below(8) < self.sticky {
            return Some(running);
        }
        loop {
            let ready = self.threads.iter().filter(|thread| thread.state == State::Ready).count();
            if ready > 0 {
                let chosen = self.random.below(ready);
                let mut all = self.threads.iter().enumerate();
                let nth = all.by_ref().filter(|(_, t)| t.state == State::Ready).nth(chosen);
                return nth.map(|(index, _)| index);
            }
            if !self.let_time_pass() && !self.release_stuck() && !self.pass_barrier() {
                if self.threads.iter().any(|t| !t.is_daemon && !t.has_ended()) {
                    let states = self.threads.iter().map(|thread| thread.state);
                    self.fail(format!("deadlock: {:?}", states.collect::<Vec<_>>()));
                }
                self.is_over = true;
                return None;
            }
        }
    }

    /// Lets the time come that is waited for first.
    fn let_time_pass(&mut self) -> bool {
        let deadlines = self.threads.iter().enumerate().filter_map(|(index, thread)| {
            let State::Waiting { deadline, .. } = thread.state else { return None };
            Some((deadline?, index))
        });
        let Some((deadline, index)) = deadlines.min() else { return false };
        self.clock = self.clock.max(deadline);
        (self.threads[index].state, self.threads[index].is_late) = (State::Ready, true);
        true
    }

    fn release_stuck(&mut self) -> bool {
        let stuck = self.threads.iter_mut().find(|thread| thread.state == State::Stuck);
        stuck.map(|thread| thread.state = State::Ready).is_some()
    }

    fn pass_barrier(&mut self) -> bool {
        let mut program = self.threads.iter_mut().filter(|t| !t.is_daemon && !t.has_ended());
        if program.by_ref().all(|thread| thread.state == State::Barrier) {
            let mut any = false;
            self.phase += 1;
            for thread in self.threads.iter_mut().filter(|t| t.state == State::Barrier) {
                (thread.state, any) = (State::Ready, true);
            }
            return any;
        }
        false
    }
}
