//! Cases of other systems that receive signals asynchronously.

use std::future::pending;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use signal_source::tokio::SignalStream;
use signal_source::{Disposition, Signal, SignalSet, Signals, mask, send as sends};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::{Mutex, watch};
use tokio::task::yield_now;
use tokio::time::timeout;

use super::calls::next;
use crate::harness::kernel::KERNEL;
use crate::harness::{self, hits, send, set_counting, set_ignored};
use crate::{current_thread, everywhere, multi_thread, stream};

// origin: AnyIO test_task_group_cancellation_open (P2)
pub fn cancelled_at_once() {
    current_thread().block_on(async {
        let task = tokio::spawn(async {
            let mut stream = SignalStream::new([Signal::USR1, Signal::USR2]).expect("open");
            let info = stream.recv().await;
            panic!("{info:?}");
        });
        yield_now().await;
        let blocked = mask::current().expect("mask").contains(Signal::USR1);
        assert_eq!(blocked, KERNEL.masked, "it waits");
        task.abort();
        assert!(task.await.expect_err("cancelled").is_cancelled());
        assert_eq!(mask::current().expect("mask"), SignalSet::EMPTY);
    });
}

// origin: AnyIO test_task_group_cancellation_consume (P3)
pub fn cancelled_consumer() {
    everywhere([Signal::USR1, Signal::USR2], async |stream: SignalStream| {
        let shared = Arc::new(Mutex::new(stream));
        for _ in 0..10 {
            let consumer = tokio::spawn({
                let shared = Arc::clone(&shared);
                async move {
                    let info = shared.lock().await.recv().await;
                    panic!("{info:?}");
                }
            });
            yield_now().await;
            consumer.abort();
            assert!(consumer.await.expect_err("cancelled").is_cancelled());
            send(Signal::USR2);
            assert_eq!(next(&mut *shared.lock().await).await, Signal::USR2);
        }
    });
}

// origin: asyncio Runner test_interrupt_wait (P21)
pub fn interrupt_cancels_the_main_task() {
    let signals = Signals::new(Signal::INT).expect("open");
    set_counting(Signal::USR1); // counts the cleanups
    struct Cleanup;
    impl Drop for Cleanup {
        fn drop(&mut self) {
            send(Signal::USR1);
        }
    }
    let reason = multi_thread().block_on(async {
        let mut stream = stream(signals);
        let task = async {
            let _cleanup = Cleanup;
            send(Signal::INT);
            pending::<()>().await;
        };
        tokio::select! {
            biased;
            () = task => panic!("it waits for ever"),
            info = stream.recv() => info.expect("recv"),
        }
    });
    assert_eq!(reason.signal(), Signal::INT);
    harness::eventually("cleaned up", || hits(Signal::USR1) == 1);
}

/// The first interrupt cancels; the receiver has gone with it, so the second does what it always
/// did, however long the cleanup takes.
// origin: asyncio Runner, second SIGINT (P22)
pub fn a_second_interrupt_ends_the_process() {
    let signals = Signals::new(Signal::INT).expect("open");
    multi_thread().block_on(async {
        let mut stream = stream(signals);
        send(Signal::INT);
        assert_eq!(next(&mut stream).await, Signal::INT);
        drop(stream);
        send(Signal::INT);
        pending::<()>().await;
    });
}

// origin: curio test_task_signal (P23)
pub fn one_task_logs_another_sends() {
    everywhere([Signal::USR1, Signal::USR2], async |mut stream: SignalStream| {
        let log = Arc::new(std::sync::Mutex::new(Vec::new()));
        let add = |text: &'static str| log.lock().expect("no panic").push(text);
        let reader = tokio::spawn({
            let log = Arc::clone(&log);
            async move {
                for name in ["USR1", "USR2"] {
                    let seen = next(&mut stream).await.to_string();
                    assert_eq!(seen.strip_prefix("SIG"), Some(name));
                    log.lock().expect("no panic").push(name);
                }
            }
        });
        let logged = async |count| {
            while log.lock().expect("no panic").len() < count {
                yield_now().await;
            }
        };
        add("sending USR1");
        send(Signal::USR1);
        logged(2).await;
        add("sending USR2");
        send(Signal::USR2);
        logged(4).await;
        reader.await.expect("no panic");
        add("done");
        let log = log.lock().expect("no panic");
        assert_eq!(*log, ["sending USR1", "USR1", "sending USR2", "USR2", "done"]);
    });
}

// origin: curio test_task_signal_event (P24); libevent immediatesignal (E3)
pub fn sent_before_it_waits() {
    everywhere([Signal::USR1, Signal::USR2], async |mut stream: SignalStream| {
        send(Signal::USR1);
        send(Signal::USR2);
        for _ in 0..10 {
            yield_now().await;
        }
        assert_eq!(next(&mut stream).await, Signal::USR1);
        assert_eq!(next(&mut stream).await, Signal::USR2);
    });
}

