//! What the crate wants to reach, as ratios within one run.

use serde::{Deserialize, Serialize};

use super::Report;
use crate::linux::{bystanders, flood, open, spawn};

/// One aim.
#[derive(Serialize, Deserialize)]
pub struct Bar {
    pub what: String,
    pub ratio: f64,
    /// The most that `ratio` may be.
    pub limit: f64,
    pub met: bool,
}

fn bar(what: impl Into<String>, ratio: f64, limit: f64) -> Bar {
    Bar { what: what.into(), ratio, limit, met: ratio <= limit }
}

pub fn all(report: &Report) -> Vec<Bar> {
    let mut bars = Vec::new();
    wake(report, &mut bars);
    read(report, &mut bars);
    flooded(report, &mut bars);
    open(report, &mut bars);
    spawn(report, &mut bars);
    built(report, &mut bars);
    scale(report, &mut bars);
    bystanders(report, &mut bars);
    fanout(report, &mut bars);
    allocations(report, &mut bars);
    bars
}

/// The raw loop that does the same work as mio and tokio: edge-triggered, read until nothing is
/// left.
const RAW: &str = "raw-epoll-edge";

/// The same, in tokio's own type: what tokio costs without this crate depends on the CPU.
const RAW_TOKIO: &str = "raw-tokio";

/// The one call that blocking receivers make.
const RAW_WAIT: &str = "raw-sigtimedwait";

/// The same work takes the same time but for noise.
const NOT_SLOWER: f64 = 1.02;

fn wake(report: &Report, bars: &mut Vec<Bar>) {
    let mut trip = |what: &str, ours: &str, other: &str, limit| {
        let (Some(ours), Some(other)) = (report.woken(ours), report.woken(other)) else { return };
        let ratio = ours.round_trip_ns.median / other.round_trip_ns.median;
        bars.push(bar(format!("round trip, {what}"), ratio, limit));
    };
    trip("recv to raw rt_sigtimedwait", "ours-blocking", RAW_WAIT, 1.04);
    trip("blocking iterator to raw rt_sigtimedwait", "ours-iterator", RAW_WAIT, 1.04);
    trip("mio to raw epoll", "ours-mio", RAW, 1.02);
    trip("tokio current-thread to raw epoll", "ours-tokio", RAW, 1.06);
    trip("tokio current-thread to a hand-written AsyncFd", "ours-tokio", RAW_TOKIO, NOT_SLOWER);
    trip("mio to mio-signals", "ours-mio", "mio-signals", NOT_SLOWER);
    trip("mio to calloop", "ours-mio", "calloop", NOT_SLOWER);
    let mut itself = |what: &str, ours: &str, other: &str, limit| {
        let (Some(ours), Some(other)) = (report.woken(ours), report.woken(other)) else { return };
        let ratio = ours.to_itself_ns.median / other.to_itself_ns.median;
        bars.push(bar(format!("to itself, {what}"), ratio, limit));
    };
    itself("recv to raw rt_sigtimedwait", "ours-blocking", RAW_WAIT, 1.06);
    itself("blocking iterator to raw rt_sigtimedwait", "ours-iterator", RAW_WAIT, 1.06);
    itself("tokio to a hand-written AsyncFd", "ours-tokio", RAW_TOKIO, NOT_SLOWER);
    itself("tokio to tokio::signal", "ours-tokio", "tokio-signal", 0.27);
    itself("tokio to signal-hook-tokio", "ours-tokio", "signal-hook-tokio", 0.60);
    itself("mio to signal-hook-mio", "ours-mio", "signal-hook-mio", 0.40);
    itself("mio to mio-signals", "ours-mio", "mio-signals", NOT_SLOWER);
    itself("mio to calloop", "ours-mio", "calloop", NOT_SLOWER);
}

fn read(report: &Report, bars: &mut Vec<Bar>) {
    let row = |batch| report.read.iter().find(|row| row.batch == batch);
    if let Some(row) = row(64) {
        let ratio = row.ours_ns / row.raw_ns;
        bars.push(bar("try_recv_many(64) to raw read of 64 records", ratio, 1.03));
    }
    if let Some((row, one)) = row(1).and_then(|row| Some((row, row.one_ns?))) {
        bars.push(bar("try_recv to raw read of one record", one / row.raw_ns, 1.06));
    }
}

