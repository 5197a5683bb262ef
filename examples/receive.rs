//! A service that reloads on HUP and ends on TERM, on tokio's multi-thread runtime.
//!
//! `main` opens the receiver before `#[tokio::main]` builds the runtime of `run`, so that the runtime's
//! threads inherit the block. Other tasks would be spawned where this one only receives.
//!
//! ```text
//! $ cargo run --all-features --example receive
//! ```

use std::error::Error;
use std::process;

use clap::Parser;
use signal_source::tokio::SignalStream;
use signal_source::{Signal, Signals};

/// Reloads at HUP, ends at TERM.
#[derive(Parser)]
struct Args {}

fn main() -> Result<(), Box<dyn Error>> {
    let Args {} = Args::parse();
    let signals = Signals::new([Signal::TERM, Signal::HUP])?;

    let pid = process::id();
    eprintln!("Process {pid}. From another terminal:\n  kill -HUP {pid}\n  kill -TERM {pid}");
    println!("READY"); // a full line: Rust flushes it, to a pipe too

    run(signals)
}

#[tokio::main]
async fn run(signals: Signals) -> Result<(), Box<dyn Error>> {
    let mut signals = SignalStream::try_from(signals)?;
    loop {
        match signals.recv().await?.signal() {
            Signal::HUP => println!("Reloading configuration"),
            _ => return Ok(()),
        }
    }
}
