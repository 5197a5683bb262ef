//! Conservation by numbers: the ways that receivers go, over the ledger of numbers.

#[path = "ledger.rs"]
mod ledger;
#[path = "receivers.rs"]
pub(crate) mod ways;

use signal_source::Signals;

pub(crate) use self::ledger::{Sender, all, install, received, sender};

/// Between two ways. Here each number tells for itself.
fn pause(_: &mut Sender, _open: Option<&Signals>) {}

/// After the last was sent and no receiver is left: every number once, and both were tried.
fn settle() {
    ledger::settle();
    let (received, handled) = ledger::sums();
    println!("{received} received, {handled} handled");
    let least = ledger::count() / 50;
    assert!(received > least && handled > least, "both were tried: {received}, {handled}");
}
