//! `SignalStream`: a receiver in a tokio runtime.

use std::future::poll_fn;
use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::task::{Context, Poll, ready};

use ::tokio::io::Interest;
use ::tokio::io::unix::AsyncFd;

use crate::platform;
use crate::{OpenError, SignalInfo, SignalSet, Signals};

/// An async stream of received signals: a [`Signals`] receiver, registered with the tokio runtime in
/// whose context it is made.
///
/// No record is ever kept in user space: each is read when it is handed out. A future that is
/// dropped loses nothing; dropping the stream, aborting its task or shutting the runtime down lets
/// what is unread act as it would have before the receiver was opened.
///
/// Each call of `recv` costs a unit of tokio's cooperative budget, so that a flood of signals does
/// not starve other tasks.
///
/// # Platform notes
///
/// Linux and Android: all of the runtime's threads must block the signals, so open the [`Signals`]
/// before building the runtime, as the example does: `#[tokio::main]` builds it before the body of its
/// function runs, and hands that its arguments. Signals that were [reserved](crate::reserve_at_start)
/// can be opened inside as well ([`SignalStream::new`]).
///
/// On tokio's multi-thread runtime receive in a spawned task. The main future, which `block_on` or
/// `#[tokio::main]` runs, is not on a worker, but a worker waits for the kernel: so each signal
/// costs two more system calls and a change of threads there, as with any descriptor.
///
/// # Examples
///
/// ```no_run
/// use signal_source::tokio::SignalStream;
/// use signal_source::{Signal, Signals};
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     run(Signals::new([Signal::TERM, Signal::INT])?)
/// }
///
/// #[tokio::main]
/// async fn run(signals: Signals) -> Result<(), Box<dyn std::error::Error>> {
///     let mut signals = SignalStream::try_from(signals)?;
///     let info = signals.recv().await?;
///     println!("{info}"); // SIGTERM from process 4321 (uid 1000)
///     Ok(())
/// }
/// ```
#[derive(Debug)]
#[must_use = "a stream that is dropped at once receives nothing"]
pub struct SignalStream {
    /// There until the stream is dropped or taken apart.
    fd: Option<AsyncFd<Owned>>,
    /// Of the process that registered it.
    generation: u64,
}

/// The receiver, which a forked child takes out of the registration.
#[derive(Debug)]
struct Owned(Option<Signals>);

const THERE: &str = "a stream has its receiver until it is dropped";

impl Owned {
    fn signals(&self) -> &Signals {
        self.0.as_ref().expect(THERE)
    }
}

impl AsRawFd for Owned {
    fn as_raw_fd(&self) -> RawFd {
        self.signals().as_raw_fd()
    }
}

impl TryFrom<Signals> for SignalStream {
    type Error = io::Error;

    /// Registers the receiver with the current runtime.
    ///
    /// # Errors
    ///
    /// What the registration reports. The receiver is dropped then, so what is pending acts.
    ///
    /// # Panics
    ///
    /// Outside a runtime, or in one without its I/O driver enabled, as tokio's own types do. The
    /// receiver is dropped then, so what is pending acts.
    #[track_caller]
    fn try_from(signals: Signals) -> io::Result<SignalStream> {
        Ok(SignalStream { fd: Some(register(signals)?), generation: platform::generation() })
    }
}

/// Registers with the current runtime.
#[track_caller]
#[allow(unsafe_code)]
fn register(signals: Signals) -> io::Result<AsyncFd<Owned>> {
    // SAFETY: the descriptor is open and the same while its owner is in the `AsyncFd`, until that
    // is dropped, taken apart, or forgotten: `take` takes the owner out and forgets the `AsyncFd`,
    // before the descriptor is closed.
    let fd = unsafe { AsyncFd::register_with_interest(Owned(Some(signals)), Interest::READABLE) };
    Ok(fd?)
}

impl SignalStream {
    /// Opens a receiver and registers it with the current runtime.
    ///
    /// On Linux and Android this is for signals that were [reserved](crate::reserve_at_start), in any
    /// runtime, and else for current-thread runtimes: in a multi-thread runtime the workers exist
    /// already and do not block the signals, and the error says so. It says so on a current-thread
    /// runtime too, once `spawn_blocking` has left threads behind.
    ///
    /// # Errors
    ///
    /// As [`Signals::new`]; [`OpenError::Os`] if the registration fails.
    ///
    /// # Panics
    ///
    /// Outside a runtime, or in one without its I/O driver enabled, as tokio's own types do.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use signal_source::Signal;
    /// use signal_source::tokio::SignalStream;
    ///
    /// #[tokio::main(flavor = "current_thread")]
    /// async fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     let mut signals = SignalStream::new(Signal::TERM)?;
    ///     println!("{}", signals.recv().await?);
    ///     Ok(())
    /// }
    /// ```
    #[track_caller]
    pub fn new(set: impl Into<SignalSet>) -> Result<SignalStream, OpenError> {
        Ok(SignalStream::try_from(Signals::new(set)?)?)
    }

