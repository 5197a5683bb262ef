//! monoio: it waits for its own types alone, so a duplicate of the descriptor becomes a stream,
//! which is never read.

use std::os::fd::AsFd;

use monoio::net::UnixStream;
use signal_source::{Signal, Signals};

fn main() -> std::io::Result<()> {
    let signals = Signals::new([Signal::HUP, Signal::TERM])?;
    let mut runtime = monoio::RuntimeBuilder::<monoio::FusionDriver>::new().build()?;
    runtime.block_on(async {
        let duplicate = signals.as_fd().try_clone_to_owned()?;
        let ready = UnixStream::from_std(duplicate.into())?;
        println!("READY");
        loop {
            ready.readable(false).await?;
            while let Some(info) = signals.try_recv()? {
                println!("{info}");
                if info.signal() == Signal::TERM {
                    return Ok(());
                }
            }
        }
    })
}
