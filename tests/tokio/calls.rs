//! The calls of a stream.

use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_source::tokio::SignalStream;
use signal_source::{OpenError, Signal, SignalSet, Signals};
use tokio::time::sleep;

use crate::harness::{hits, send, set_counting};
use crate::{current_thread, everywhere, stream};

pub async fn next(stream: &mut SignalStream) -> Signal {
    stream.recv().await.expect("recv").signal()
}

// origin: AnyIO test_receive_signals (P1); tokio signal_usr1, signal_twice, signal_ctrl_c (R1)
pub fn receives_each() {
    everywhere([Signal::USR1, Signal::USR2, Signal::INT], async |mut stream: SignalStream| {
        let sent = [Signal::USR1, Signal::USR2, Signal::USR1, Signal::USR1, Signal::INT];
        for signal in sent {
            std::thread::spawn(move || send(signal));
            assert_eq!(next(&mut stream).await, signal);
        }
        assert!(stream.get_ref().try_recv().expect("try_recv").is_none());
    });
}

pub fn receives_batches() {
    everywhere([Signal::INT, Signal::USR1, Signal::USR2], async |mut stream: SignalStream| {
        let mut infos = Vec::new();
        assert_eq!(stream.recv_many(&mut infos, 0).await.expect("limit 0"), 0);
        for signal in stream.get_ref().set() {
            send(signal);
        }
        assert_eq!(stream.recv_many(&mut infos, 0).await.expect("limit 0"), 0);
        assert_eq!(stream.recv_many(&mut infos, 2).await.expect("recv_many"), 2);
        assert_eq!(stream.recv_many(&mut infos, 2).await.expect("recv_many"), 1);
        let seen: SignalSet = infos.iter().map(|info| info.signal()).collect();
        assert_eq!((infos.len(), seen), (3, stream.get_ref().set()), "appended");
        std::thread::spawn(|| {
            std::thread::sleep(Duration::from_millis(20));
            send(Signal::USR1);
        });
        assert_eq!(stream.recv_many(&mut infos, 64).await.expect("recv_many"), 1, "waited");
        assert_eq!(infos.len(), 4);
    });
}

#[derive(Default)]
pub struct Wakes(AtomicUsize);

