//! How it works: a signal's way from the kernel to the program, with the threads, masks and queues
//! that it passes.
//!
//! # On Linux and Android
//!
//! The kernel gives a signal that is sent to the process to a thread that lets it in. Where none
//! does, it stays in the process' queue, and there `signalfd(2)` finds it. So receiving is a matter
//! of masks.
//!
#![doc = include_str!("linux.svg")]
//!
//! The receiver in the figure has `HUP` and `TERM`; `USR2` is [reserved](crate::reserve()), and no
//! receiver has it.
//!
//! - **Opening** ([`Signals::new`](crate::Signals::new)) claims the set, so that no second receiver
//!   has any of it, blocks it in the calling thread (`pthread_sigmask(3)`), waits until no delegate
//!   lets any of it in, reads the masks of all other threads in `/proc/self/task`, and
//!   only then opens the descriptor (`signalfd(2)`, nonblocking, closed by exec). If a step fails,
//!   those before it are undone. Threads that start later inherit the block.
//! - **While it is open**, each signal of the set stays pending: one record for a standard signal,
//!   however often it is sent, and one for each real-time signal. The descriptor is readable.
//! - **Receiving** takes a record out of the kernel's queue and into the caller's memory. mio and
//!   tokio wait for the descriptor, and it is read where [`try_recv`](crate::Signals::try_recv) or
//!   [`SignalStream::recv`](crate::tokio::SignalStream::recv) is called (`read(2)`). A thread in
//!   [`recv`](crate::Signals::recv) waits for the signals themselves and takes one, in a single call
//!   (`rt_sigtimedwait(2)`). Nothing lies in between that could be lost with a future.
//! - **Dropping** on the thread that opened the receiver puts that thread's mask back: what is
//!   pending acts before the drop returns. On another thread it can't, since a thread's mask is its
//!   own. So a *delegate thread* lets the signals in, and the dropping thread waits until it does.
//!   The opener's mask is put back at its next call into this crate.
//! - **What is reserved** has been blocked before any other thread existed. While it has no
//!   receiver, a delegate lets it in, so that it acts as ever; opening takes it from there, and
//!   dropping gives it back.
//! - **Children** inherit the block.
//!   [`restore_signals`](crate::process::CommandExt::restore_signals) takes out of the child's
//!   mask, before exec, what this crate has put there; [`Spawn`](crate::process::Spawn) has
//!   `posix_spawn(3)` start it with that mask, without a fork.
//!
//! # On macOS and the BSDs
//!
//! The kernel tells all knotes of a signal when it is sent, whatever masks and dispositions are,
//! and looks at the disposition afterwards. So receiving is a matter of dispositions, and no thread
//! counts.
//!
#![doc = include_str!("kqueue.svg")]
//!
//! - **Opening** claims the set and takes over one signal after the other: it adds a knote to a
//!   kqueue of the receiver's own (`kevent(2)`, `EVFILT_SIGNAL`), looks whether the signal is pending
//!   already (`sigpending(2)`), and has it ignored if it would end or stop the process
//!   (`sigaction(2)`). What is ignored by default is left at, or put to, its default: `CHLD` above
//!   all, of which no kernel makes any while it is ignored. In the end, what was pending is sent to
//!   the process once more.
//! - **While it is open**, the kernel counts in the knote and drops the signal. The kqueue is
//!   readable, in another kqueue too.
//! - **Receiving** (`kevent(2)`) gives the signal and how often it was sent
//!   ([`SignalInfo::count`](crate::SignalInfo::count)). The kernel keeps no sender and no payload.
//! - **Dropping** puts one disposition back after the other, and reads the knotes just before and
//!   just after each. Then it deletes them, and sends the process once more what was not received,
//!   so that it acts. A signal that arrives between two such reads may have acted already: it acts
//!   twice then, since no call of these kernels does both at once.
//! - **Children** inherit ignored signals. `restore_signals` puts the child's dispositions back
//!   before exec; `Spawn` starts it with them.
//!
//! # Hubs and shutdowns
//!
//! A [`SignalHub`](crate::tokio::SignalHub) or a [`Shutdown`](crate::tokio::Shutdown) has a
//! receiver like any other, which the process' one *reader thread* reads for as long as something
//! waits: with `epoll(7)` on Linux, with a kqueue of kqueues elsewhere. It reads up to 64 records,
//! notes each for the subscribers that want the signal, and wakes those that wait, with no lock
//! held. While none waits it reads nothing, and the signals stay in the kernel's
//! queue; a subscriber that looks without waiting
//! ([`try_recv`](crate::tokio::Subscriber::try_recv)) reads on its own thread.
//!
//! # The threads
//!
//! The first two start when they are first needed, and then stay, asleep.
//!
//! | thread | started by | blocks | runs |
//! |---|---|---|---|
//! | `signal-source`, the delegate (Linux) | a reservation; a receiver that is dropped on another thread than the opening one | everything but what it is to let in | the program's earlier handlers of that |
//! | `signal-reader` | something that waits for a hub or a shutdown | everything | wakers |
//! | `signal-closer` | a shutdown that fires while something waits for it | everything | nothing of the program's: it closes the receiver and ends |
//!
//! A delegate that is inside a handler can't be asked for anything else. Then another one is
//! started.
//!
//! # In the source
//!
//! [CONTRIBUTING](https://github.com/signal-source/signal-source/blob/main/CONTRIBUTING.md) names
//! the functions along the same ways ("Follow a signal").
