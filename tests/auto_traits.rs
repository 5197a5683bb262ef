//! What the compiler makes of every public type: that it goes to other threads and survives a panic,
//! and that one which does something while it lives is not dropped unseen. A field that takes this
//! away breaks programs, and shows nowhere else. (`#[non_exhaustive]` shows in `api/`.)

#![cfg(unix)]
// A value that may be left unused is an expectation that is not met.
#![deny(unfulfilled_lint_expectations)]

use std::panic::{RefUnwindSafe, UnwindSafe};

use signal_source::mask::{MaskGuard, ThreadInfo};
use signal_source::process::{Spawn, Spawned};
#[cfg(feature = "tokio")]
use signal_source::tokio::{
    HubEvent, Shutdown, ShutdownBuilder, ShutdownCause, SignalHub, SignalStream, Subscriber, compat,
};
use signal_source::{
    Builder, ChildInfo, ChildStatus, Disposition, Iter, OpenError, Origin, ParseSignalError,
    Sender, SetIter, Signal, SignalInfo, SignalNumberError, SignalSet, Signals,
};

/// To any thread, by value and by reference, through any `catch_unwind`, and never pinned.
fn goes_anywhere<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe>() {}

/// The types, and their names.
macro_rules! types {
    ($($type:ty),* $(,)?) => {{
        $(goes_anywhere::<$type>();)*
        [$(stringify!($type)),*]
    }};
}

fn always() -> impl IntoIterator<Item = &'static str> {
    types!(
        Builder,
        ChildInfo,
        ChildStatus,
        Disposition,
        Iter<'static>,
        Origin,
        ParseSignalError,
        Sender,
        SetIter,
        Signal,
        SignalInfo,
        SignalNumberError,
        SignalSet,
        Signals,
        Spawn,
        Spawned,
        ThreadInfo,
    )
}

#[cfg(feature = "tokio")]
fn with_tokio() -> impl IntoIterator<Item = &'static str> {
    types!(
        HubEvent,
        Shutdown,
        ShutdownBuilder,
        ShutdownCause,
        SignalHub,
        SignalStream,
        Subscriber,
        compat::unix::Signal,
        compat::unix::SignalKind,
    )
}

/// An `io::Error` has a boxed error in it that may be anything, and so has this one.
#[test]
fn an_error_goes_to_any_thread() {
    fn goes<T: Send + Sync + Unpin>() {}
    goes::<OpenError>();
}

/// A mask is one thread's own: its guard stays there.
#[test]
fn a_guard_stays_on_its_thread() {
    /// Two implementations for what is `Send` (or `Sync`), so that no call is unambiguous then.
    trait IsNot<How> {
        fn holds() {}
    }
    struct Send_;
    struct Sync_;
    impl<T> IsNot<()> for T {}
    impl<T: Send> IsNot<Send_> for T {}
    impl<T: Sync> IsNot<Sync_> for T {}
    <MaskGuard as IsNot<_>>::holds();

    fn survives<T: Unpin + UnwindSafe + RefUnwindSafe>() {}
    survives::<MaskGuard>();
}

/// Leaving a value unused is warned of. Nothing runs here: it is enough that it compiles.
#[test]
fn what_must_be_used() {
    fn value<T>() -> T {
        unreachable!("it is not called")
    }
    macro_rules! must_be_used {
        ($($value:expr),* $(,)?) => {
            || {
                $(#[expect(unused_must_use)]
                $value;)*
            }
        };
    }
    let _ = must_be_used!(
        value::<Builder>(),
        value::<Iter<'static>>(),
        value::<MaskGuard>(),
        value::<SetIter>(),
        value::<Signals>(),
        value::<Spawned>(),
        SignalSet::EMPTY.with(Signal::TERM),
        SignalSet::EMPTY.without(Signal::TERM),
    );
    #[cfg(feature = "tokio")]
    let _ = must_be_used!(
        value::<Shutdown>(),
        value::<ShutdownBuilder>(),
        value::<SignalHub>(),
        value::<SignalStream>(),
        value::<Subscriber>(),
        value::<compat::unix::Signal>(),
    );
}

/// What waits may wait on any worker of a runtime.
#[cfg(feature = "tokio")]
#[test]
fn futures_go_to_any_thread() {
    fn goes<T: Send>(_: &dyn Fn(T)) {}
    fn future<'a, A: 'a, F: Future + Send + 'a>(_: impl Fn(&'a mut A) -> F) {}
    goes::<SignalStream>(&drop);
    future(SignalStream::recv);
    future(Subscriber::recv);
    future(compat::unix::Signal::recv);
    fn shared<'a, A: 'a, F: Future + Send + 'a>(_: impl Fn(&'a A) -> F) {}
    shared(Shutdown::wait);
    shared(Shutdown::further);
    fn owned<F: Future<Output = ()> + Send + 'static>(_: impl Fn(&Shutdown) -> F) {}
    owned(|shutdown: &Shutdown| shutdown.wait_owned());
}

#[cfg(not(feature = "tokio"))]
fn with_tokio() -> [&'static str; 0] {
    []
}

/// The tables above are complete: they have what `api/` lists.
#[test]
fn no_public_type_is_left_out() {
    let elsewhere = ["MaskGuard", "OpenError"];
    let known: Vec<_> = always().into_iter().chain(with_tokio()).chain(elsewhere).collect();
    let mut types = 0;
    for line in include_str!("../api/linux.txt").lines() {
        let kinds = ["pub struct signal_source::", "pub enum signal_source::"];
        let Some((_, path)) = kinds.iter().find_map(|kind| line.split_once(kind)) else { continue };
        if cfg!(not(feature = "tokio")) && path.starts_with("tokio::") {
            continue;
        }
        let path = path.split(['<', '(']).next().expect("a path");
        let is_it = |known: &&str| {
            let known = known.split('<').next().expect("a name");
            path == known || path.ends_with(&format!("::{known}"))
        };
        assert!(known.iter().any(is_it), "{path} is in no table");
        types += 1;
    }
    assert_eq!(types, known.len());
}
