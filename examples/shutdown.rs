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
use signal_source::tokio::{Shutdown, ShutdownCause};
use tokio::time::sleep;

/// Works until Ctrl-C or TERM, then cleans up; a second Ctrl-C kills.
#[derive(Parser)]
struct Args {}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Args {} = Args::parse();
    // Before the runtime of `run`: its threads inherit the block.
    match run(Shutdown::new()?)?.signal() {
        Some(signal) => process::exit_by(signal),
        None => Ok(()),
    }
}

#[tokio::main]
async fn run(shutdown: Shutdown) -> Result<ShutdownCause, Box<dyn std::error::Error>> {
    let workers = [1, 2].map(|number| tokio::spawn(work(number, shutdown.clone())));
    println!("ready: press Ctrl-C, twice if once is too slow");
    let cause = shutdown.wait().await?;
    println!("stopping: {cause}");
    for worker in workers {
        worker.await??;
    }
    Ok(cause)
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
