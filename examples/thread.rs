//! Signals in a program of plain threads: one of them blocks until a signal comes.
//!
//! The receiver is opened before any other thread is started, so that all inherit the block; then
//! the thread that waits can be any of them.
//!
//! ```text
//! $ cargo run --example thread
//! ```

use std::error::Error;
use std::process;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use clap::Parser;
use signal_source::{Signal, Signals};

/// What the worker is told.
enum Order {
    Reload,
    Stop,
}

/// Reloads at HUP, ends at Ctrl-C or TERM.
#[derive(Parser)]
struct Args {}

fn main() -> Result<(), Box<dyn Error>> {
    let Args {} = Args::parse();
    let signals = Signals::new([Signal::HUP, Signal::INT, Signal::TERM])?;

    let (orders, received) = mpsc::channel();
    let worker = thread::spawn(move || {
        loop {
            // Work takes time; between two steps of it, look for orders.
            match received.recv_timeout(Duration::from_millis(100)) {
                Ok(Order::Reload) => println!("Reloading configuration"),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        println!("cleanup");
    });

    println!("READY");
    eprintln!("Try: kill -HUP {}", process::id());
    for info in &signals {
        let info = info?;
        eprintln!("{info}");
        match info.signal() {
            Signal::HUP => orders.send(Order::Reload)?,
            _ => {
                orders.send(Order::Stop)?;
                break;
            }
        }
    }
    // From here on signals act as they always did: a second Ctrl-C kills.
    drop(signals);
    worker.join().map_err(|_| "the worker panicked".into())
}
