//! The report for people.

use std::fmt::Write as _;

use super::Report;
use crate::linux::stats::Spread;

/// A table: the first row is the head; all columns but the first are figures.
struct Table(Vec<Vec<String>>);

impl Table {
    fn new(head: &[&str]) -> Table {
        Table(vec![head.iter().map(|&cell| cell.into()).collect()])
    }

    fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.push(cells.into_iter().collect());
    }

    /// Nothing if it has a head alone.
    fn write(self, text: &mut String, title: &str, note: &str) {
        let [head, rows @ ..] = &self.0[..] else { return };
        if rows.is_empty() {
            return;
        }
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let figures = vec!["---:".to_owned(); head.len() - 1];
        let rule = [vec!["---".to_owned()], figures].concat();
        let rows: String = rows.iter().map(|row| line(row)).collect();
        // Writing to a string can't fail.
        let _ = write!(text, "\n## {title}\n\n{note}\n\n{}{}{rows}", line(head), line(&rule));
    }
}

pub fn text(report: &Report) -> String {
    let mut text = heading(report);
    bars(report, &mut text);
    wake(report, &mut text);
    messages(report, &mut text);
    read(report, &mut text);
    flood(report, &mut text);
    open(report, &mut text);
    scale(report, &mut text);
    bystanders(report, &mut text);
    fanout(report, &mut text);
    spawn(report, &mut text);
    build(report, &mut text);
    text
}

fn heading(report: &Report) -> String {
    let machine = &report.machine;
    let versions: Vec<String> =
        machine.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    format!(
        "# Benchmarks\n\n{}, {} CPUs, {}, {}, {}.\n\n{}.\n\nBoth ends of every measurement run on \
         one CPU. Compare within a table: another machine has other times.\n",
        machine.cpu,
        machine.cpus,
        machine.kernel,
        machine.rustc,
        machine.date,
        versions.join(", ")
    )
}

fn bars(report: &Report, text: &mut String) {
    let mut table = Table::new(&["aim", "measured", "at most", "met"]);
    for bar in &report.bars {
        let met = if bar.met { "yes" } else { "**no**" };
        table.row([bar.what.clone(), ratio(bar.ratio), ratio(bar.limit), met.into()]);
    }
    table.write(text, "Aims", "Ratios of medians, or counts.");
}

fn wake(report: &Report, text: &mut String) {
    let mut table = Table::new(&[
        "receiver",
        "round trip, median",
        "p99",
        "to itself, median",
        "p99",
        "system calls a signal",
        "allocations",
    ]);
    for row in &report.wake {
        table.row([
            row.name.into(),
            us(row.round_trip_ns.median),
            us(row.round_trip_ns.p99),
            us(row.to_itself_ns.median),
            us(row.to_itself_ns.p99),
            row.system_calls.map_or("–".into(), |calls| format!("{calls:.1}")),
            row.allocations.to_string(),
        ]);
    }
    let note = "Round trip: another process sends, the receiver answers through a pipe. To itself: \
        the process sends to itself and receives. System calls are the receiver's in a round trip, \
        without the answer; allocations are those of all round trips together.";
    table.write(text, "wake", note);
}

fn messages(report: &Report, text: &mut String) {
    let mut table = Table::new(&["way", "messages a second"]);
    for row in &report.messages {
        table.row([row.name.clone(), format!("{:.0}", row.messages_a_second)]);
    }
    let note = "Two processes, each of which sends a message as soon as it has the other's: the \
        shortest that there is, by blocking system calls.";
    table.write(text, "messages", note);
}

fn read(report: &Report, text: &mut String) {
    let mut table =
        Table::new(&["records a call", "raw `read`", "`try_recv_many`", "ratio", "`try_recv`"]);
    for row in &report.read {
        table.row([
            row.batch.to_string(),
            ns(row.raw_ns),
            ns(row.ours_ns),
            ratio(row.ours_ns / row.raw_ns),
            row.one_ns.map_or(String::new(), ns),
        ]);
    }
    table.write(text, "read", "For one of the records that wait in the queue.");
}

fn flood(report: &Report, text: &mut String) {
    let mut table = Table::new(&[
        "receiver",
        "delivered",
        "in order",
        "wall time a signal",
        "CPU time a signal",
        "sleeps a signal",
        "`poll` interrupted",
        "`read` interrupted",
        "slow-down",
    ]);
    for row in &report.flood {
        let in_order = row.in_order.map_or("not told", |yes| if yes { "yes" } else { "no" });
        let disturbance = &row.disturbance;
        table.row([
            row.name.into(),
            format!("{} of {}", row.delivered, row.sent),
            in_order.into(),
            ns(row.wall_ns),
            ns(row.cpu_ns),
            format!("{:.3}", row.sleeps),
            disturbance.poll_eintr.to_string(),
            disturbance.read_eintr.to_string(),
            ratio(disturbance.slow_down),
        ]);
    }
    let note = "Real-time signals with integers, as fast as another process can send them. Times \
        are for one signal sent: wall time of both processes, in short floods, and CPU time of \
        the receiver; and how often that went to sleep for want of a signal. The last three columns are of a run in which a thread of its own receives: \
        how often a thread in `poll` and one in `read` got `EINTR`, and what the main thread's \
        arithmetic costs, in CPU time, beside its cost in peace.";
    table.write(text, "flood", note);
}