    /// The next signal.
    ///
    /// # Errors
    ///
    /// If the runtime that the stream was made in has been shut down, or the system refuses to
    /// read. The signals stay pending: [`into_inner`](Self::into_inner) still receives them.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a record is read only when the future completes with it. In `select!` a lost
    /// race loses no signal.
    ///
    /// # Examples
    ///
    /// ```
    /// # async fn example(mut signals: signal_source::tokio::SignalStream) -> std::io::Result<()> {
    /// # let mut timer = tokio::time::interval(std::time::Duration::from_secs(1));
    /// loop {
    ///     tokio::select! {
    ///         info = signals.recv() => println!("{}", info?),
    ///         _ = timer.tick() => println!("tick"),
    ///     }
    /// }
    /// # }
    /// ```
    pub async fn recv(&mut self) -> io::Result<SignalInfo> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Waits until a signal is pending, appends up to `limit` of them to `buf` and returns how
    /// many; never 0 unless `limit` is, which returns at once.
    ///
    /// This sees every signal that is pending, whereas one by one the lowest number always comes
    /// first. 64 signals come in one system call.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv); nothing was appended then.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: records are read and appended only when the future completes.
    ///
    /// # Examples
    ///
    /// ```
    /// # async fn example(mut signals: signal_source::tokio::SignalStream) -> std::io::Result<()> {
    /// let mut infos = Vec::with_capacity(64);
    /// loop {
    ///     signals.recv_many(&mut infos, 64).await?;
    ///     for info in infos.drain(..) {
    ///         println!("{info}");
    ///     }
    /// }
    /// # }
    /// ```
    pub async fn recv_many(
        &mut self,
        buf: &mut Vec<SignalInfo>,
        limit: usize,
    ) -> io::Result<usize> {
        if limit == 0 {
            return Ok(0);
        }
        let read = |signals: &Signals, buf: &mut Vec<SignalInfo>| {
            Ok(Some(signals.try_recv_many(buf, limit)?).filter(|&count| count > 0))
        };
        poll_fn(|cx| self.poll_read(cx, |signals| read(signals, buf))).await
    }

    /// [`recv`](Self::recv) for hand-written futures: polls for the next signal, and has the task
    /// woken if there is none. Only the task that polled last is woken.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<SignalInfo>> {
        self.poll_read(cx, Signals::try_recv)
    }

    /// Reads when the descriptor may be readable; `None` from `read` means that it was not, and
    /// only then is the readiness forgotten: an edge comes but once.
    fn poll_read<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut read: impl FnMut(&Signals) -> io::Result<Option<T>>,
    ) -> Poll<io::Result<T>> {
        loop {
            let mut ready = ready!(self.registered().poll_read_ready(cx))?;
            match read(ready.get_inner().signals())? {
                Some(found) => return Poll::Ready(Ok(found)),
                None => ready.clear_ready(),
            }
        }
    }

    /// The receiver. Reading from it directly takes nothing from the stream but what is read.
    pub fn get_ref(&self) -> &Signals {
        self.registered().get_ref().signals()
    }

    /// Takes the receiver back out of the runtime; it goes on receiving.
    pub fn into_inner(mut self) -> Signals {
        self.take().expect(THERE)
    }

    fn registered(&self) -> &AsyncFd<Owned> {
        self.fd.as_ref().expect(THERE)
    }

    /// Takes the receiver out of the runtime.
    fn take(&mut self) -> Option<Signals> {
        let mut fd = self.fd.take()?;
        if self.generation == platform::generation() {
            return fd.into_inner().0;
        }
        // A forked child shares the epoll instance of its parent's runtime: taking the registration
        // out of it, as `AsyncFd` does when it is dropped, would make the parent deaf. So it is left
        // behind; nothing of this process polls it.
        let signals = fd.get_mut().0.take();
        mem::forget(fd);
        signals
    }

    /// Changes the set: see [`Signals::update`].
    ///
    /// # Errors
    ///
    /// As [`Signals::update`]; nothing has been changed then.
    pub fn update(&self, set: impl Into<SignalSet>) -> Result<(), OpenError> {
        self.get_ref().update(set)
    }
}

impl Drop for SignalStream {
    fn drop(&mut self) {
        drop(self.take());
    }
}

/// The receiver's descriptor, readable while a signal is pending. The runtime has it registered, so
/// look at it ([`poll(2)`]), hand it to a child or print it; the stream does the waiting.
///
/// [`poll(2)`]: https://man7.org/linux/man-pages/man2/poll.2.html
impl AsFd for SignalStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.get_ref().as_fd()
    }
}

impl AsRawFd for SignalStream {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

// What a panic in between leaves behind is whole: the records are in the kernel, and tokio's part, for
// which the compiler can't tell, is readiness that is looked at anew.
impl UnwindSafe for SignalStream {}
impl RefUnwindSafe for SignalStream {}

#[cfg(feature = "stream")]
#[cfg_attr(docsrs, doc(cfg(feature = "stream")))]
impl futures_core::Stream for SignalStream {
    type Item = io::Result<SignalInfo>;

    /// As [`poll_recv`](SignalStream::poll_recv); the stream never ends.
    fn poll_next(self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_recv(cx).map(Some)
    }
}
