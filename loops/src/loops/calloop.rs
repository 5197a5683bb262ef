//! calloop's `Generic`.

use calloop::generic::Generic;
use calloop::{EventLoop, Interest, Mode, PostAction};
use signal_source::{Signal, Signals};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let signals = Signals::new([Signal::HUP, Signal::TERM])?;
    let mut event_loop = EventLoop::try_new()?;
    let source = Generic::new(signals, Interest::READ, Mode::Level);
    event_loop.handle().insert_source(source, |_, signals, stop: &mut bool| {
        while let Some(info) = signals.try_recv()? {
            println!("{info}");
            *stop |= info.signal() == Signal::TERM;
        }
        Ok(PostAction::Continue)
    })?;
    println!("READY");
    let mut stop = false;
    while !stop {
        event_loop.dispatch(None, &mut stop)?;
    }
    Ok(())
}
