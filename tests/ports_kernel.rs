//! What the kernel's queue does, in cases of other systems and in probes of our own.
#![allow(unsafe_code)] // signals directed at one thread

mod harness;

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use harness::kernel::{KERNEL, Order};
use harness::{End, drain, hits, open, raise, send, set_counting, set_ignored};
use signal_source::{Signal, SignalSet, mask};

fn main() {
    harness::main(
        cases![
            sent_from_another_thread,
            sent_again_while_pending,
            sent_again_after_it_was_read,
            sent_together,
            five_sent_fast,
            one_batch,
            pending_before_open,
            added_later,
            never_twice,
            ignored_by_default,
            ignored_by_the_program,
            raised,
            directed_at_another_thread,
            kill_still_kills => End::DiesOf(Signal::KILL),
            stop_and_continue,
            #[cfg(any(target_os = "linux", target_os = "android"), "what is pending is kept in the order of numbers")]
            a_flood_holds_back_higher_numbers,
            a_batch_sees_past_a_flood,
            a_receiver_of_its_own_is_prompt,
        ],
        roles![],
    );
}

/// Signals with numbers that rise on every system.
const RISING: [Signal; 3] = [Signal::HUP, Signal::INT, Signal::TERM];

// origin: AnyIO test_receive_signals (P1)
fn sent_from_another_thread() {
    let signals = open([Signal::USR1, Signal::USR2]);
    let sender = thread::spawn(|| {
        send(Signal::USR1);
        send(Signal::USR2);
    });
    for expected in [Signal::USR1, Signal::USR2] {
        assert_eq!(signals.recv().expect("recv").signal(), expected);
    }
    sender.join().expect("no panic");
}

// origin: own probe 1; FreeBSD, OpenBSD and NetBSD runs
fn sent_again_while_pending() {
    let signals = open(Signal::USR1);
    for _ in 0..3 {
        send(Signal::USR1);
    }
    let info = signals.recv().expect("recv");
    assert_eq!(info.count(), if KERNEL.counts { 3 } else { 1 });
    let times = if KERNEL.counts { ", sent 3 times" } else { "" };
    assert!(info.to_string().ends_with(times), "{info}");
    assert!(drain(&signals).is_empty());
}

// origin: Trio test_open_signal_receiver (P5); epoll-shim ev_clear_resets_data (K27)
fn sent_again_after_it_was_read() {
    let before = mask::current().expect("mask");
    let disposition = Signal::TERM.disposition().expect("sigaction");
    let signals = open(Signal::TERM);
    send(Signal::TERM);
    send(Signal::TERM);
    assert_eq!(drain(&signals), [Signal::TERM]);
    for _ in 0..3 {
        assert!(drain(&signals).is_empty());
        send(Signal::TERM);
        let info = signals.recv().expect("recv");
        assert_eq!((info.signal(), info.count()), (Signal::TERM, 1));
    }
    drop(signals);
    assert_eq!(mask::current().expect("mask"), before);
    assert_eq!(Signal::TERM.disposition().expect("sigaction"), disposition);
}

// origin: own probe 2
fn sent_together() {
    let [first, second, third] = RISING;
    let signals = open(RISING);
    for signal in [third, second, first, third] {
        send(signal);
    }
    let expected = match KERNEL.order {
        Order::Number => RISING,
        Order::Arrival => [third, second, first],
    };
    assert_eq!(drain(&signals), expected);
}

// origin: mio-signals example (R19)
fn five_sent_fast() {
    let sent = [Signal::USR1, Signal::USR2, Signal::INT, Signal::QUIT, Signal::TERM];
    let signals = open(sent);
    sent.into_iter().for_each(send);
    let mut expected = sent;
    if KERNEL.order == Order::Number {
        expected.sort();
    }
    assert_eq!(drain(&signals), expected);
}

// origin: epoll-shim multiple_signals (K10)
fn one_batch() {
    let signals = open([Signal::INT, Signal::USR1, Signal::USR2]);
    signals.set().iter().for_each(send);
    let mut infos = Vec::new();
    assert_eq!(signals.try_recv_many(&mut infos, usize::MAX).expect("try_recv_many"), 3);
    let seen: SignalSet = infos.iter().map(|info| info.signal()).collect();
    assert_eq!((seen, infos.len()), (signals.set(), 3));
    assert_eq!(signals.try_recv_many(&mut infos, usize::MAX).expect("try_recv_many"), 0);
}

// origin: libkqueue signal_get_pending (K18); libevent immediatesignal (E3)
fn pending_before_open() {
    let guard = mask::block(Signal::USR1).expect("block");
    send(Signal::USR1);
    let signals = open([Signal::USR1, Signal::USR2]);
    assert_eq!(drain(&signals), [Signal::USR1]);
    assert!(drain(&signals).is_empty(), "once");
    drop(guard);
    send(Signal::USR1);
    assert_eq!(drain(&signals), [Signal::USR1], "the receiver blocks it still");
}

