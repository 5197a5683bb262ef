//! What it opens: ignored signals, errors, descriptors.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use crate::harness::{self, descriptors, elsewhere, send, set_ignored};
use crate::{is_ours, runtime, shutdown, start_waiting};
use signal_source::tokio::Shutdown;
use signal_source::{OpenError, Signal, Signals};

// origin: Go os/signal NotifyContextStop (G12); what is ignored at the start stays so here
pub fn ignored_int_and_hup_stay_ignored() {
    set_ignored(Signal::INT);
    set_ignored(Signal::HUP);
    let shutdown = Shutdown::on([Signal::INT, Signal::HUP, Signal::TERM]).expect("open");
    assert_eq!(shutdown.set(), Signal::TERM.into());
    send(Signal::INT);
    send(Signal::HUP);
    assert!(!shutdown.is_triggered());
    send(Signal::TERM);
    assert!(is_ours(&shutdown.wait_blocking().expect("wait"), Signal::TERM));
    drop(shutdown);
    send(Signal::INT);
    send(Signal::HUP);
}

pub fn other_ignored_signals_are_received() {
    set_ignored(Signal::TERM);
    let shutdown = shutdown();
    assert_eq!(shutdown.set().len(), 2);
    send(Signal::TERM);
    assert!(is_ours(&shutdown.wait_blocking().expect("wait"), Signal::TERM));
    send(Signal::TERM);
}

pub fn with_nothing_left_only_the_trigger_fires() {
    set_ignored(Signal::HUP);
    let shutdown = Shutdown::on(Signal::HUP).expect("open");
    assert!(shutdown.set().is_empty());
    send(Signal::HUP);
    assert!(!shutdown.is_triggered());
    let waiter = shutdown.clone();
    let thread = thread::spawn(move || waiter.wait_blocking().expect("wait"));
    let other = shutdown.clone();
    let task = thread::spawn(move || runtime().block_on(other.wait()).expect("wait"));
    shutdown.trigger();
    assert!(thread.join().expect("no panic").signal().is_none());
    assert!(task.join().expect("no panic").signal().is_none());
    assert!(shutdown.further_blocking().expect("further").is_none());
}

/// What the role is told: whether the parent ignores HUP.
pub fn hung_up(arguments: &[String]) {
    let shutdown = Shutdown::on([Signal::HUP, Signal::TERM]).expect("open");
    let is_ignored = arguments == ["ignored"];
    assert_eq!(shutdown.set().contains(Signal::HUP), !is_ignored);
    send(Signal::HUP);
    if is_ignored {
        assert!(!shutdown.is_triggered());
        send(Signal::TERM);
    }
    println!("{:?}", shutdown.wait_blocking().expect("wait").signal());
}

// origin: Go os/signal TestDetectNohup, TestNohup (G5, G7)
pub fn under_nohup_a_hangup_is_ignored() {
    assert_eq!(harness::play("hung_up", &["default"]), "Some(SIGHUP)\n");
    set_ignored(Signal::HUP); // as nohup does, before it runs the program
    assert_eq!(harness::play("hung_up", &["ignored"]), "Some(SIGTERM)\n");
}

pub fn a_receiver_of_the_same_signal_is_an_error() {
    let signals = Signals::new([Signal::INT, Signal::HUP]).expect("open");
    let refused = Shutdown::on([Signal::INT, Signal::HUP, Signal::TERM]);
    assert!(matches!(refused, Err(OpenError::AlreadyReceived(_))), "{refused:?}");
    drop(signals);
    let shutdown = shutdown();
    assert!(matches!(Signals::new(Signal::TERM), Err(OpenError::AlreadyReceived(_))));
    drop(shutdown);
    drop(Signals::new(Signal::TERM).expect("open"));
}

pub fn refuses_an_empty_set() {
    assert!(matches!(Shutdown::on([]), Err(OpenError::Empty)));
    assert!(matches!(Shutdown::on(Signal::KILL), Err(OpenError::NotReceivable(Signal::KILL))));
}

