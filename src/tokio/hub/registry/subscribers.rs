//! Subscribers that come, go and change their sets.

use super::Registry;
use crate::SignalSet;
use crate::tokio::hub::queue::{Mark, Queue};
use crate::tokio::source::Sink;
use crate::tokio::waiters::{Waiter, Woken};

impl Registry {
    /// A new subscriber's number; it has no signal yet.
    pub(in crate::tokio) fn add(&mut self) -> usize {
        self.subscribers += 1;
        self.queues.insert(Queue::default())
    }

    /// Ends what [`add`](Self::add) began; its signals have been taken from it.
    pub(in crate::tokio) fn remove(&mut self, number: usize) {
        self.queues.remove(number);
        self.subscribers -= 1;
    }

    /// Gives `set` to the subscriber, from the next record on.
    ///
    /// A signal that is received for this subscriber alone may have come while it was acquired: that
    /// record is the subscriber's too, for no other can read it and it did not act.
    pub(in crate::tokio) fn join(&mut self, number: usize, set: SignalSet, woken: &mut Woken) {
        let mut acquired = Vec::new();
        for signal in set {
            let state = self.signals.entry(signal);
            if state.subscribers == 0 && !self.reserved.contains(signal) {
                state.count -= state.unread.len() as u64; // they are put once more
                acquired.append(&mut state.unread);
            }
            state.subscribers += 1;
            if !signal.is_real_time() {
                let group = state.enter();
                self.queues[number].marks.push(Mark { signal, group });
            }
        }
        let all = self.queues[number].set | set;
        self.change_set(number, all, woken);
        self.reserved -= set;
        self.is_watch_stale = true;
        for info in acquired {
            self.put(info, woken);
        }
    }

    /// Takes `set` from the subscriber. What only it could have read is unread for good.
    pub(in crate::tokio) fn leave(&mut self, number: usize, set: SignalSet, woken: &mut Woken) {
        let left = self.queues[number].set - set;
        self.change_set(number, left, woken);
        for signal in set {
            if let Some(state) = self.signals.get_mut(signal) {
                state.subscribers -= 1;
            }
        }
        self.queues[number].marks.retain(|mark| {
            let stays = !set.contains(mark.signal);
            if let (false, Some(state)) = (stays, self.signals.get_mut(mark.signal)) {
                state.leave(mark.group);
            }
            stays
        });
        self.is_watch_stale = true;
    }

    fn change_set(&mut self, number: usize, set: SignalSet, woken: &mut Woken) {
        // It waits for something else then: it is to look again.
        match self.stop_waiting(number) {
            Some(Waiter::Waker(waker)) if !set.is_empty() => woken.wakers.push(waker),
            waiter => woken.stale.extend(waiter),
        }
        let (queue, signals) = (&mut self.queues[number], &mut self.signals);
        self.classes.leave(queue, &mut self.records, signals, &mut woken.stale);
        for entry in queue.withdraw(queue.set - set) {
            let state = signals.get_mut(entry.signal);
            let state = state.expect("a subscribed signal has its state");
            state.unread.extend(self.records.leave(entry.record, false));
        }
        queue.set = set;
        self.classes.enter(queue, signals);
    }
}
