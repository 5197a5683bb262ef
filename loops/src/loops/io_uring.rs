//! io_uring: one poll that tells again and again (multishot).

use std::os::fd::AsRawFd;

use io_uring::{IoUring, cqueue, opcode, types};
use signal_source::{Signal, Signals};

fn main() -> std::io::Result<()> {
    let signals = Signals::new([Signal::HUP, Signal::TERM])?;
    let mut ring = match IoUring::new(8) {
        Ok(ring) => ring,
        Err(error) => {
            println!("SKIPPED: io_uring_setup(2): {error}");
            return Ok(());
        }
    };
    let readable = u32::from(rustix::event::PollFlags::IN.bits());
    let poll = opcode::PollAdd::new(types::Fd(signals.as_raw_fd()), readable);
    let poll = poll.multi(true).build();
    // SAFETY: the descriptor is open for as long as the ring is: it is dropped after it.
    unsafe { ring.submission().push(&poll).map_err(std::io::Error::other)? };
    println!("READY");
    loop {
        ring.submit_and_wait(1)?;
        let mut more = true;
        for completion in ring.completion() {
            more &= cqueue::more(completion.flags());
        }
        while let Some(info) = signals.try_recv()? {
            println!("{info}");
            if info.signal() == Signal::TERM {
                return Ok(());
            }
        }
        if !more {
            // SAFETY: as above. The kernel may end a multishot poll at any time.
            unsafe { ring.submission().push(&poll).map_err(std::io::Error::other)? };
        }
    }
}
