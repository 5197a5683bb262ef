//! What hubs and shutdowns need of the system: a trait, so that their handshakes can be checked
//! against a model of it.

use std::io;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};

use super::reader::Reader;
use crate::platform::{self, Acquired, PerProcess, Poller, Release};
use crate::{OpenError, SignalInfo, SignalSet, Signals, send};

/// A receiver's descriptor, and what the reader thread waits with.
pub(super) trait Kernel: Send + Sync + Sized + 'static {
    type Receiver: Send + 'static;
    /// Signals that a receiver may take. Dropping it gives them back, so no lock may be held.
    type Acquired: Send + 'static;
    /// Signals that a receiver has given up. Dropping it lets them act, so no lock may be held.
    type Release: Send + 'static;

    /// Claims signals for a receiver. It may wait for handlers of the program, so no lock may be held.
    fn acquire(&self, set: SignalSet, is_audited: bool) -> Result<Self::Acquired, OpenError>;
    fn open(
        &self,
        acquired: Self::Acquired,
        is_audited: bool,
    ) -> Result<Self::Receiver, (OpenError, Self::Acquired)>;
    fn widen(
        &self,
        receiver: &Self::Receiver,
        acquired: Self::Acquired,
    ) -> Result<(), (OpenError, Self::Acquired)>;
    fn set(&self, receiver: &Self::Receiver) -> SignalSet;
    /// Takes signals out of the receiver's set, which becomes `set`.
    fn narrow(&self, receiver: &Self::Receiver, set: SignalSet)
    -> Result<Self::Release, OpenError>;
    /// Has the descriptor yield the signals of `set` alone.
    fn watch(&self, receiver: &Self::Receiver, set: SignalSet) -> io::Result<()>;
    /// Appends what one `read(2)` gives, up to `limit` records.
    fn read(
        &self,
        receiver: &Self::Receiver,
        batch: &mut Vec<SignalInfo>,
        limit: usize,
    ) -> io::Result<usize>;
    /// The same for signals of `set` alone, whatever the descriptor yields, and without waking what waits
    /// for that; `None` if the kernel can't.
    fn read_of(
        &self,
        receiver: &Self::Receiver,
        set: SignalSet,
        batch: &mut Vec<SignalInfo>,
        limit: usize,
    ) -> io::Result<Option<usize>>;
    /// Sends this process a signal that was read but reached no subscriber and no waiter: it acts, now
    /// that it is not received any more. Returns `false` if the kernel's queue has no room for it.
    fn send_again(&self, info: SignalInfo) -> bool;
    /// Waits a moment for room in the kernel's queue.
    fn wait_for_room(&self);

    /// The reader thread of this process, started if there is none.
    fn reader(&self) -> io::Result<Arc<Reader<Self>>>;
    /// Runs `run` on a short-lived thread; here, if none can be started.
    fn run_aside(&self, run: Box<dyn FnOnce() + Send>);

    /// The reader thread's side: see [`Poller`].
    fn add(&self, receiver: &Self::Receiver, number: u64) -> io::Result<()>;
    fn arm(&self, receiver: &Self::Receiver, number: u64, armed: bool) -> io::Result<()>;
    fn remove(&self, receiver: &Self::Receiver);
    fn wait(&self, ready: &mut Vec<u64>) -> io::Result<()>;

    /// Changes with every fork.
    fn generation(&self) -> u64;
}

/// The system itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct System;

/// What a process has of the reader thread.
#[derive(Default)]
struct Process {
    poller: std::sync::OnceLock<Poller>,
    /// The reader thread, once it is started; it never ends. Locked while it is being started, for
    /// the place in the order of locks see [`reader`](super::reader).
    reader: Mutex<Option<Arc<Reader<System>>>>,
}

static PROCESS: PerProcess<Process> = PerProcess::new();

fn poller() -> io::Result<&'static Poller> {
    let process = PROCESS.get(Process::default);
    match process.poller.get() {
        Some(poller) => Ok(poller),
        None => {
            let new = Poller::new()?;
            // Another thread may have been faster: then its poller counts.
            Ok(process.poller.get_or_init(|| new))
        }
    }
}

