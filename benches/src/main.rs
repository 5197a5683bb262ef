//! signal-source beside the raw system calls and its peers: README.md says how to run it.

mod alloc;
mod child;
mod read;
mod receivers;
mod stats;
mod wake;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, role, rest @ ..] = &arguments[..] {
        if flag == child::ROLE {
            return play(role, rest);
        }
    }
    child::pin();
    for row in read::run(&read::Effort { fills: 60, records: 20000 }) {
        println!(
            "{:4} raw {:.1} ours {:.1} {:.3} one {:?} {:?} alloc {}",
            row.batch,
            row.raw_ns,
            row.ours_ns,
            row.ours_ns / row.raw_ns,
            row.one_ns,
            row.one_ns.map(|o| o / row.raw_ns),
            row.allocations
        );
    }
    if std::env::var("READ").is_ok() {
        return;
    }
    let rows = wake::run(wake::Effort { slices: 200, signals: 100 });
    let base = rows.iter().find(|r| r.id == "raw-epoll-edge").unwrap();
    for row in &rows {
        println!(
            "{:50} {:8.0} {:8.0} {:6.3}  self {:8.0} {:8.0} alloc {}",
            row.name,
            row.round_trip_ns.median,
            row.round_trip_ns.p99,
            row.round_trip_ns.median / base.round_trip_ns.median,
            row.to_itself_ns.median,
            row.to_itself_ns.p99,
            row.allocations
        );
    }
}

/// In a child.
fn play(role: &str, arguments: &[String]) {
    match role {
        "answer" => wake::answer(arguments),
        "drain" => read::drain(arguments),
        "itself" => wake::itself(arguments),
        _ => panic!("no role {role}"),
    }
}
