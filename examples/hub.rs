//! One receiver, three subscribers: a task that reloads, a plain thread that logs, and the end.
//!
//! ```text
//! $ cargo run --example hub --features tokio &
//! ready: process 4321; send HUP, USR1 or TERM, or press Ctrl-C
//! $ kill -HUP 4321
//! log: SIGHUP from process 4300 (uid 1000)
//! reloading the configuration
//! $ kill 4321
//! stopping: SIGTERM from process 4300 (uid 1000)
//! ```

use clap::Parser;
use signal_source::Signal;
use signal_source::tokio::SignalHub;

/// Reloads at HUP, logs HUP and USR1, ends at TERM or Ctrl-C.
#[derive(Parser)]
struct Args {}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Args {} = Args::parse();
    // Before any thread: they inherit the block. Subscribers see what is sent from now on.
    let hub = SignalHub::new([Signal::HUP, Signal::USR1, Signal::INT, Signal::TERM])?;
    let mut log = hub.subscribe([Signal::HUP, Signal::USR1])?;
    let mut reload = hub.subscribe(Signal::HUP)?;
    let mut stop = hub.subscribe([Signal::INT, Signal::TERM])?;
    std::thread::spawn(move || {
        while let Ok(event) = log.recv_blocking() {
            println!("log: {event}");
        }
    });
    tokio::runtime::Runtime::new()?.block_on(async {
        tokio::spawn(async move {
            while reload.recv().await.is_ok() {
                println!("reloading the configuration");
            }
        });
        println!("ready: process {}; send HUP, USR1 or TERM, or press Ctrl-C", std::process::id());
        println!("stopping: {}", stop.recv().await?);
        Ok(())
    })
}
