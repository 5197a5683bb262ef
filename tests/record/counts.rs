//! What every kernel's records have: a count, an order, and nothing that the kernel did not tell.

use signal_source::{Origin, Signal, SignalInfo, Signals, send as sends};

use crate::harness::kernel::{KERNEL, Order};
use crate::harness::{self, eventually, open, readable, send, wait};

fn drained(signals: &Signals) -> Vec<SignalInfo> {
    let mut infos = Vec::new();
    while signals.try_recv_many(&mut infos, 7).expect("read") > 0 {}
    infos
}

fn counts(infos: &[SignalInfo]) -> Vec<(Signal, u32)> {
    infos.iter().map(|info| (info.signal(), info.count())).collect()
}

/// What `sent` sendings of one pending signal count as.
fn counted(sent: u32) -> u32 {
    if KERNEL.counts { sent } else { 1 }
}

pub fn a_hundred_of_one_signal() {
    let signals = open(Signal::USR1);
    (0..100).for_each(|_| send(Signal::USR1));
    assert_eq!(counts(&drained(&signals)), [(Signal::USR1, counted(100))]);
    assert!(drained(&signals).is_empty());
}

/// Role: sends as often as told.
pub fn sends_many(arguments: &[String]) {
    let pid = arguments[0].parse().expect("a pid");
    (0..250).for_each(|_| sends::kill(pid, Signal::USR1).expect("sent"));
}

/// Read meanwhile, and on another thread: none is counted twice, and where they count, none is missing.
pub fn a_thousand_from_four_processes() {
    let signals = open(Signal::USR1);
    let pid = harness::pid().to_string();
    let start = |_| harness::role("sends_many", &[&pid]).spawn().expect("a role starts");
    let mut senders: Vec<_> = (0..4).map(start).collect();
    let reader = std::thread::spawn(move || {
        let mut sum = 0;
        eventually("all have been sent", || {
            sum += drained(&signals).iter().map(SignalInfo::count).sum::<u32>();
            senders.retain_mut(|sender| sender.try_wait().expect("a child").is_none());
            senders.is_empty()
        });
        sum + drained(&signals).iter().map(SignalInfo::count).sum::<u32>()
    });
    let sum = reader.join().expect("no panic");
    assert!(if KERNEL.counts { sum == 1000 } else { (1..=1000).contains(&sum) }, "{sum}");
}

pub fn first_sent_or_lowest_first() {
    let [lowest, middle, highest] = [Signal::HUP, Signal::INT, Signal::TERM];
    let signals = open([lowest, middle, highest]);
    [highest, middle, lowest, highest].into_iter().for_each(send);
    let expected = match KERNEL.order {
        Order::Number => [(lowest, 1), (middle, 1), (highest, counted(2))],
        Order::Arrival => [(highest, counted(2)), (middle, 1), (lowest, 1)],
    };
    assert_eq!(counts(&drained(&signals)), expected);
}

/// A record is given once, and the next sending is a new one, however often the descriptor is polled.
///
/// Origin: libevent #747 and #765
pub fn read_twice_in_succession() {
    let signals = open(Signal::USR1);
    for sent in [1, 3, 2] {
        (0..sent).for_each(|_| send(Signal::USR1));
        readable(&signals);
        readable(&signals);
        assert_eq!(counts(&drained(&signals)), [(Signal::USR1, counted(sent))]);
        assert!(drained(&signals).is_empty());
        let again = signals.recv_timeout(std::time::Duration::ZERO).expect("wait");
        assert!(again.is_none(), "{again:?}");
    }
}

pub fn only_what_the_kernel_tells() {
    let signals = open(Signal::USR1);
    send(Signal::USR1);
    let info = drained(&signals).remove(0);
    assert_eq!(info.sender().is_some(), KERNEL.sender);
    assert_eq!((info.value(), info.value_ptr()), (None, None));
    if KERNEL.sender {
        assert_eq!(info.sender().map(|sender| sender.pid), Some(harness::pid()));
        return;
    }
    assert_eq!((info.origin(), info.code()), (Origin::Unknown, None));
    assert_eq!(info.to_string(), "SIGUSR1");
}

pub fn queued_values_are_told_or_counted() {
    let Some(real_time) = Signal::rt(0) else {
        harness::skip("there are no real-time signals here");
    };
    if !KERNEL.sigqueue {
        harness::skip("there is no sigqueue here");
    }
    let signals = open(real_time);
    (1..=7).for_each(|value| sends::sigqueue(harness::pid(), real_time, value).expect("sent"));
    let infos = drained(&signals);
    if KERNEL.value {
        let values: Vec<_> = infos.iter().map(SignalInfo::value).collect();
        assert_eq!(values, (1..=7).map(Some).collect::<Vec<_>>());
        assert!(infos.iter().all(|info| info.count() == 1));
    } else {
        assert_eq!(counts(&infos), [(real_time, 7)]);
        assert_eq!((infos[0].value(), infos[0].value_ptr(), infos[0].sender()), (None, None, None));
    }
}

/// `CHLD` says that some child has changed, once for each where signals count. It may come before the
/// child can be waited for, so a program asks again until it has them all.
pub fn three_children() {
    let signals = open(Signal::CHLD);
    let mut children: Vec<_> = (0..3).map(|_| harness::fork(|| {})).collect();
    let count = || drained(&signals).iter().map(SignalInfo::count).sum::<u32>();
    readable(&signals);
    children.drain(..).for_each(|child| assert!(wait(child).success()));
    let mut sum = count();
    if KERNEL.counts {
        // Each has been waited for, and a kernel may tell its parent afterwards.
        eventually("one for each", || {
            sum += count();
            sum >= 3
        });
        assert_eq!(sum, 3);
    } else {
        assert!((1..=3).contains(&sum), "{sum}");
    }
}