impl Kernel for System {
    type Receiver = Signals;
    type Acquired = Acquired;
    type Release = Release;

    fn acquire(&self, set: SignalSet, is_audited: bool) -> Result<Acquired, OpenError> {
        Signals::acquire(set, is_audited)
    }

    fn open(&self, acquired: Acquired, is_audited: bool) -> Result<Signals, (OpenError, Acquired)> {
        Signals::open_acquired(acquired, is_audited)
    }

    fn widen(&self, receiver: &Signals, acquired: Acquired) -> Result<(), (OpenError, Acquired)> {
        receiver.widen(acquired)
    }

    fn set(&self, receiver: &Signals) -> SignalSet {
        receiver.set()
    }

    fn narrow(&self, receiver: &Signals, set: SignalSet) -> Result<Release, OpenError> {
        receiver.change(set)
    }

    fn watch(&self, receiver: &Signals, set: SignalSet) -> io::Result<()> {
        receiver.watch(set)
    }

    fn read(
        &self,
        receiver: &Signals,
        batch: &mut Vec<SignalInfo>,
        limit: usize,
    ) -> io::Result<usize> {
        receiver.try_recv_many(batch, limit)
    }

    fn read_of(
        &self,
        receiver: &Signals,
        set: SignalSet,
        batch: &mut Vec<SignalInfo>,
        limit: usize,
    ) -> io::Result<Option<usize>> {
        receiver.read_of(set, batch, limit)
    }

    fn send_again(&self, info: SignalInfo) -> bool {
        let (own, signal) = (std::process::id(), info.signal());
        // Without a value, a real-time signal would merge with others for which the queue has no room.
        let value = info.value_ptr().or_else(|| signal.is_real_time().then_some(0));
        let queued = value.zip(i32::try_from(own).ok()).map(|(value, own)| {
            platform::sigqueue(own, signal, value).map_err(|error| error.kind())
        });
        match queued {
            Some(Ok(())) => true,
            Some(Err(io::ErrorKind::WouldBlock)) => false,
            // A process may signal itself; what is refused with a value (by a sandbox) may go without.
            _ => {
                let sent = send::kill(own, signal);
                debug_assert!(sent.is_ok(), "{signal} to oneself");
                true
            }
        }
    }

    fn wait_for_room(&self) {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }

    fn reader(&self) -> io::Result<Arc<Reader<System>>> {
        let process = PROCESS.get(Process::default);
        let mut started = process.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reader) = &*started {
            return Ok(reader.clone());
        }
        poller()?; // an error is better here than on the thread
        let reader = Arc::new(Reader::new(System));
        let run = reader.clone();
        platform::start_quiet_thread("signal-reader", Box::new(move || run.run()))?;
        *started = Some(reader.clone());
        Ok(reader)
    }

    fn run_aside(&self, run: Box<dyn FnOnce() + Send>) {
        // The closure comes back through the slot if no thread takes it.
        let slot = Arc::new(Mutex::new(Some(run)));
        let take = |slot: &Mutex<Option<Box<dyn FnOnce() + Send>>>| {
            slot.lock().unwrap_or_else(PoisonError::into_inner).take()
        };
        let aside = slot.clone();
        let run = move || {
            if let Some(run) = take(&aside) {
                run();
            }
        };
        let started = platform::start_quiet_thread("signal-closer", Box::new(run));
        if started.is_err() {
            if let Some(run) = take(&slot) {
                run();
            }
        }
    }

    fn add(&self, receiver: &Signals, number: u64) -> io::Result<()> {
        poller()?.add(receiver.as_fd(), number)
    }

    fn arm(&self, receiver: &Signals, number: u64, armed: bool) -> io::Result<()> {
        poller()?.arm(receiver.as_fd(), number, armed)
    }

    fn remove(&self, receiver: &Signals) {
        // It was added; an error would mean that it has gone, which is what is wanted.
        let removed = poller().and_then(|poller| poller.remove(receiver.as_fd()));
        debug_assert!(removed.is_ok(), "{removed:?}");
    }

    fn wait(&self, ready: &mut Vec<u64>) -> io::Result<()> {
        poller()?.wait(ready)
    }

    #[inline]
    fn generation(&self) -> u64 {
        platform::generation()
    }
}
