//! A `CancellationToken` of tokio-util that the first signal cancels; the second gives up cleaning.
//!
//! ```text
//! $ cargo run --example shutdown_token --features tokio
//! ready: press Ctrl-C
//! ^Cstopping: SIGINT from the kernel
//! the tasks have ended
//! ```

use std::time::Duration;

use clap::Parser;
use signal_source::tokio::Shutdown;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Cleans up at Ctrl-C or TERM; a second one gives that up.
#[derive(Parser)]
struct Args {}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Args {} = Args::parse();
    let shutdown = Shutdown::builder().keep_receiving(true).open()?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let token = CancellationToken::new();
        let tasks = TaskTracker::new();
        for _ in 0..3 {
            let token = token.clone();
            tasks.spawn(async move {
                token.cancelled().await;
                sleep(Duration::from_millis(200)).await; // cleans up
            });
        }
        tasks.close();
        println!("ready: press Ctrl-C");
        println!("stopping: {}", shutdown.wait().await?);
        token.cancel();
        tokio::select! {
            () = tasks.wait() => println!("the tasks have ended"),
            further = shutdown.further() => println!("giving up: {further:?}"),
        }
        Ok(())
    })
}