// origin: signal-hook add_signal_after_creation, delayed_signal_consumed (R11)
fn added_later() {
    let signals = open(Signal::USR2);
    send(Signal::USR2);
    signals.update([Signal::USR1, Signal::USR2]).expect("update");
    send(Signal::USR1);
    let mut seen = drain(&signals);
    seen.sort();
    assert_eq!(seen.into_iter().collect::<SignalSet>(), signals.set());
    let mut pending = signals.iter();
    send(Signal::USR1);
    assert_eq!(pending.next().expect("endless").expect("recv").signal(), Signal::USR1);
}

// origin: GLib sighup, sigterm (E24)
fn never_twice() {
    for signal in [Signal::HUP, Signal::TERM] {
        set_counting(signal);
        let signals = open(signal);
        send(signal);
        assert_eq!(hits(signal), 0, "not at once");
        assert_eq!(signals.recv().expect("recv").signal(), signal);
        let again = signals.recv_timeout(Duration::from_millis(200)).expect("recv_timeout");
        assert!(again.is_none(), "{again:?}");
        drop(signals);
        assert_eq!(hits(signal), 0, "received, so it does not act");
    }
}

/// Signals whose loss would not show, had the kernel dropped them.
fn default_ignored() -> impl Iterator<Item = Signal> {
    let signals = [Signal::CHLD, Signal::URG, Signal::WINCH];
    signals.into_iter().chain(KERNEL.cont.then_some(Signal::CONT))
}

// origin: epoll-shim sigwinch (K14), sigcont (K30); Go TestSIGCONT (G8); own probes 5c and 5d
fn ignored_by_default() {
    let signals = open(default_ignored().collect::<SignalSet>());
    for signal in default_ignored() {
        send(signal);
        assert_eq!(drain(&signals), [signal]);
    }
}

// origin: own probe 5; Go NotifyContextStop (G12)
fn ignored_by_the_program() {
    let all: Vec<Signal> = default_ignored().chain([Signal::USR1, Signal::TERM]).collect();
    all.iter().for_each(|&signal| set_ignored(signal));
    let signals = open(all.iter().copied().collect::<SignalSet>());
    for signal in all {
        send(signal);
        assert_eq!(drain(&signals), [signal]);
    }
}

// origin: epoll-shim pthread_kill_self (K28); gVisor Basic (K1)
fn raised() {
    let signals = open(Signal::USR1);
    raise(Signal::USR1);
    let expected: &[Signal] = if KERNEL.raise { &[Signal::USR1] } else { &[] };
    assert_eq!(drain(&signals), expected);
}

// origin: own probes 9 and L2; smol's async-signal test "distanced"
fn directed_at_another_thread() {
    let signals = open(Signal::USR1);
    let (end, ended) = mpsc::channel::<()>();
    let (ready, is_ready) = mpsc::channel();
    let other = thread::spawn(move || {
        raise(Signal::USR1);
        ready.send(()).expect("main waits");
        let _ = ended.recv();
    });
    is_ready.recv().expect("raised");
    let expected: &[Signal] = if KERNEL.directed_elsewhere { &[Signal::USR1] } else { &[] };
    assert_eq!(drain(&signals), expected);
    drop(end);
    other.join().expect("no panic");
    assert!(drain(&signals).is_empty(), "gone with its thread");
}

// origin: gVisor KillStillKills (K8)
fn kill_still_kills() {
    let _signals = open(SignalSet::all());
    send(Signal::KILL);
}

/// What is pending on Linux is undone by its opposite, received or not; kqueue has recorded both.
// origin: own probe 18b
fn stop_and_continue() {
    if !KERNEL.cont {
        harness::skip("CONT is not receivable here");
    }
    let signals = open([Signal::TSTP, Signal::CONT]);
    for sent in [[Signal::TSTP, Signal::CONT], [Signal::CONT, Signal::TSTP]] {
        sent.into_iter().for_each(send);
        let kept = if KERNEL.masked { &sent[1..] } else { &sent };
        assert_eq!(drain(&signals), kept);
    }
}

const ROUNDS: usize = 100;

#[cfg(any(target_os = "linux", target_os = "android"))]
fn a_flood_holds_back_higher_numbers() {
    let [low, _, high] = RISING;
    let signals = open([low, high]);
    send(high);
    for _ in 0..ROUNDS {
        send(low);
        assert_eq!(signals.recv().expect("recv").signal(), low, "the lowest number first");
    }
    assert_eq!(signals.recv().expect("recv").signal(), high, "held back, not lost");
}

// origin: Trio, two signals that are always pending take turns (T-c)
fn a_batch_sees_past_a_flood() {
    let [low, _, high] = RISING;
    let signals = open([low, high]);
    let mut infos = Vec::new();
    for _ in 0..ROUNDS {
        send(high);
        send(low);
        infos.clear();
        signals.try_recv_many(&mut infos, 64).expect("try_recv_many");
        let seen: SignalSet = infos.iter().map(|info| info.signal()).collect();
        assert_eq!(seen, [low, high].into());
    }
}

fn a_receiver_of_its_own_is_prompt() {
    let [low, _, high] = RISING;
    let (urgent, jobs) = (open(high), open(low));
    for _ in 0..ROUNDS {
        send(low);
        send(high);
        assert_eq!(drain(&urgent), [high]);
        assert_eq!(jobs.recv().expect("recv").signal(), low);
    }
}
