//! signal-source beside the raw system calls and its peers: README.md says how to run it.

mod alloc;
mod bystanders;
mod child;
mod flood;
mod open;
mod read;
mod receivers;
mod spawn;
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
    if std::env::var("FLOOD").is_ok() {
        for row in flood::run(flood::Effort { slices: 10, signals: 100_000 }) {
            println!(
                "{:40} {}/{} {:?} wall {:.1} cpu {:.1} poll {} read {} slow {:.3}",
                row.name,
                row.delivered,
                row.sent,
                row.in_order,
                row.wall_ns,
                row.cpu_ns,
                row.disturbance.poll_eintr,
                row.disturbance.read_eintr,
                row.disturbance.slow_down
            );
        }
        return;
    }
    if std::env::var("OPEN").is_ok() {
        for row in open::run(open::Effort { times: 400 }) {
            println!(
                "{:5} threads {:2} signals  ours {:.0} bare {:.0} {:.3}  unaudited {:.0} bare {:.0} {:.3}",
                row.threads,
                row.signals,
                row.ours_ns,
                row.bare_ns,
                row.ours_ns / row.bare_ns,
                row.unaudited_ns,
                row.bare_unaudited_ns,
                row.unaudited_ns / row.bare_unaudited_ns
            );
        }
        for row in spawn::run(spawn::Effort { times: 100 }) {
            println!("{} {:.0}", row.name, row.ns);
        }
        return;
    }
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
        "flooded" => flood::flooded(arguments),
        "opener" => open::opener(arguments),
        "parent" => spawn::parent(arguments),
        "itself" => wake::itself(arguments),
        _ => panic!("no role {role}"),
    }
}
