//! polling: it tells once, and is asked again by `modify`.

use polling::{Event, Events, Poller};
use signal_source::{Signal, Signals};

fn main() -> std::io::Result<()> {
    let signals = Signals::new([Signal::HUP, Signal::TERM])?;
    let poller = Poller::new()?;
    // SAFETY: deleted from the poller before it is dropped.
    unsafe { poller.add(&signals, Event::readable(7))? };
    println!("READY");
    let mut events = Events::new();
    'receiving: loop {
        events.clear();
        poller.wait(&mut events, None)?;
        while let Some(info) = signals.try_recv()? {
            println!("{info}");
            if info.signal() == Signal::TERM {
                break 'receiving;
            }
        }
        poller.modify(&signals, Event::readable(7))?;
    }
    poller.delete(&signals)
}
