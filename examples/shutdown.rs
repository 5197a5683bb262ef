//! Stops cleanly on Ctrl-C or TERM. A second Ctrl-C kills at once, as it does without this crate.
//!
//! ```text
//! $ cargo run --example shutdown --features tokio
//! ready: press Ctrl-C, twice if once is too slow
//! ^Cstopping: SIGINT from the kernel
//! worker 1 has cleaned up
//! worker 2 has cleaned up
//! ```
//!
//! It then dies of the signal, so that the shell sees that it was interrupted.

use std::time::Duration;

use clap::Parser;
use signal_source::process;
use signal_source::tokio::Shutdown;
use tokio::time::sleep;

/// Works until Ctrl-C or TERM, then cleans up; a second Ctrl-C kills.
#[derive(Parser)]
struct Args {}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Args {} = Args::parse();
    // Before the runtime: its threads inherit the block.
    let shutdown = Shutdown::new()?;
    let cause = tokio::runtime::Runtime::new()?.block_on(async {
        let workers = [1, 2].map(|number| tokio::spawn(work(number, shutdown.clone())));
        println!("ready: press Ctrl-C, twice if once is too slow");
        let cause = shutdown.wait().await?;
        println!("stopping: {cause}");
        for worker in workers {
            worker.await??;
        }
        Ok::<_, Box<dyn std::error::Error>>(cause)
    })?;
    match cause.signal() {
        Some(signal) => process::exit_by(signal),
        None => Ok(()),
    }
}

async fn work(number: u32, shutdown: Shutdown) -> std::io::Result<()> {
    loop {
        tokio::select! {
            told = shutdown.wait() => {
                told?;
                break;
            }
            () = sleep(Duration::from_millis(100)) => {} // one piece of work
        }
    }
    sleep(Duration::from_millis(300)).await;
    println!("worker {number} has cleaned up");
    Ok(())
}
