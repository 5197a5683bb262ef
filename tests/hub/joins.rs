//! What a join has to wait for holds up no other part of the hub.

#[cfg(target_os = "linux")]
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

#[cfg(target_os = "linux")]
use crate::harness::{self, set_sleeping};
use crate::harness::{raw_block, send};
use crate::{blocking, hub, is_unread, subscribe};
#[cfg(target_os = "linux")]
use signal_source::mask;
use signal_source::{Signal, SignalSet};

/// How often a thread has begun to subscribe, and how often it was refused.
#[cfg(target_os = "linux")]
#[derive(Default)]
struct Attempts {
    begun: AtomicUsize,
    refused: AtomicUsize,
}

#[cfg(target_os = "linux")]
impl Attempts {
    /// The attempt that is under way, if one is.
    fn current(&self) -> Option<usize> {
        let refused = self.refused.load(Ordering::SeqCst);
        let begun = self.begun.load(Ordering::SeqCst);
        (begun > refused).then_some(begun)
    }
}

/// The delegate can't block TERM before its handler has returned: one thread waits for that, and is
/// refused; the others receive, come and go meanwhile.
#[cfg(target_os = "linux")]
pub fn one_waits_for_a_handler_and_no_other_does() {
    let latch = set_sleeping(Signal::TERM);
    let signals = harness::open(Signal::TERM);
    thread::spawn(move || drop(signals)).join().expect("no panic");
    send(Signal::TERM);
    latch.entered();
    mask::block([Signal::TERM, Signal::USR2, Signal::HUP]).expect("block").keep();
    let hub = hub(Signal::USR1);
    let mut subscriber = subscribe(&hub, Signal::USR1);
    let attempts = Arc::new(Attempts::default());
    let (joining, told) = (hub.clone(), attempts.clone());
    let joins = thread::spawn(move || {
        loop {
            told.begun.fetch_add(1, Ordering::SeqCst);
            match joining.subscribe([Signal::USR1, Signal::TERM]) {
                Ok(joined) => return joined,
                Err(error) => {
                    let named = error.to_string();
                    assert!(
                        named.contains("SIGTERM") && named.contains("signal-source"),
                        "{named}"
                    );
                    assert!(!joining.set().contains(Signal::TERM));
                    told.refused.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    });
    // All of it happens within one of the other's attempts, each of which takes a second. It may be at
    // its end by chance, but not again and again.
    harness::eventually("all is done while another thread subscribes", || {
        let Some(attempt) = attempts.current() else { return false };
        send(Signal::USR1);
        assert_eq!(blocking(&mut subscriber), Signal::USR1);
        let known = subscribe(&hub, Signal::USR1);
        let mut others = subscribe(&hub, [Signal::USR2, Signal::HUP]);
        send(Signal::HUP);
        assert_eq!(blocking(&mut others), Signal::HUP);
        others.update(Signal::USR2).expect("update");
        drop((known, others));
        assert_eq!(hub.set(), Signal::USR1.into());
        attempts.current() == Some(attempt)
    });
    harness::eventually("it is refused", || attempts.refused.load(Ordering::SeqCst) > 0);
    latch.release();
    let mut joined = joins.join().expect("no panic");
    send(Signal::TERM);
    assert_eq!(blocking(&mut joined), Signal::TERM);
}

pub fn many_widen_by_the_same_at_once() {
    let set = SignalSet::from([Signal::USR1, Signal::USR2]);
    raw_block(set);
    let hub = hub(Signal::USR1);
    let _kept = subscribe(&hub, Signal::USR1);
    let together = Arc::new(Barrier::new(8));
    let threads = [(); 8].map(|()| {
        let (hub, together) = (hub.clone(), together.clone());
        thread::spawn(move || {
            for round in 0..20 {
                together.wait();
                let mut subscriber = subscribe(&hub, set);
                together.wait();
                if round % 2 == 0 {
                    assert_eq!(is_unread(&mut subscriber), None);
                }
                if together.wait().is_leader() {
                    send(Signal::USR2);
                }
                assert_eq!(blocking(&mut subscriber), Signal::USR2);
                together.wait();
            }
        })
    });
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}