// origin: curio test_task_signal_timeout (P25)
pub fn a_timeout_then_closes_clean() {
    set_counting(Signal::USR1);
    everywhere([Signal::USR1, Signal::USR2], async |mut stream: SignalStream| {
        timeout(Duration::from_millis(50), stream.recv()).await.expect_err("nothing sent");
    });
    let before = hits(Signal::USR1);
    send(Signal::USR1);
    harness::eventually("it acts as before", || hits(Signal::USR1) == before + 1);
}

/// Another process: an echo server with a client of its own, HUP and INT.
pub fn server(_arguments: &[String]) {
    let signals = Signals::new([Signal::HUP, Signal::INT]).expect("open");
    multi_thread().block_on(async {
        let mut stream = stream(signals);
        let (mut client, mut echo) = UnixStream::pair().expect("a pair");
        tokio::spawn(async move {
            let mut byte = [0];
            while echo.read_exact(&mut byte).await.is_ok() {
                echo.write_all(&byte).await.expect("an open client");
            }
        });
        println!("ready");
        loop {
            let served = async {
                client.write_all(b"?").await.expect("an open server");
                let mut byte = [0];
                client.read_exact(&mut byte).await.expect("an echo");
            };
            served.await;
            match next(&mut stream).await {
                Signal::HUP => println!("!s-hup!"),
                _ => break println!("!s-int!"),
            }
        }
    });
}

// origin: uvloop sigint_and_custom_handler (P27)
pub fn a_server_with_signals() {
    let mut command = harness::role("server", &[]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("spawn");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut line = || lines.next().expect("a line").expect("text");
    assert_eq!(line(), "ready");
    for (signal, answer) in [(Signal::HUP, "!s-hup!"), (Signal::HUP, "!s-hup!")] {
        sends::kill(child.id(), signal).expect("sent");
        assert_eq!(line(), answer);
    }
    sends::kill(child.id(), Signal::INT).expect("sent");
    assert_eq!(line(), "!s-int!");
    assert!(lines.next().is_none());
    let mut errors = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut errors).expect("text");
    assert_eq!((child.wait().expect("wait").code(), errors.as_str()), (Some(0), ""));
}

/// One interrupt or many at once cancel the tasks that wait, with the signal as the reason; those that
/// come later, while the receiver is open, do not kill.
// origin: Go NotifyContextNotifications, cause (G11, G16)
pub fn interrupts_cancel() {
    for count in [1, 10] {
        let signals = Signals::new(Signal::INT).expect("open");
        multi_thread().block_on(async {
            let mut stream = stream(signals);
            let (cancel, cancelled) = watch::channel(None);
            let waiters: Vec<_> = (0..5)
                .map(|_| {
                    let mut cancelled = cancelled.clone();
                    tokio::spawn(async move {
                        let reason = cancelled.wait_for(Option::is_some).await;
                        reason.map(|reason| *reason).expect("a reason")
                    })
                })
                .collect();
            let senders: Vec<_> =
                (0..count).map(|_| std::thread::spawn(|| send(Signal::INT))).collect();
            let info = stream.recv().await.expect("recv");
            cancel.send(Some(info.signal())).expect("waiters");
            for waiter in waiters {
                assert_eq!(waiter.await.expect("no panic"), Some(Signal::INT));
            }
            for sender in senders {
                sender.join().expect("no panic");
            }
            send(Signal::INT);
            while stream.get_ref().try_recv().expect("try_recv").is_some() {}
        });
    }
}

// origin: Go NotifyContextStop (G12)
pub fn ignored_before_and_after() {
    set_ignored(Signal::HUP);
    current_thread().block_on(async {
        send(Signal::HUP);
        let mut stream = SignalStream::new(Signal::HUP).expect("open");
        send(Signal::HUP);
        assert_eq!(next(&mut stream).await, Signal::HUP, "not ignored while it is open");
    });
    assert_eq!(Signal::HUP.disposition().expect("sigaction"), Disposition::Ignore);
    send(Signal::HUP);
}

// origin: Go NotifyContextStringer (G15)
pub fn shows_its_set() {
    let signals = Signals::new([Signal::TERM, Signal::HUP, Signal::INT]).expect("open");
    assert!(format!("{signals:?}").contains("{SIGHUP, SIGINT, SIGTERM}"), "{signals:?}");
    assert_eq!(signals.set().to_string(), "SIGHUP, SIGINT, SIGTERM");
    current_thread().block_on(async {
        let stream = stream(signals);
        assert!(format!("{stream:?}").contains("{SIGHUP, SIGINT, SIGTERM}"), "{stream:?}");
    });
}
