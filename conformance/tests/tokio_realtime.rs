//! tokio's `tests/signal_realtime.rs`, by `signal_source::tokio::compat`: all real-time signals,
//! which `reserve_at_start!` has no names for. The first line of the program reserves them.

use signal_source::tokio::compat::unix::{SignalKind, signal};
use signal_source::{Signal, SignalSet, reserve};
use signal_source_conformance::turn::send;

fn main() {
    let all: SignalSet = (0..).map_while(Signal::rt).collect();
    if all.is_empty() {
        return println!("no real-time signals here");
    }
    reserve(all).expect("no other thread exists");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listen = |number| signal(SignalKind::from(number)).expect("listen");
        let listeners: Vec<_> = all.iter().map(listen).collect();
        all.iter().for_each(send);
        for mut listener in listeners {
            assert_eq!(
                tokio::spawn(async move { listener.recv().await }).await.ok(),
                Some(Some(()))
            );
        }
    });
    println!("1 passed, 0 failed");
}
