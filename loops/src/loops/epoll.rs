//! epoll, called by hand.

use rustix::event::epoll;
use signal_source::{Signal, Signals};

fn main() -> std::io::Result<()> {
    let signals = Signals::new([Signal::HUP, Signal::TERM])?;
    let queue = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let flags = epoll::EventFlags::IN | epoll::EventFlags::ET;
    epoll::add(&queue, &signals, epoll::EventData::new_u64(7), flags)?;
    println!("READY");
    let mut events = Vec::with_capacity(8);
    loop {
        events.clear();
        epoll::wait(&queue, rustix::buffer::spare_capacity(&mut events), None)?;
        // Edge-triggered: until nothing is left.
        while let Some(info) = signals.try_recv()? {
            println!("{info}");
            if info.signal() == Signal::TERM {
                return Ok(());
            }
        }
    }
}
