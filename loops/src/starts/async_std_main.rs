//! `#[async_std::main]`.

use async_io::Async;
use signal_source::{Signal, Signals};

signal_source::reserve_at_start!(HUP, TERM);

#[async_std::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    async_std::task::spawn(async {
        let signals = Async::new(Signals::new([Signal::HUP, Signal::TERM])?)?;
        println!("READY");
        loop {
            signals.readable().await?;
            while let Some(info) = signals.get_ref().try_recv()? {
                println!("{info}");
                if info.signal() == Signal::TERM {
                    return Ok::<(), std::io::Error>(());
                }
            }
        }
    })
    .await?;
    println!("CLOSED");
    std::future::pending().await
}
