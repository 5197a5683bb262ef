//! Inside and before a tokio runtime.

use signal_source::{OpenError, Signal, SignalSet, Signals, mask};

use crate::harness::{raw_mask, send, workers};
use crate::naming::{SET, refused};

/// `#[tokio::main]` builds the runtime before its body runs.
pub(crate) fn inside_a_multi_thread_runtime_it_names_the_workers() {
    use signal_source::tokio::SignalStream;
    workers(3, "hard worker").block_on(async {
        let threads = refused(Signals::new(SET));
        assert!(threads.iter().all(|thread| thread.name == "hard worker"), "{threads:?}");
        assert_eq!(threads.len(), 3);
        assert!(matches!(SignalStream::new(SET), Err(OpenError::UnblockedThreads { .. })));
        let on_a_worker = tokio::spawn(async { refused(Signals::new(SET)).len() });
        assert_eq!(on_a_worker.await.expect("no panic"), 3, "the others, and main");
    });
    assert_eq!(raw_mask(), SignalSet::EMPTY);
}

pub(crate) fn before_the_runtime_everything_works() {
    use signal_source::tokio::SignalStream;
    let signals = Signals::new(SET).expect("open");
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(3).enable_all().build().expect("a runtime");
    let received = runtime.block_on(async {
        let mut stream = SignalStream::try_from(signals).expect("a runtime");
        tokio::spawn(async move {
            tokio::task::spawn_blocking(|| send(Signal::TERM)).await.expect("no panic");
            let info = stream.recv().await.expect("recv");
            // With all workers there it may also be opened inside, later.
            drop(stream);
            let again = SignalStream::new(Signal::TERM);
            (info.signal(), again.map(|stream| stream.get_ref().set()).map_err(|_| ()))
        })
        .await
        .expect("no panic")
    });
    assert_eq!(received.0, Signal::TERM);
    drop(runtime);
    assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
}

/// A current-thread runtime has one thread, until `spawn_blocking` leaves others behind.
pub(crate) fn on_a_current_thread_runtime_until_spawn_blocking() {
    use signal_source::tokio::SignalStream;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let mut stream = SignalStream::new(Signal::HUP).expect("one thread");
        send(Signal::HUP);
        assert_eq!(stream.recv().await.expect("recv").signal(), Signal::HUP);
        drop(stream);
        tokio::task::spawn_blocking(|| ()).await.expect("no panic");
        assert!(matches!(SignalStream::new(SET), Err(OpenError::UnblockedThreads { .. })));
    });
}
