//! What mio-signals' example does: prints each signal, and ends at TERM.

use mio::{Events, Interest, Poll, Token};
use signal_source::Signal;
use signal_source_conformance::mio_signals::{Signals, all};

fn main() -> std::io::Result<()> {
    let mut signals = Signals::new(all())?;
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(8);
    poll.registry().register(&mut signals, Token(0), Interest::READABLE)?;
    println!("READY");
    loop {
        poll.poll(&mut events, None)?;
        while let Some(signal) = signals.receive()? {
            println!("{signal}");
            if signal == Signal::TERM {
                return Ok(());
            }
        }
    }
}
