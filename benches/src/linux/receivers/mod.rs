//! Every way to receive a signal that is compared, each as one function of the same shape.

pub mod executors;
mod handlers;
pub mod ours;
pub mod raw;
mod signalfds;

/// What a bench does with what a receiver receives.
pub trait Job: Send {
    /// The receiver is open: signals may come.
    fn opened(&mut self);

    /// One signal was received, with its integer where the receiver tells it.
    fn received(&mut self, signal: i32, value: Option<i32>);

    /// The receiver is about to wait; whether it should. Receivers that drain ask when nothing is
    /// left, those that hand out one signal at a time ask after each.
    fn goes_on(&mut self) -> bool;
}

/// On which mechanism a receiver stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Ours,
    Raw,
    /// A peer that reads the kernel's queue.
    Kernel,
    /// A peer with a signal handler.
    Handler,
}

#[derive(Clone, Copy)]
pub struct Receiver {
    /// For the command line and the JSON.
    pub id: &'static str,
    /// For people.
    pub name: &'static str,
    pub kind: Kind,
    /// Opens a receiver for the signals and receives until the job does not go on.
    pub run: fn(&[i32], Box<dyn Job>),
}

/// What receives one signal at a time or as many as there are, as its documentation shows.
pub const ALL: &[Receiver] = &[
    raw("raw-sigtimedwait", "raw rt_sigtimedwait", raw::sigtimedwait),
    raw("raw-read", "raw blocking read", raw::blocking_read),
    raw("raw-poll", "raw poll + read", raw::poll),
    raw("raw-epoll-level", "raw epoll, level-triggered", raw::epoll_level),
    raw("raw-epoll-edge", "raw epoll, edge-triggered", raw::epoll_edge::<1>),
    raw("raw-tokio", "raw read in tokio's AsyncFd, current-thread", raw::tokio_current),
    ours("ours-blocking", "signal-source, recv", ours::blocking),
    ours("ours-iterator", "signal-source, blocking iterator", ours::iterator),
    ours("ours-mio", "signal-source, mio", ours::mio),
    ours("ours-tokio", "signal-source, tokio current-thread", ours::tokio_current),
    ours("ours-tokio-multi", "signal-source, tokio multi-thread, main future", ours::tokio_main),
    ours("ours-tokio-task", "signal-source, tokio multi-thread, task", ours::tokio_task),
    ours("ours-hub", "signal-source, hub, tokio current-thread", ours::hub),
    kernel("mio-signals", "mio-signals", signalfds::mio_signals),
    kernel("calloop", "calloop", signalfds::calloop),
    handler("tokio-signal", "tokio::signal, current-thread", handlers::tokio_current),
    handler("tokio-signal-multi", "tokio::signal, multi-thread, main future", handlers::tokio_main),
    handler("tokio-signal-task", "tokio::signal, multi-thread, task", handlers::tokio_task),
    handler("signal-hook", "signal-hook, blocking", handlers::signal_hook),
    handler("signal-hook-mio", "signal-hook-mio", handlers::signal_hook_mio),
    handler("signal-hook-tokio", "signal-hook-tokio, current-thread", handlers::signal_hook_tokio),
    handler("async-signal", "async-signal", handlers::async_signal),
];

/// What receives in batches, or with the integer that came along.
pub const FLOODED: &[Receiver] = &[
    raw("raw-epoll-64", "raw epoll, read of 64 records", raw::epoll_edge::<64>),
    ours("ours-mio-many", "signal-source, mio, try_recv_many(64)", ours::mio_many),
    ours("ours-tokio-many", "signal-source, tokio, recv_many(64)", ours::tokio_many),
    ours("ours-tokio", "signal-source, tokio, recv", ours::tokio_current),
    handler("tokio-signal", "tokio::signal", handlers::tokio_current),
    handler("signal-hook-raw", "signal-hook with siginfo", handlers::signal_hook_siginfo),
];

/// The receiver of this id.
pub fn find(id: &str) -> Option<&'static Receiver> {
    ALL.iter().chain(FLOODED).find(|receiver| receiver.id == id)
}

type Run = fn(&[i32], Box<dyn Job>);

const fn raw(id: &'static str, name: &'static str, run: Run) -> Receiver {
    Receiver { id, name, kind: Kind::Raw, run }
}

const fn ours(id: &'static str, name: &'static str, run: Run) -> Receiver {
    Receiver { id, name, kind: Kind::Ours, run }
}

const fn kernel(id: &'static str, name: &'static str, run: Run) -> Receiver {
    Receiver { id, name, kind: Kind::Kernel, run }
}

const fn handler(id: &'static str, name: &'static str, run: Run) -> Receiver {
    Receiver { id, name, kind: Kind::Handler, run }
}
