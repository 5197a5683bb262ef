//! Reading records for the sink, and closing the receiver.

use std::io;
use std::mem;

use super::{After, Sink, State};
use crate::tokio::kernel::Kernel;
use crate::{SignalInfo, SignalSet};

impl<S: Sink, K: Kernel> State<S, K> {
    /// Reads one batch.
    pub(in crate::tokio) fn read(
        &mut self,
        kernel: &K,
        limit: usize,
        after: &mut After<K>,
    ) -> io::Result<()> {
        self.read_with(kernel, after, |receiver, batch| kernel.read(receiver, batch, limit))?;
        Ok(())
    }

    /// Reads one batch of these signals alone, whatever the descriptor yields. Returns whether the kernel
    /// can.
    pub(in crate::tokio) fn read_of(
        &mut self,
        kernel: &K,
        set: SignalSet,
        limit: usize,
        after: &mut After<K>,
    ) -> io::Result<bool> {
        let read = self.read_with(kernel, after, |receiver, batch| {
            kernel.read_of(receiver, set, batch, limit)
        });
        read.map(|read| read.flatten().is_some())
    }

    fn read_with<T>(
        &mut self,
        kernel: &K,
        after: &mut After<K>,
        read: impl FnOnce(&K::Receiver, &mut Vec<SignalInfo>) -> io::Result<T>,
    ) -> io::Result<Option<T>> {
        let Some(receiver) = &self.receiver else { return Ok(None) };
        let mut batch = mem::take(&mut self.batch);
        let read = read(receiver, &mut batch);
        for info in batch.drain(..) {
            self.sink.put(info, &mut after.woken);
        }
        self.batch = batch;
        self.update_watch(kernel);
        if self.sink.is_done() {
            self.close(kernel, after);
        }
        read.map(Some)
    }

    /// Has the descriptor yield what the sink wants.
    pub(in crate::tokio) fn update_watch(&mut self, kernel: &K) {
        if let (Some(receiver), Some(set)) = (&self.receiver, self.sink.watch()) {
            // It fails in no known way. If it did, more would be read than can be kept in order,
            // and acts at the end.
            let watched = kernel.watch(receiver, set);
            debug_assert!(watched.is_ok(), "{watched:?}");
            self.rearm();
        }
    }

    /// Notes the receiver to be dropped.
    pub(in crate::tokio) fn close(&mut self, kernel: &K, after: &mut After<K>) {
        let Some(receiver) = self.receiver.take() else { return };
        if let Some(registration) = self.registration.take() {
            registration.remove(&receiver);
        }
        after.releasing |= kernel.set(&receiver);
        after.receiver = Some(receiver);
    }
}
