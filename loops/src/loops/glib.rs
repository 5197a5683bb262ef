//! GLib's main loop, which is GTK's.

use std::os::fd::AsRawFd;

use glib::{ControlFlow, IOCondition, MainLoop};
use signal_source::{Signal, Signals};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // First: GLib and GTK start threads.
    let signals = Signals::new([Signal::HUP, Signal::TERM])?;
    let main_loop = MainLoop::new(None, false);
    let running = main_loop.clone();
    // The closure owns the receiver, so the descriptor is open for as long as GLib polls it.
    glib::unix_fd_add_local(signals.as_raw_fd(), IOCondition::IN, move |_, _| {
        while let Ok(Some(info)) = signals.try_recv() {
            println!("{info}");
            if info.signal() == Signal::TERM {
                running.quit();
            }
        }
        ControlFlow::Continue
    });
    println!("READY");
    main_loop.run();
    Ok(())
}