fn flooded(report: &Report, bars: &mut Vec<Bar>) {
    let row = |id| report.flood.iter().find(|row| row.id == id);
    let (Some(ours), Some(raw)) = (row("ours-mio-many"), row("raw-epoll-64")) else { return };
    bars.push(bar("flood, wall time to the raw loop", ours.wall_ns / raw.wall_ns, 1.05));
    let lost = |row: &flood::Row| (row.sent - row.delivered) as f64;
    let ours = || report.flood.iter().filter(|row| row.id.starts_with("ours"));
    bars.push(bar("flood, signals lost", ours().map(lost).sum(), 0.0));
    let disordered = ours().filter(|row| row.in_order != Some(true)).count();
    bars.push(bar("flood, receivers with one out of order", disordered as f64, 0.0));
}

fn open(report: &Report, bars: &mut Vec<Bar>) {
    let mut worst = |what: &str, ratios: &mut dyn Iterator<Item = f64>, limit| {
        if let Some(worst) = ratios.max_by(f64::total_cmp) {
            bars.push(bar(what, worst, limit));
        }
    };
    let all = || report.open.iter();
    let audited = |row: &open::Row| row.ours_ns / row.bare_ns;
    worst("opening and dropping to the bare calls, at worst", &mut all().map(audited), 1.3);
    let crowd = all().filter(|row| row.threads == 1000).map(audited);
    worst("the same among 1000 threads, at worst", &mut { crowd }, 1.1);
    let unaudited = all().map(|row| row.unaudited_ns / row.bare_unaudited_ns);
    worst("without the audit to the bare calls, at worst", &mut { unaudited }, 1.3);
}

fn spawn(report: &Report, bars: &mut Vec<Bar>) {
    for spawn in report.spawn.iter().filter(|row| row.name == spawn::SPAWN) {
        let is_plain =
            |row: &&spawn::Row| row.name == spawn::PLAIN && row.resident_mib == spawn.resident_mib;
        let Some(plain) = report.spawn.iter().find(is_plain) else { continue };
        let what = format!("Spawn to std's Command, parent of {} MiB", spawn.resident_mib);
        bars.push(bar(what, spawn.ns / plain.ns, 1.1));
    }
}

fn built(report: &Report, bars: &mut Vec<Bar>) {
    let own = |name| report.build.iter().find(|row| row.name == name)?.own_cpu_seconds;
    for (name, limit) in [("signal-source", 1.0), ("signal-source, tokio", 3.0)] {
        if let Some(seconds) = own(name) {
            bars.push(bar(format!("CPU seconds to build {name}, its own share"), seconds, limit));
        }
    }
}

fn scale(report: &Report, bars: &mut Vec<Bar>) {
    for row in &report.scale {
        let what = format!("hub to tokio::signal, {} subscribers", row.subscribers);
        let limit = if row.subscribers <= 1000 { 0.85 } else { 1.0 };
        bars.push(bar(what, row.hub_ns / row.tokio_signal_ns, limit));
    }
    if let (Some(few), Some(many)) = (report.scale.first(), report.scale.last()) {
        let what = format!("hub, {} subscribers of another signal to one", many.subscribers);
        bars.push(bar(what, many.hub_others_ns / few.hub_others_ns, 1.1));
    }
}

fn bystanders(report: &Report, bars: &mut Vec<Bar>) {
    let row = |kind, receivers| {
        report.bystanders.iter().find(|row| row.kind == kind && row.receivers == receivers)
    };
    let Some(none) = row(bystanders::NONE, 0) else { return };
    let aims = [(bystanders::HUB, 2.0), (bystanders::SHUTDOWN, 2.0), (bystanders::BLOCKED, 1.1)];
    for (kind, limit) in aims {
        if let Some(row) = row(kind, 64) {
            let what = format!("a signal to another thread, 64 {kind} to none");
            bars.push(bar(what, row.cpu_ns / none.cpu_ns, limit));
        }
    }
}

fn fanout(report: &Report, bars: &mut Vec<Bar>) {
    for row in &report.fanout {
        if let Some(joins) = row.join_ns {
            let what = format!("subscribing under a flood, {} subscribers", row.subscribers);
            bars.push(bar(format!("{what}, p99 to a millisecond"), joins.p99 / 1e6, 1.0));
        } else {
            let what = format!("flood, hub to broadcast, {} subscribers", row.subscribers);
            bars.push(bar(what, row.hub_ns / row.broadcast_ns, 1.0));
        }
    }
}

fn allocations(report: &Report, bars: &mut Vec<Bar>) {
    let woken = report.wake.iter().filter(|row| row.id.starts_with("ours"));
    let read = report.read.iter().map(|row| row.allocations);
    let all: u64 = woken.map(|row| row.allocations).chain(read).sum();
    if !report.wake.is_empty() || !report.read.is_empty() {
        bars.push(bar("allocations while receiving", all as f64, 0.0));
    }
}
