//! What the kernel could not tell is absent.

use std::io;

use signal_source::{Origin, Signal, Signals, mask, send};

use super::senders::{me, only, rt};
use super::sys;
use crate::harness::{self, fork, pid, wait};

// origin: own probe H
pub fn queue_full() {
    let signals = Signals::new([rt(0), Signal::USR1, Signal::USR2]).expect("open");
    sys::forbid_queue();
    let full = send::sigqueue(pid(), rt(0), 1).expect_err("a full queue");
    assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
    assert!(signals.try_recv().expect("try_recv").is_none(), "nothing was sent");

    // `kill` does not fail, nor does a standard signal; but what they carry is lost.
    harness::send(rt(0));
    let info = only(&signals);
    assert_eq!((info.signal(), info.origin()), (rt(0), Origin::Unknown));
    assert_eq!((info.sender(), info.value(), info.value_ptr()), (None, None, None));
    assert_eq!(info.to_string(), "SIGRTMIN");
    send::sigqueue(pid(), Signal::USR1, 77).expect("sent");
    let info = only(&signals);
    assert_eq!((info.signal(), info.origin()), (Signal::USR1, Origin::Unknown));
    assert_eq!((info.sender(), info.value()), (None, None));

    // For `kill` with a standard signal, the kernel finds room.
    harness::send(Signal::USR2);
    assert_eq!(only(&signals).origin(), Origin::Process(me()));
}

pub fn sender_outside_the_pid_namespace() {
    if let Err(error) = sys::unshare_pids() {
        harness::skip(format_args!("no pid namespace to be had: {error}"));
    }
    // The child blocks from birth: nothing is discarded before it opens.
    let guard = mask::block([Signal::TERM, rt(0)]).expect("block");
    let child = fork(|| {
        assert_eq!(pid(), 1);
        let signals = Signals::new([Signal::TERM, rt(0)]).expect("open");
        let mut infos = [signals.recv().expect("recv"), signals.recv().expect("recv")];
        infos.sort_by_key(|info| info.signal());
        let [term, queued] = infos;
        assert_eq!((term.signal(), term.origin()), (Signal::TERM, Origin::Unknown));
        assert_eq!((term.sender(), term.code()), (None, Some(0)));
        assert_eq!(term.to_string(), "SIGTERM");
        assert_eq!(queued.origin(), Origin::Queue { sender: None, value: 7 });
        assert_eq!((queued.sender(), queued.value()), (None, Some(7)));
        assert_eq!(
            queued.to_string(),
            "SIGRTMIN queued by an unknown process with value 7 (unverified)"
        );
        // The child's own have a sender.
        harness::send(Signal::TERM);
        assert_eq!(only(&signals).sender().map(|sender| sender.pid), Some(1));
    });
    send::kill(child, Signal::TERM).expect("sent");
    send::sigqueue(child, rt(0), 7).expect("queued");
    let status = wait(child);
    assert!(status.success(), "the child: {status}");
    drop(guard);
}
