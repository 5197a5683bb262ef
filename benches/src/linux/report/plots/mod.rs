//! The plots: which rows become which picture.

mod bars;
mod canvas;
mod lines;

use std::path::Path;

use self::bars::{Bar, BarPlot};
use self::canvas::{BLUE, Colour, GREY, ORANGE, VIOLET};
use self::lines::{LinePlot, Series};
use super::Report;
use crate::linux::receivers::{self, Kind};

/// Draws what there are rows for.
pub fn draw(report: &Report, folder: &Path) {
    if !report.wake.is_empty() {
        latency(report).draw(&folder.join("latency.svg"));
    }
    if !report.messages.is_empty() {
        messages(report).draw(&folder.join("messages.svg"));
    }
    if !report.flood.is_empty() {
        flood(report).draw(&folder.join("flood.svg"));
    }
    if !report.read.is_empty() {
        batches(report).draw(&folder.join("batches.svg"));
    }
    if !report.scale.is_empty() {
        subscribers(report).draw(&folder.join("subscribers.svg"));
    }
}

/// What each colour stands for.
const KINDS: [(&str, Colour); 4] = [
    ("signal-source", ORANGE),
    ("raw system calls", GREY),
    ("peer, the kernel's queue", BLUE),
    ("peer, a signal handler", VIOLET),
];

fn color(id: &str) -> Colour {
    let kind = receivers::find(id).map_or(Kind::Raw, |receiver| receiver.kind);
    match kind {
        Kind::Ours => ORANGE,
        Kind::Raw => GREY,
        Kind::Kernel => BLUE,
        Kind::Handler => VIOLET,
    }
}

fn latency(report: &Report) -> BarPlot {
    let bar = |row: &crate::linux::wake::Row| Bar {
        label: row.name.into(),
        value: row.round_trip_ns.median / 1e3,
        text: format!("{:.1}", row.round_trip_ns.median / 1e3),
        color: color(row.id),
    };
    let mut bars: Vec<Bar> = report.wake.iter().map(bar).collect();
    bars.sort_by(|a, b| a.value.total_cmp(&b.value));
    let raw = report.woken("raw-epoll-edge").map(|row| row.round_trip_ns.median / 1e3);
    BarPlot {
        title: "A signal's round trip between two processes on one CPU".into(),
        unit: "microseconds, median; less is better".into(),
        bars,
        limit: raw.map(|raw| ("raw epoll", raw)),
        legend: &KINDS,
    }
}

fn messages(report: &Report) -> BarPlot {
    let bar = |row: &crate::linux::messages::Row| Bar {
        label: row.name.clone(),
        value: row.messages_a_second / 1e3,
        text: grouped(row.messages_a_second.round() as u64),
        color: match row.id.as_str() {
            "signal-source" => ORANGE,
            "signalfd" | "sigtimedwait" => GREY,
            _ => BLUE,
        },
    };
    let mut bars: Vec<Bar> = report.messages.iter().map(bar).collect();
    bars.sort_by(|a, b| b.value.total_cmp(&a.value));
    BarPlot {
        title: "Telling another process \"now\", and being told".into(),
        unit: "thousand messages a second; more is better".into(),
        bars,
        limit: None,
        legend: &[
            ("signal-source", ORANGE),
            ("raw system calls for signals", GREY),
            ("other ways", BLUE),
        ],
    }
}

fn flood(report: &Report) -> BarPlot {
    let sent = report.flood.first().map_or(0, |row| row.sent);
    let bar = |row: &crate::linux::flood::Row| Bar {
        label: row.name.into(),
        value: row.delivered as f64 / row.sent as f64 * 100.0,
        text: format!("{}, {:.0} ns CPU each", grouped(row.delivered), row.cpu_ns),
        color: color(row.id),
    };
    BarPlot {
        title: format!("{} signals with integers, sent without a pause", grouped(sent)),
        unit: "percent delivered; more is better".into(),
        bars: report.flood.iter().map(bar).collect(),
        limit: Some(("all that were sent", 100.0)),
        legend: &KINDS,
    }
}

fn batches(report: &Report) -> LinePlot {
    let points = |figure: fn(&crate::linux::read::Row) -> f64| {
        report.read.iter().map(|row| (row.batch as f64, figure(row))).collect()
    };
    LinePlot {
        title: "Reading a record that waits in the queue".into(),
        x: "records a call".into(),
        y: "nanoseconds a record; less is better".into(),
        series: vec![Series {
            name: "signal-source",
            color: ORANGE,
            points: points(|row| row.ours_ns),
        }],
        limit: Some(Series { name: "raw read(2)", color: GREY, points: points(|row| row.raw_ns) }),
        base: 2.0,
        is_log_y: false,
    }
}

fn subscribers(report: &Report) -> LinePlot {
    let points = |figure: fn(&crate::linux::scale::Row) -> f64| {
        report.scale.iter().map(|row| (row.subscribers as f64, figure(row) / 1e3)).collect()
    };
    // One receiver, and no subscriber.
    let raw = report.woken("raw-epoll-edge").map(|raw| raw.to_itself_ns.median / 1e3);
    let flat = |raw| report.scale.iter().map(|row| (row.subscribers as f64, raw)).collect();
    LinePlot {
        title: "A signal that every subscriber receives".into(),
        x: "subscribers, a task each".into(),
        y: "microseconds until the last one has it".into(),
        series: vec![
            Series { name: "hub", color: ORANGE, points: points(|row| row.hub_ns) },
            Series {
                name: "tokio::signal",
                color: VIOLET,
                points: points(|row| row.tokio_signal_ns),
            },
            Series {
                name: "hub, subscribers of another signal",
                color: BLUE,
                points: points(|row| row.hub_others_ns),
            },
        ],
        limit: raw.map(|raw| Series {
            name: "raw epoll, one receiver",
            color: GREY,
            points: flat(raw),
        }),
        base: 10.0,
        is_log_y: true,
    }
}

/// `1 000 000`.
fn grouped(number: u64) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{} {:03}", grouped(number / 1000), number % 1000),
    }
}
