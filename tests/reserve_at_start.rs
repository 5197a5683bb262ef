//! `reserve_at_start!` under libtest, whose threads exist before the first line of a test. All of
//! these share one process, so each has signals of its own.

#![cfg(unix)]

use signal_source::tokio::{Shutdown, SignalHub, SignalStream};
use signal_source::{Signal, Signals, send};

signal_source::reserve_at_start!(HUP, INT, TERM, USR1, USR2, WINCH, ALRM, IO, PROF, CHLD, QUIT);

fn send(signal: Signal) {
    send::kill(std::process::id(), signal).expect("a process may signal itself");
}

#[test]
fn a_receiver_in_a_test() {
    for _ in 0..20 {
        let signals = Signals::new([Signal::HUP, Signal::ALRM]).expect("open");
        send(Signal::HUP);
        assert_eq!(signals.recv().expect("recv").signal(), Signal::HUP);
        send(Signal::ALRM);
        assert_eq!(signals.recv().expect("recv").signal(), Signal::ALRM);
    }
}

#[test]
fn a_receiver_that_threads_pass_on() {
    for _ in 0..20 {
        let signals = std::thread::spawn(|| Signals::new(Signal::IO)).join().expect("no panic");
        let signals = signals.expect("open");
        send(Signal::IO);
        let passed_on = std::thread::spawn(move || signals.recv().map(|info| info.signal()));
        assert_eq!(passed_on.join().expect("no panic").expect("recv"), Signal::IO);
    }
}

#[tokio::test]
async fn a_stream_in_a_runtime_of_one_thread() {
    let mut stream = SignalStream::new(Signal::USR1).expect("open");
    for _ in 0..20 {
        send(Signal::USR1);
        assert_eq!(stream.recv().await.expect("recv").signal(), Signal::USR1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stream_in_a_runtime_of_several_threads() {
    let task = tokio::spawn(async {
        let mut stream = SignalStream::new(Signal::USR2).expect("open");
        for _ in 0..20 {
            send(Signal::USR2);
            assert_eq!(stream.recv().await.expect("recv").signal(), Signal::USR2);
        }
    });
    task.await.expect("no panic");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hub_that_is_widened() {
    let hub = SignalHub::new(Signal::WINCH).expect("open");
    let mut narrow = hub.subscribe(Signal::WINCH).expect("subscribe");
    let mut wide = hub.subscribe([Signal::WINCH, Signal::PROF]).expect("widened");
    send(Signal::WINCH);
    assert_eq!(narrow.recv().await.expect("recv").signal(), Signal::WINCH);
    assert_eq!(wide.recv().await.expect("recv").signal(), Signal::WINCH);
    send(Signal::PROF);
    assert_eq!(wide.recv().await.expect("recv").signal(), Signal::PROF);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown() {
    let shutdown = Shutdown::on([Signal::INT, Signal::TERM]).expect("open");
    let told = shutdown.clone();
    let task = tokio::spawn(async move { told.wait().await.map(|cause| cause.signal()) });
    send(Signal::TERM);
    assert_eq!(task.await.expect("no panic").expect("wait"), Some(Signal::TERM));
    assert_eq!(shutdown.wait().await.expect("wait").signal(), Some(Signal::TERM));
}

#[tokio::test]
async fn a_shutdown_of_its_own_signal() {
    let shutdown = Shutdown::on(Signal::QUIT).expect("open");
    send(Signal::QUIT);
    assert_eq!(shutdown.wait().await.expect("wait").signal(), Some(Signal::QUIT));
}

#[tokio::test]
async fn children_of_a_runtime() {
    let mut stream = SignalStream::new(Signal::CHLD).expect("open");
    let mut child = std::process::Command::new(std::env::current_exe().expect("this binary"))
        .arg("--list")
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("a child");
    assert_eq!(stream.recv().await.expect("recv").signal(), Signal::CHLD);
    assert!(child.wait().expect("a child").success());
}
