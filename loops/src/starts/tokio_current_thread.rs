//! `#[tokio::main(flavor = "current_thread")]`, with threads that block.

use signal_source::tokio::Shutdown;
use signal_source::{Signal, Signals};

signal_source::reserve_at_start!(HUP, TERM);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Threads of the runtime's pool exist already.
    tokio::task::spawn_blocking(|| ()).await?;
    let reload = tokio::task::spawn_blocking(|| Signals::new(Signal::HUP)).await??;
    let shutdown = Shutdown::on(Signal::TERM)?;
    println!("READY");
    tokio::task::spawn_blocking(move || reload.recv().map(|info| println!("{info}"))).await??;
    println!("{}", shutdown.wait().await?);
    println!("CLOSED"); // a shutdown closes its receiver before it tells
    std::future::pending().await
}
