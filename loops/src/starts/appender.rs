//! A program whose first line starts a thread: a log that is written in the background.

use signal_source::{Signal, Signals};

signal_source::reserve_at_start!(HUP, TERM);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (writer, _guard) = tracing_appender::non_blocking(std::io::stdout());
    tracing_subscriber::fmt().with_writer(writer).init();
    let signals = Signals::new([Signal::HUP, Signal::TERM])?;
    tracing::info!("READY");
    for info in &signals {
        let info = info?;
        tracing::info!("{info}");
        if info.signal() == Signal::TERM {
            break;
        }
    }
    drop(signals);
    tracing::info!("CLOSED");
    loop {
        std::thread::park();
    }
}
