//! async-io, which is smol's.

use async_io::Async;
use signal_source::{Signal, Signals};

fn main() -> std::io::Result<()> {
    // First: async-io starts a thread.
    let signals = Signals::new([Signal::HUP, Signal::TERM])?;
    let signals = Async::new(signals)?;
    println!("READY");
    async_io::block_on(async {
        loop {
            signals.readable().await?;
            while let Some(info) = signals.get_ref().try_recv()? {
                println!("{info}");
                if info.signal() == Signal::TERM {
                    return Ok(());
                }
            }
        }
    })
}
