//! kqueue, called by hand: the receiver is a kqueue itself, and is readable in another.

use std::os::fd::AsRawFd;

use rustix::event::kqueue::{Event, EventFilter, EventFlags, kevent, kqueue};
use signal_source::{Signal, Signals};

fn main() -> std::io::Result<()> {
    let signals = Signals::new([Signal::HUP, Signal::TERM])?;
    let queue = kqueue()?;
    let filter = EventFilter::Read(signals.as_raw_fd());
    let changes = [Event::new(filter, EventFlags::ADD | EventFlags::CLEAR, std::ptr::null_mut())];
    let mut events = Vec::with_capacity(8);
    // SAFETY: the descriptor is open for as long as the queue is: it is dropped after it.
    unsafe { kevent(&queue, &changes, &mut Vec::with_capacity(0), None)? };
    println!("READY");
    loop {
        events.clear();
        // SAFETY: as above.
        unsafe { kevent(&queue, &[], rustix::buffer::spare_capacity(&mut events), None)? };
        // Edge-triggered: until nothing is left.
        while let Some(info) = signals.try_recv()? {
            println!("{info}");
            if info.signal() == Signal::TERM {
                return Ok(());
            }
        }
    }
}