fn open(report: &Report, text: &mut String) {
    let mut table = Table::new(&[
        "threads",
        "signals",
        "open and drop",
        "bare calls",
        "ratio",
        "without audit",
        "bare calls",
        "audit, a thread",
    ]);
    for row in &report.open {
        table.row([
            row.threads.to_string(),
            row.signals.to_string(),
            us(row.ours_ns),
            us(row.bare_ns),
            ratio(row.ours_ns / row.bare_ns),
            us(row.unaudited_ns),
            us(row.bare_unaudited_ns),
            us((row.ours_ns - row.unaudited_ns) / row.threads as f64),
        ]);
    }
    let note = "Bare: mask, one pass over `/proc/self/task/*/status`, signalfd, close, mask. The audit \
        reads the shorter `stat` where no real-time signal is in the set (of 31 some are), and lists the \
        threads once more, to know that it has seen all; opening and dropping set the mask \
        four times, so that no handler runs while the lock is held.";
    table.write(text, "open", note);
}

fn scale(report: &Report, text: &mut String) {
    let mut table = Table::new(&[
        "subscribers",
        "hub",
        "tokio::signal",
        "ratio",
        "hub, of another signal",
        "bytes, hub",
        "bytes, tokio::signal",
    ]);
    for row in &report.scale {
        table.row([
            row.subscribers.to_string(),
            us(row.hub_ns),
            us(row.tokio_signal_ns),
            ratio(row.hub_ns / row.tokio_signal_ns),
            us(row.hub_others_ns),
            format!("{:.0}", row.hub_bytes),
            format!("{:.0}", row.tokio_signal_bytes),
        ]);
    }
    let note = "From sending a signal to oneself until every subscriber, a task each, has it; of \
        another signal: one subscriber receives, the others wait for something else. Bytes are \
        allocated for each subscriber.";
    table.write(text, "scale", note);
}

fn bystanders(report: &Report, text: &mut String) {
    let mut table = Table::new(&["receivers", "how many", "CPU time a signal"]);
    for row in &report.bystanders {
        table.row([row.kind.clone(), row.receivers.to_string(), us(row.cpu_ns)]);
    }
    let note = "`SIGPROF`, directed at a thread that handles it and has nothing to do with the receivers: \
        CPU time of the process, less what it takes to wait as long without a signal. Linux wakes \
        whatever polls a signalfd for any signal of the process, so what streams with a receiver each cost \
        is the kernel's. There are fewer signals than 64 that can be received.";
    table.write(text, "bystanders", note);
}

fn fanout(report: &Report, text: &mut String) {
    let mut table = Table::new(&[
        "subscribers",
        "hub",
        "delivered",
        "broadcast",
        "delivered",
        "ratio",
        "subscribe and drop",
        "p99",
    ]);
    let absent = || "–".to_owned();
    for row in &report.fanout {
        let is_compared = row.broadcast_delivered > 0;
        let percent = |delivered: u64| {
            let all = row.sent as f64 * row.subscribers as f64;
            format!("{:.1} %", delivered as f64 / all * 100.0)
        };
        let compared = |text: String| if is_compared { text } else { absent() };
        let joins =
            |figure: fn(&Spread) -> f64| row.join_ns.as_ref().map(|joins| us(figure(joins)));
        table.row([
            row.subscribers.to_string(),
            ns(row.hub_ns),
            percent(row.hub_delivered),
            compared(ns(row.broadcast_ns)),
            compared(percent(row.broadcast_delivered)),
            compared(ratio(row.hub_ns / row.broadcast_ns)),
            joins(|joins| joins.median).unwrap_or_else(absent),
            joins(|joins| joins.p99).unwrap_or_else(absent),
        ]);
    }
    let note = "CPU time of the process for each delivery, under a flood of a million real-time signals; \
        broadcast: `tokio::sync::broadcast`, fed by a hand-written loop over a signalfd. A subscriber \
        that lags misses some, and is told; both keep 256. Subscribing and dropping: while such a flood \
        goes on, on all CPUs.";
    table.write(text, "fanout", note);
}

fn spawn(report: &Report, text: &mut String) {
    let mut table = Table::new(&["child", "parent's memory", "spawn and wait"]);
    for row in &report.spawn {
        let memory = format!("{} MiB", row.resident_mib);
        table.row([row.name.clone(), memory, us(row.ns)]);
    }
    table.write(text, "spawn", "`true`, from a process with an open receiver.");
}

fn build(report: &Report, text: &mut String) {
    let head = ["dependency", "crates", "clean release build, CPU time", "its own share"];
    let mut table = Table::new(&head);
    for row in &report.build {
        let own = row.own_cpu_seconds.map_or(String::new(), |seconds| format!("{seconds:.1} s"));
        let all = format!("{:.1} s", row.cpu_seconds);
        table.row([row.name.into(), row.crates.to_string(), all, own]);
    }
    table.write(text, "Build cost", "Crates include those that only build others.");
}

fn us(ns: f64) -> String {
    format!("{:.2} µs", ns / 1e3)
}

fn ns(ns: f64) -> String {
    format!("{ns:.0} ns")
}

/// A count without a fraction, a ratio with a short one.
fn ratio(ratio: f64) -> String {
    if ratio.fract() == 0.0 { format!("{ratio}") } else { format!("{ratio:.3}") }
}