pub fn times_out() {
    let shutdown = shutdown();
    for timeout in [Duration::ZERO, Duration::from_millis(20)] {
        assert!(shutdown.wait_timeout(timeout).expect("wait").is_none());
    }
    send(Signal::TERM);
    for timeout in [Duration::ZERO, Duration::MAX] {
        assert!(shutdown.wait_timeout(timeout).expect("wait").is_some());
    }
}

// Waiting needs no reactor: neither tokio's nor any other executor's.
pub fn waits_without_a_runtime() {
    let shutdown = shutdown();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(pin!(shutdown.wait()).poll(&mut cx).is_pending());
    let thread = thread::spawn(|| send(Signal::TERM));
    assert!(is_ours(&elsewhere::block_on(shutdown.wait()).expect("wait"), Signal::TERM));
    thread.join().expect("no panic");
    assert!(pin!(shutdown.wait()).poll(&mut cx).is_ready());
}

pub fn leaves_no_descriptor_behind() {
    let mut open = 0;
    for round in 0..20 {
        let shutdown = shutdown();
        let kept = runtime();
        kept.block_on(start_waiting(&shutdown));
        assert!(shutdown.wait_timeout(Duration::ZERO).expect("wait").is_none());
        if round % 2 == 1 {
            send(Signal::TERM);
            kept.block_on(shutdown.wait()).expect("wait");
        }
        drop(shutdown);
        drop(kept);
        if round == 1 {
            open = descriptors();
        }
    }
    // A waker keeps its runtime's descriptors open until the thread that woke it has dropped it.
    harness::eventually("all are closed", || descriptors() <= open);
}

// origin: Go os/signal NotifyContextStringer (G15)
pub fn debug_shows_the_set_and_the_cause() {
    fn is_shareable<T: Send + Sync + Clone + 'static>(_: &T) {}
    let shutdown = Shutdown::on([Signal::HUP, Signal::INT, Signal::TERM]).expect("open");
    is_shareable(&shutdown);
    let unfired = "Shutdown { signals: {SIGHUP, SIGINT, SIGTERM}, cause: None }";
    assert_eq!(format!("{shutdown:?}"), unfired);
    shutdown.trigger();
    assert!(format!("{shutdown:?}").contains("cause: Some(Triggered)"));
}

#[cfg(target_os = "linux")]
#[tokio::main(worker_threads = 2)]
pub async fn is_refused_in_tokio_main() {
    use signal_source::tokio::SignalStream;

    match Shutdown::new() {
        Err(error @ OpenError::UnblockedThreads { .. }) => {
            assert!(error.to_string().contains("#[tokio::main]"), "{error}");
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(SignalStream::new(Signal::TERM), Err(OpenError::UnblockedThreads { .. })));
}

#[cfg(target_os = "linux")]
pub fn the_audit_may_be_off() {
    let (end, wait_end) = std::sync::mpsc::channel::<()>();
    let thread = thread::spawn(move || wait_end.recv().is_err());
    assert!(matches!(Shutdown::new(), Err(OpenError::UnblockedThreads { .. })));
    let shutdown = Shutdown::builder().audit(false).open().expect("open");
    shutdown.trigger();
    drop(end);
    thread.join().expect("no panic");
}

// The reader thread needs descriptors, once; the waiting itself none.
pub fn errors_without_descriptors_and_loses_nothing() {
    let shutdown = shutdown();
    let (one, other) = (runtime(), runtime());
    harness::without_descriptors(0, || {
        assert!(other.block_on(shutdown.wait()).is_err());
        assert!(shutdown.wait_blocking().is_err());
        send(Signal::TERM);
        assert!(is_ours(&one.block_on(shutdown.wait()).expect("wait"), Signal::TERM));
    });
    assert!(is_ours(&other.block_on(shutdown.wait()).expect("wait"), Signal::TERM));
}
