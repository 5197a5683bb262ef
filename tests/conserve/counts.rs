//! How often each signal came, and the processes that send them: one for each, and each sends its next
//! signal when the one before has come. So no two are pending together and merged, and what is
//! missing is lost.

#[path = "flood.rs"]
mod flood;
#[path = "receivers.rs"]
pub(crate) mod ways;

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_source::{Signal, SignalInfo, SignalSet, Signals, send};

use crate::harness::kernel::KERNEL;
use crate::harness::{self, eventually, hits, set_counting};

const SIGNALS: [Signal; 3] = [Signal::HUP, Signal::USR1, Signal::TERM];

/// How often each is sent.
fn times() -> usize {
    flood::signals(2000)
}

static RECEIVED: [AtomicUsize; SIGNALS.len()] = [const { AtomicUsize::new(0) }; SIGNALS.len()];
/// Those that were received or handled twice.
static TWICE: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn all() -> SignalSet {
    SIGNALS.into()
}

/// Enters what was received, as often as the kernel counted it.
pub(crate) fn received(info: &SignalInfo) {
    let index = SIGNALS.iter().position(|&signal| signal == info.signal());
    let count = info.count().try_into().expect("small");
    RECEIVED[index.expect("one of those sent")].fetch_add(count, Ordering::SeqCst);
}

/// Installs the earlier handler, which counts.
pub(crate) fn install() {
    SIGNALS.into_iter().for_each(set_counting);
}

fn receipts(index: usize) -> usize {
    RECEIVED[index].load(Ordering::SeqCst)
}

/// After the last was sent and no receiver is left: each as often as it was sent, and both were tried.
pub(crate) fn settle() {
    let received: usize = (0..SIGNALS.len()).map(receipts).sum();
    let handled: usize = SIGNALS.into_iter().map(hits).sum();
    let (sent, twice) = (SIGNALS.len() * times(), TWICE.load(Ordering::SeqCst));
    println!("{received} received, {handled} handled, {twice} of them twice");
    assert_eq!(received + handled, sent + twice);
    let least = sent / 50;
    assert!(received > least && handled > least, "both were tried: {received}, {handled}");
}

/// A process that sends one of the signals.
struct One {
    index: usize,
    process: Child,
    pipe: Option<ChildStdin>,
    told: usize,
    /// How often the signal had come before the last was sent; none if that one has come too.
    before: Option<usize>,
}

impl One {
    fn start(index: usize) -> One {
        let (pid, index_shown) = (harness::pid().to_string(), index.to_string());
        let mut role = harness::role("sends_one_at_a_time", &[&pid, &index_shown]);
        let mut process = role.stdin(Stdio::piped()).spawn().expect("a role starts");
        One { index, pipe: process.stdin.take(), process, told: 0, before: None }
    }

    fn came(&self) -> usize {
        receipts(self.index) + hits(SIGNALS[self.index])
    }

    fn go_on(&mut self) {
        if self.before.is_none() && self.told < times() {
            self.before = Some(self.came());
            self.told += 1;
            let pipe = self.pipe.as_mut().expect("open until the end");
            pipe.write_all(b".").expect("the sender reads");
        }
    }

    /// Waits until the one that was sent has come.
    fn pause(&mut self, open: Option<&Signals>) {
        let Some(before) = self.before.take() else { return };
        let mut infos = Vec::new();
        eventually("the signal comes", || {
            if let Some(signals) = open {
                signals.try_recv_many(&mut infos, usize::MAX).expect("read");
                infos.drain(..).for_each(|info| received(&info));
            }
            self.came() > before
        });
    }
}

/// The processes that send.
pub(crate) struct Sender(Vec<One>);

impl Sender {
    pub(crate) fn start() -> Sender {
        Sender((0..SIGNALS.len()).map(One::start).collect())
    }

    /// Has each send its next signal, meanwhile, if the one before was accounted for; `false` if all
    /// have been sent.
    pub(crate) fn go_on(&mut self) -> bool {
        self.0.iter_mut().for_each(One::go_on);
        self.0.iter().any(|one| one.told < times())
    }

    /// Waits until all have been sent.
    pub(crate) fn end(mut self) {
        while self.0.iter().any(|one| one.told < times() || one.before.is_some()) {
            pause(&mut self, None);
            self.go_on();
        }
        for mut one in self.0 {
            drop(one.pipe.take());
            assert!(one.process.wait().expect("a child").success());
        }
    }
}

/// Between two ways: no set is being changed, and no receiver is open, or this one.
pub(crate) fn pause(sender: &mut Sender, open: Option<&Signals>) {
    let senders = &mut sender.0;
    senders.iter_mut().for_each(|one| one.pause(open));
    // What came twice has come twice by now: no signal is under way, and none is unread.
    let sent: usize = senders.iter().map(|one| one.told).sum();
    let came: usize = senders.iter().map(One::came).sum();
    let twice = came.checked_sub(sent).expect("each has come");
    assert!(!KERNEL.masked || twice == 0, "{twice} came twice");
    TWICE.store(twice, Ordering::SeqCst);
}

/// The role: one signal for each byte that it reads.
pub(crate) fn sends_one_at_a_time(arguments: &[String]) {
    let pid = arguments[0].parse().expect("a pid");
    let signal = SIGNALS[arguments[1].parse::<usize>().expect("an index")];
    let mut stdin = std::io::stdin().lock();
    while stdin.read_exact(&mut [0]).is_ok() {
        send::kill(pid, signal).expect("sent");
    }
}
