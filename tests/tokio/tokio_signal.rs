//! Beside what tokio itself does with signals.

use std::time::Duration;

use signal_source::{ChildStatus, Origin, Signal, Signals};
use tokio::signal::unix::{SignalKind, signal as tokio_signal};
use tokio::time::timeout;

use super::calls::next;
use crate::harness::kernel::KERNEL;
use crate::harness::{self, send};
use crate::{current_thread, multi_thread, stream};

const NOTHING: Duration = Duration::from_millis(100);

fn usr1() -> tokio::signal::unix::Signal {
    tokio_signal(SignalKind::user_defined1()).expect("tokio's handler")
}

/// While a receiver has a signal, `tokio::signal` sees nothing of it; afterwards it does again.
pub fn tokio_signal_first() {
    current_thread().block_on(async {
        let mut theirs = usr1();
        send(Signal::USR1);
        theirs.recv().await.expect("theirs");

        let mut ours = stream(Signals::new(Signal::USR1).expect("open"));
        send(Signal::USR1);
        assert_eq!(next(&mut ours).await, Signal::USR1);
        timeout(NOTHING, theirs.recv()).await.expect_err("ours alone");
        drop(ours);

        send(Signal::USR1);
        theirs.recv().await.expect("theirs again");
    });
}

/// The same where `tokio::signal` comes second, on Linux; on kqueue its handler then runs beside.
pub fn tokio_signal_later() {
    let signals = Signals::new(Signal::USR1).expect("open");
    multi_thread().block_on(async {
        let mut ours = stream(signals);
        let mut theirs = usr1();
        send(Signal::USR1);
        assert_eq!(next(&mut ours).await, Signal::USR1);
        if KERNEL.masked {
            timeout(NOTHING, theirs.recv()).await.expect_err("ours alone");
            let signals = ours.into_inner();
            drop(signals);
            // The workers inherited the block, the thread that opened does not have it any more.
            send(Signal::USR1);
            theirs.recv().await.expect("theirs");
        } else {
            theirs.recv().await.expect("theirs too");
        }
    });
}

/// What is unread when the receiver goes acts as before: `tokio::signal` sees it.
pub fn unread_goes_to_tokio_signal() {
    current_thread().block_on(async {
        let mut theirs = usr1();
        let ours = stream(Signals::new(Signal::USR1).expect("open"));
        send(Signal::USR1);
        timeout(NOTHING, theirs.recv()).await.expect_err("ours as yet");
        drop(ours);
        theirs.recv().await.expect("theirs");
    });
}

/// Another process: ends with the code it is given.
pub fn exits(arguments: &[String]) {
    let [code] = arguments else { panic!("a code: {arguments:?}") };
    std::process::exit(code.parse().expect("a code"));
}

/// A receiver of CHLD and tokio's children get along where tokio waits by pidfd (Linux 5.3 and
/// later) or the handler that it installs runs beside a receiver (kqueue): both learn of the end,
/// and tokio reaps the child. On an older Linux tokio would wait for a SIGCHLD that never comes.
// origin: uvloop test_signals_no_SIGCHLD (P30)
pub fn children_of_tokio_process() {
    let signals = Signals::new(Signal::CHLD).expect("open");
    current_thread().block_on(async {
        let mut stream = stream(signals);
        for code in [0, 7] {
            let command = harness::role("exits", &[&code.to_string()]);
            let mut child = tokio::process::Command::from(command).spawn().expect("spawn");
            let pid = child.id().expect("a pid");
            let (info, status) = tokio::join!(stream.recv(), child.wait());
            assert_eq!(status.expect("wait").code(), Some(code));
            let info = info.expect("recv");
            assert_eq!(info.signal(), Signal::CHLD);
            if KERNEL.sender {
                let Origin::Child(child) = info.origin() else { panic!("{info:?}") };
                assert_eq!((child.pid, child.status), (pid, ChildStatus::Exited(code)));
            }
        }
    });
}
