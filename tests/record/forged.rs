//! What a sender writes itself is told from what the kernel vouches for.

use std::process;

use nix::libc;
use signal_source::{Origin, Sender, Signal, SignalInfo, Signals, mask, send};

use super::senders::{me, only, rt};
use super::sys::{self, Forged, SI_ASYNCIO, SI_KERNEL, SI_MESGQ, SI_QUEUE, SI_SIGIO};
use super::sys::{SI_TIMER, SI_TKILL, SI_USER};
use crate::harness::{self, fork, pid, raise, wait};

/// Who the forger says that it is.
const INIT: Sender = Sender { pid: 1, uid: 0 };

/// Another process: forges a record of `code` as if by [`INIT`], and prints what became of it.
pub fn forger(arguments: &[String]) {
    let [to, signal, code] = arguments else { panic!("pid, signal, code: {arguments:?}") };
    let number = |text: &String| text.parse::<i64>().expect("a number");
    let sent = sys::forge(&Forged {
        to: number(to).try_into().expect("a pid"),
        signal: signal.parse().expect("a signal"),
        code: number(code).try_into().expect("a code"),
        pid: INIT.pid,
        uid: INIT.uid,
        value: 7,
    });
    match sent {
        Ok(()) => print!("sent"),
        Err(error) => print!("{}", error.raw_os_error().unwrap_or(0)),
    }
}

fn forged(signal: Signal, code: i32) -> String {
    harness::play("forger", &[&pid().to_string(), &signal.to_string(), &code.to_string()])
}

/// Every code that the kernel takes from a process for another: nothing of it is verified.
pub fn forged_by_another_process() {
    for signal in [Signal::USR1, Signal::CHLD, rt(0)] {
        let signals = Signals::new(signal).expect("open");
        let claimed = |code| {
            assert_eq!(forged(signal, code), "sent");
            let info = only(&signals);
            assert_eq!((info.signal(), info.code()), (signal, Some(code)));
            assert!(!info.is_verified(), "{info:?}");
            info
        };
        let (sender, value) = (Some(INIT), 7);
        let queued = claimed(SI_QUEUE);
        assert_eq!(queued.origin(), Origin::Queue { sender, value });
        assert_eq!(queued.sender(), sender, "so it claims");
        assert_eq!(
            queued.to_string(),
            format!("{signal} queued by process 1 (uid 0) with value 7 (unverified)")
        );
        assert_eq!(claimed(SI_MESGQ).origin(), Origin::MessageQueue { sender, value });
        assert_eq!(claimed(SI_ASYNCIO).origin(), Origin::AsyncIo { sender, value });
        let timer = claimed(SI_TIMER);
        assert_eq!(timer.origin(), Origin::Timer { id: 1, overrun: 0, value });
        assert!(timer.to_string().ends_with(" (unverified)"), "{timer}");
        let ready = claimed(SI_SIGIO);
        if signal == Signal::CHLD {
            assert_eq!(ready.origin(), Origin::Unknown);
        } else {
            assert!(matches!(ready.origin(), Origin::Io { .. }), "{ready:?}");
            assert!(ready.to_string().ends_with(" (unverified)"), "{ready}");
        }
        for code in [-7, -60, i32::MIN] {
            let unknown = claimed(code);
            assert_eq!((unknown.origin(), unknown.sender()), (Origin::Unknown, None));
            assert_eq!(unknown.to_string(), signal.to_string());
        }
    }
}

/// The other codes are refused, so what comes with them is the kernel's word.
pub fn codes_that_the_kernel_keeps_for_itself() {
    let signals = Signals::new([Signal::USR1, Signal::CHLD, rt(0)]).expect("open");
    for signal in signals.set() {
        for code in [SI_USER, SI_TKILL, SI_KERNEL, 1, 2, 6, 127, i32::MAX] {
            assert_eq!(forged(signal, code), libc::EPERM.to_string(), "{signal} {code}");
        }
    }
    // The forgers' own ends are all that was sent.
    while let Some(info) = signals.try_recv().expect("try_recv") {
        assert!(matches!(info.origin(), Origin::Child(_)), "{info:?}");
    }
}

pub fn what_the_kernel_vouches_for() {
    let signals = Signals::new([Signal::USR1, Signal::CHLD, Signal::ALRM]).expect("open");
    let verified = |info: &SignalInfo| assert!(info.is_verified(), "{info:?}");
    harness::send(Signal::USR1);
    verified(&only(&signals));
    raise(Signal::USR1);
    verified(&only(&signals));
    sys::start_interval_timer();
    verified(&only(&signals));
    let child = fork(|| process::exit(0));
    verified(&only(&signals));
    wait(child);
    // True, but the kernel does not say so.
    send::sigqueue(pid(), Signal::USR1, 7).expect("queued");
    let queued = only(&signals);
    assert_eq!((queued.sender(), queued.is_verified()), (Some(me()), false));
}

/// The receiver's namespace has no number for the sender's user: the kernel says 65534 then.
pub fn sender_in_another_user_namespace() {
    harness::in_fork(|| {
        let receiver = pid();
        let signals = Signals::new(Signal::USR1).expect("open");
        // The sender inherits the block, so that it is told to go on even before it opens.
        let guard = mask::block(Signal::USR2).expect("block");
        let sender = fork(|| {
            let told = Signals::new(Signal::USR2).expect("open");
            told.recv().expect("recv");
            send::kill(receiver, Signal::USR1).expect("sent");
        });
        if let Err(error) = sys::unshare_users() {
            send::kill(sender, Signal::KILL).expect("sent");
            wait(sender);
            crate::harness::skip(format_args!("no user namespace to be had: {error}"));
        }
        drop(guard);
        send::kill(sender, Signal::USR2).expect("sent");
        let info = signals.recv().expect("recv");
        let told = info.sender().expect("a sender");
        assert_eq!((told.pid, told.is_overflow_uid()), (sender, true));
        assert!(info.is_verified(), "the process is");
        assert!(info.to_string().contains("of another namespace, or the user nobody"), "{info}");
        wait(sender);
    });
}
