//! What hubs and shutdowns do with a receiver under locks of their own: so what waits, and what has
//! signals act, is a step by itself.

use std::io;

use super::{Signals, receivable};
use crate::platform::{Acquired, Receiver, Release};
use crate::{OpenError, SignalInfo, SignalSet, reserve};

impl Signals {
    /// The part of opening a receiver, or of adding to its set, that may wait for other threads.
    pub(crate) fn acquire(set: SignalSet, audit: bool) -> Result<Acquired, OpenError> {
        let set = receivable(set)?;
        if let Some(error) = reserve::failed_at_start(set) {
            return Err(error);
        }
        Acquired::new(set, audit)
    }

    /// A receiver of what was acquired; further signals are audited or not, as `audit` says.
    pub(crate) fn open_acquired(
        acquired: Acquired,
        audit: bool,
    ) -> Result<Signals, (OpenError, Acquired)> {
        let receiver = Receiver::open_acquired(acquired)?;
        Ok(Signals { receiver, audit })
    }

    /// Adds what was acquired. No other thread may be changing the set.
    pub(crate) fn widen(&self, acquired: Acquired) -> Result<(), (OpenError, Acquired)> {
        self.receiver.widen(acquired)
    }

    /// As [`update`](Self::update); but what is removed acts when the returned part is dropped,
    /// where the caller holds no lock.
    pub(crate) fn change(&self, set: SignalSet) -> Result<Release, OpenError> {
        self.receiver.change(receivable(set)?, self.audit)
    }

    /// Has the descriptor yield the signals of `set` alone, until the set changes. The others stay
    /// in the kernel's queue.
    pub(crate) fn watch(&self, set: SignalSet) -> io::Result<()> {
        self.receiver.watch(set)
    }

    /// As [`try_recv_many`](Self::try_recv_many), of the signals of `set` alone, whatever the descriptor
    /// yields; `None` where no descriptor can do that. One thread at a time may do this.
    pub(crate) fn read_of(
        &self,
        set: SignalSet,
        infos: &mut Vec<SignalInfo>,
        limit: usize,
    ) -> io::Result<Option<usize>> {
        self.receiver.read_of(set, infos, limit)
    }

    /// Whether other threads are checked when a signal is added.
    pub(crate) fn is_audited(&self) -> bool {
        self.audit
    }
}
