//! Signals in a mio event loop, beside whatever else the loop waits for.
//!
//! ```text
//! $ cargo run --all-features --example mio_loop
//! ```

use std::error::Error;
use std::io;
use std::process;

use clap::Parser;
use mio::{Events, Interest, Poll, Token};
use signal_source::{Signal, Signals};

const SIGNALS: Token = Token(0);

/// Shows HUP, INT and TERM in a mio event loop; ends at the latter two.
#[derive(Parser)]
struct Args {}

fn main() -> Result<(), Box<dyn Error>> {
    let Args {} = Args::parse();
    let mut signals = Signals::new([Signal::HUP, Signal::INT, Signal::TERM])?;
    let mut poll = Poll::new()?;
    poll.registry().register(&mut signals, SIGNALS, Interest::READABLE)?;
    println!("READY");
    eprintln!("Try: kill -HUP {}", process::id());

    let mut events = Events::with_capacity(64);
    loop {
        match poll.poll(&mut events, None) {
            // Stopping and continuing the process does this (on Linux), and the program's handlers.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            match event.token() {
                // Readiness is edge-triggered: read until nothing is left.
                SIGNALS => {
                    while let Some(info) = signals.try_recv()? {
                        println!("{info}");
                        if info.signal() != Signal::HUP {
                            return Ok(());
                        }
                    }
                }
                other => unreachable!("nothing was registered as {other:?}"),
            }
        }
    }
}
