//! calloop's `tests/signals.rs`, which runs in a process without threads there.

use std::time::Duration;

use calloop::{Dispatcher, EventLoop};
use signal_source::{Signal, mask};
use signal_source_conformance::calloop::Signals;
use signal_source_conformance::turn::{self, send};

signal_source::reserve_at_start!(USR1, USR2);

#[test]
fn single_usr1() {
    let _turn = turn::take();
    let mut event_loop = EventLoop::try_new().expect("a loop");
    let signals = Signals::new(Signal::USR1).expect("open");
    let told = |info: signal_source::SignalInfo, _: &mut (), received: &mut bool| {
        assert_eq!(info.signal(), Signal::USR1);
        *received = true;
    };
    event_loop.handle().insert_source(signals, told).map_err(|_| ()).expect("inserted");
    send(Signal::USR1);
    let mut received = false;
    event_loop.dispatch(Some(Duration::from_secs(60)), &mut received).expect("dispatch");
    assert!(received);
}

#[test]
fn usr2_added_afterwards() {
    let _turn = turn::take();
    let mut event_loop = EventLoop::try_new().expect("a loop");
    let signals = Signals::new(Signal::USR1).expect("open");
    let dispatcher =
        Dispatcher::new(signals, |info, &mut (), received| *received = Some(info.signal()));
    event_loop.handle().register_dispatcher(dispatcher.clone()).expect("registered");
    dispatcher.as_source_mut().add_signals(Signal::USR2).expect("added");
    send(Signal::USR2);
    let mut received = None;
    event_loop.dispatch(Some(Duration::from_secs(60)), &mut received).expect("dispatch");
    assert_eq!(received, Some(Signal::USR2));
}

/// A signal that is blocked meanwhile, so as not to kill: received when it is set again.
#[test]
fn usr2_signal_removed() {
    let _turn = turn::take();
    let mut event_loop = EventLoop::try_new().expect("a loop");
    let signals = Signals::new([Signal::USR1, Signal::USR2]).expect("open");
    let dispatcher =
        Dispatcher::new(signals, |info, &mut (), received| *received = Some(info.signal()));
    event_loop.handle().register_dispatcher(dispatcher.clone()).expect("registered");
    let blocked = mask::block(Signal::USR2).expect("block");
    dispatcher.as_source_mut().remove_signals(Signal::USR2).expect("removed");
    send(Signal::USR2);
    let mut received = None;
    event_loop.dispatch(Some(Duration::ZERO), &mut received).expect("dispatch");
    assert_eq!(received, None);
    dispatcher.as_source_mut().set_signals(Signal::USR2).expect("exchanged");
    event_loop.dispatch(Some(Duration::from_secs(60)), &mut received).expect("dispatch");
    assert_eq!(received, Some(Signal::USR2));
    drop(blocked);
}
