//! kqueue, called by hand: the receiver is a kqueue itself, and is readable in another.

use std::os::fd::AsRawFd;

use rustix::event::kqueue::{Event, EventFilter, EventFlags, kevent, kqueue};
use signal_source::{Signal, Signals};

fn main() -> std::io::Result<()> {
    let signals = Signals::new([Signal::HUP, Signal::TERM])?;
    let queue = kqueue()?;
    let filter = EventFilter::Read(signals.as_raw_fd());
    let flags = EventFlags::ADD | EventFlags::CLEAR;
    let mut changes = vec![Event::new(filter, flags, std::ptr::null_mut())];
    let mut events = Vec::with_capacity(8);
    println!("READY");
    loop {
        events.clear();
        // SAFETY: the descriptor is open for as long as the queue is: it is dropped after it.
        unsafe { kevent(&queue, &changes, rustix::buffer::spare_capacity(&mut events), None)? };
        changes.clear(); // made once
        // Edge-triggered: until nothing is left.
        while let Some(info) = signals.try_recv()? {
            println!("{info}");
            if info.signal() == Signal::TERM {
                return Ok(());
            }
        }
    }
}
