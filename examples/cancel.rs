//! Ctrl-C or TERM cancels a group of tasks, and each cleans up.
//!
//! The receiver lives in a task of the group. Once that task has its signal, the receiver is gone
//! and signals act as they always did: a second Ctrl-C kills a program whose cleanup takes too
//! long.
//!
//! ```text
//! $ cargo run --all-features --example cancel
//! $ cargo run --all-features --example cancel -- --slow-cleanup
//! ```

use std::error::Error;
use std::io;
use std::time::Duration;

use clap::Parser;
use signal_source::tokio::SignalStream;
use signal_source::{Signal, Signals};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Sleeps for 30 seconds, or until Ctrl-C or TERM.
#[derive(Parser)]
struct Args {
    /// Take another 30 seconds to clean up: time for a second Ctrl-C
    #[arg(long)]
    slow_cleanup: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let signals = Signals::new([Signal::INT, Signal::TERM])?;
    println!("READY");

    Runtime::new()?.block_on(async {
        let scope = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(work(scope.clone(), args.slow_cleanup));
        tasks.spawn(stop_on_signal(scope.clone(), signals));

        // Whichever task ends first, by an error too, ends the scope; the others clean up.
        let mut outcome = Ok(());
        while let Some(ended) = tasks.join_next().await {
            scope.cancel();
            outcome = outcome.and(ended.unwrap_or_else(|panicked| Err(panicked.into())));
        }
        Ok(outcome?)
    })
}

async fn work(scope: CancellationToken, slow_cleanup: bool) -> io::Result<()> {
    scope.run_until_cancelled(sleep(Duration::from_secs(30))).await;

    println!("cleanup");
    if slow_cleanup {
        sleep(Duration::from_secs(30)).await;
    }
    Ok(())
}

/// Ends, and with it the receiver, at the first signal.
async fn stop_on_signal(scope: CancellationToken, signals: Signals) -> io::Result<()> {
    let mut signals = SignalStream::try_from(signals)?;
    if let Some(info) = scope.run_until_cancelled(signals.recv()).await {
        match info?.signal() {
            Signal::INT => println!("Ctrl+C pressed!"),
            _ => println!("Terminated!"),
        }
    }
    Ok(())
}
