//! `#[tokio::main]`, with its workers.

use signal_source::tokio::SignalStream;
use signal_source::{Signal, Signals};

signal_source::reserve_at_start!(HUP, TERM);

#[tokio::main(worker_threads = 4)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tokio::spawn(async {
        let mut signals = SignalStream::new([Signal::HUP, Signal::TERM]).expect("open");
        println!("READY");
        println!("{}", signals.recv().await.expect("recv"));
        signals.update(Signal::TERM).expect("narrowed");
        println!("{}", signals.recv().await.expect("recv"));
    })
    .await?;
    // On another thread, perhaps, than before.
    drop(Signals::new([Signal::HUP, Signal::TERM])?);
    println!("CLOSED");
    std::future::pending().await
}
