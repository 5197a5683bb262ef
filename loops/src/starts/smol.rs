//! smol, whose executor and reactor have threads before the receiver is opened.

use signal_source::{Signal, Signals};
use smol::Async;

signal_source::reserve_at_start!(HUP, TERM);

fn main() -> std::io::Result<()> {
    smol::block_on(smol::spawn(smol::unblock(|| ())));
    smol::block_on(smol::spawn(async {
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
    }))?;
    println!("CLOSED");
    smol::block_on(std::future::pending())
}
