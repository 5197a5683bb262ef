//! compio, on io_uring or epoll.

use compio::runtime::Runtime;
use compio::runtime::fd::PollFd;
use signal_source::{Signal, Signals};

fn main() -> std::io::Result<()> {
    let signals = Signals::new([Signal::HUP, Signal::TERM])?;
    Runtime::new()?.block_on(async {
        let signals = PollFd::new(signals)?;
        println!("READY");
        loop {
            while let Some(info) = signals.try_recv()? {
                println!("{info}");
                if info.signal() == Signal::TERM {
                    return Ok(());
                }
            }
            signals.read_ready().await?;
        }
    })
}
