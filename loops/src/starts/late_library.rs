//! A library that opens late, inside `#[tokio::main]` and for each call anew, as a terminal library
//! does for WINCH: it works because the program reserves.

use signal_source::{OpenError, Signal, Signals};

signal_source::reserve_at_start!(HUP, TERM, WINCH);

mod library {
    use super::{OpenError, Signal, Signals};

    /// Calls `changed` whenever the terminal's size has changed, on a thread of its own.
    pub fn watch(changed: impl Fn() + Send + 'static) -> Result<(), OpenError> {
        let signals = Signals::new(Signal::WINCH)?;
        std::thread::spawn(move || {
            while signals.recv().is_ok() {
                changed();
            }
        });
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (told, mut changes) = tokio::sync::mpsc::channel(1);
    let watch = move || {
        library::watch(move || {
            let _ = told.try_send(());
        })
    };
    tokio::spawn(async move { watch() }).await??;
    signal_source::send::kill(std::process::id(), Signal::WINCH)?;
    changes.recv().await;
    let signals = Signals::new([Signal::HUP, Signal::TERM])?;
    println!("READY");
    let receiving = move || -> std::io::Result<()> {
        println!("{}", signals.recv()?);
        println!("{}", signals.recv()?);
        Ok(())
    };
    tokio::task::spawn_blocking(receiving).await??;
    println!("CLOSED");
    std::future::pending().await
}