impl Wakes {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

pub fn polled_by_hand() {
    let signals = Signals::new(Signal::USR1).expect("open");
    current_thread().block_on(async {
        let mut stream = stream(signals);
        let [first, last] = [Arc::new(Wakes::default()), Arc::new(Wakes::default())];
        for wakes in [&first, &last] {
            let waker = Waker::from(Arc::clone(wakes));
            assert!(stream.poll_recv(&mut Context::from_waker(&waker)).is_pending());
        }
        send(Signal::USR1);
        while last.count() == 0 {
            sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(first.count(), 0, "only who polled last is woken");
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(info) = stream.poll_recv(&mut context) else { panic!("not ready") };
        assert_eq!(info.expect("recv").signal(), Signal::USR1);
        assert!(stream.poll_recv(&mut context).is_pending());
    });
}

#[cfg(feature = "stream")]
pub fn is_a_stream() {
    use std::future::poll_fn;
    use std::pin::Pin;

    use futures_core::Stream;

    everywhere([Signal::USR1, Signal::USR2], async |mut stream: SignalStream| {
        assert_eq!(stream.size_hint(), (0, None));
        for signal in [Signal::USR1, Signal::USR2, Signal::USR1] {
            send(signal);
            let item = poll_fn(|cx| Pin::new(&mut stream).poll_next(cx)).await;
            assert_eq!(item.expect("it never ends").expect("recv").signal(), signal);
        }
    });
}

fn is_waiting(stream: &mut SignalStream) -> bool {
    stream.poll_recv(&mut Context::from_waker(Waker::noop())).is_pending()
}

// origin: signal-hook add_signal_after_creation (R11)
pub fn updated_while_it_waits() {
    set_counting(Signal::USR1);
    everywhere(Signal::USR1, async |mut stream: SignalStream| {
        let before = hits(Signal::USR1);
        assert!(is_waiting(&mut stream));
        // Where other threads would have to block USR2, a multi-thread runtime's do not.
        match stream.update([Signal::USR1, Signal::USR2]) {
            Ok(()) => {
                send(Signal::USR2);
                assert_eq!(next(&mut stream).await, Signal::USR2);
            }
            Err(error) => {
                assert!(matches!(error, OpenError::UnblockedThreads { .. }), "{error}");
                assert_eq!(stream.get_ref().set(), Signal::USR1.into());
            }
        }
        send(Signal::USR1);
        assert_eq!(next(&mut stream).await, Signal::USR1);
        assert_eq!(hits(Signal::USR1), before);
    });
    // What is removed acts again.
    let signals = Signals::new([Signal::USR1, Signal::USR2]).expect("open");
    current_thread().block_on(async {
        let mut stream = stream(signals);
        let before = hits(Signal::USR1);
        send(Signal::USR1);
        stream.update(Signal::USR2).expect("update");
        assert_eq!(hits(Signal::USR1), before + 1);
        stream.update([Signal::USR2, Signal::HUP]).expect("update");
        send(Signal::HUP);
        assert_eq!(next(&mut stream).await, Signal::HUP);
        stream.update(SignalSet::EMPTY).expect_err("empty");
        send(Signal::USR2);
        assert_eq!(next(&mut stream).await, Signal::USR2);
    });
}

pub fn taken_back_out() {
    everywhere(Signal::USR1, async |mut stream: SignalStream| {
        send(Signal::USR1);
        assert_eq!(next(&mut stream).await, Signal::USR1);
        send(Signal::USR1);
        let signals = stream.into_inner();
        assert_eq!(signals.recv().expect("recv").signal(), Signal::USR1);
        send(Signal::USR1);
        let mut stream = crate::stream(signals);
        assert_eq!(next(&mut stream).await, Signal::USR1);
    });
}

/// It can be looked at from outside, and a panic around it changes nothing.
pub fn its_descriptor_is_the_receivers() {
    everywhere(Signal::USR1, async |mut stream: SignalStream| {
        assert_eq!(stream.as_raw_fd(), stream.get_ref().as_raw_fd());
        let is_readable = |stream: &SignalStream| {
            let mut fds = [PollFd::new(stream, PollFlags::IN)];
            poll(&mut fds, Some(&Timespec::default())).expect("poll") == 1
        };
        assert!(!is_readable(&stream));
        send(Signal::USR1);
        assert!(is_readable(&stream));
        let panicked = std::panic::catch_unwind(|| {
            assert!(!is_readable(&stream), "it is");
        });
        assert!(panicked.is_err());
        assert_eq!(next(&mut stream).await, Signal::USR1);
        assert!(!is_readable(&stream));
    });
}

/// A read by other code leaves the stream waiting, not confused.
pub fn read_directly() {
    everywhere([Signal::USR1, Signal::USR2], async |mut stream: SignalStream| {
        for _ in 0..3 {
            send(Signal::USR1);
            sleep(Duration::from_millis(2)).await;
            let info = stream.get_ref().try_recv().expect("try_recv");
            assert_eq!(info.expect("pending").signal(), Signal::USR1);
            tokio::select! {
                biased;
                info = stream.recv() => panic!("{info:?}"),
                () = sleep(Duration::from_millis(2)) => {}
            }
            send(Signal::USR2);
            assert_eq!(next(&mut stream).await, Signal::USR2);
        }
    });
}

pub fn pending_before_the_runtime() {
    let signals = Signals::new(Signal::USR1).expect("open");
    send(Signal::USR1);
    current_thread().block_on(async {
        assert_eq!(next(&mut stream(signals)).await, Signal::USR1);
    });
}
