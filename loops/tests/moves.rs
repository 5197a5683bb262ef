//! Programs of `tokio::signal`, as they were and with other `use` lines, do the same; and, where the page
//! says so, more.

mod program;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt;

use program::Program;
use signal_source::Signal;

const STORE: [&str; 2] =
    [env!("CARGO_BIN_EXE_move-store_before"), env!("CARGO_BIN_EXE_move-store_after")];
const WEB: [&str; 2] =
    [env!("CARGO_BIN_EXE_move-web_before"), env!("CARGO_BIN_EXE_move-web_after")];

/// A connection, in which lines are written and read.
struct Client(BufReader<TcpStream>);

impl Client {
    fn new(address: &str) -> Client {
        Client(BufReader::new(TcpStream::connect(address).expect("the server listens")))
    }

    fn write(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).expect("the server reads");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("the server writes");
        line.trim_end().into()
    }

    fn ask(&mut self, request: &str) -> String {
        self.write(&format!("{request}\n"));
        self.line()
    }
}

fn start(path: &str) -> (Program, String) {
    let mut program = Program::start(path);
    let line = program.line("READY ");
    (program, line["READY ".len()..].into())
}

/// Begins a request that the client has not finished, and has the server told to stop.
fn store_with_a_request(path: &str) -> (Program, Client) {
    let (mut program, address) = start(path);
    let (mut idle, mut busy) = (Client::new(&address), Client::new(&address));
    assert_eq!(idle.ask("SET a 1"), "OK");
    assert_eq!(idle.ask("GET a"), "1");
    assert_eq!(busy.ask("SET b"), "VALUE?");
    program.send(Signal::INT);
    program.line("STOPPING");
    assert_eq!(idle.line(), "", "an idle connection ends");
    (program, busy)
}

/// The same, by HTTP: the server has asked for the body.
fn web_with_a_request(path: &str, signal: Signal) -> (Program, Client) {
    let (mut program, address) = start(path);
    let mut quick = Client::new(&address);
    quick.write("GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    assert_eq!(quick.line(), "HTTP/1.1 200 OK");
    let mut busy = Client::new(&address);
    let expect = "Host: here\r\nContent-Length: 4\r\nExpect: 100-continue\r\n";
    busy.write(&format!("POST /length HTTP/1.1\r\n{expect}\r\n"));
    assert_eq!((busy.line(), busy.line()), ("HTTP/1.1 100 Continue".into(), String::new()));
    program.send(signal);
    program.line("STOPPING");
    (program, busy)
}

#[test]
fn the_store_answers_what_was_asked_and_ends() {
    for path in STORE {
        let (mut program, mut busy) = store_with_a_request(path);
        assert_eq!(busy.ask("2"), "OK");
        program.line("CLOSED");
        assert!(program.end().success(), "{path}");
    }
}

#[test]
fn the_web_server_answers_what_was_asked_and_ends() {
    for path in WEB {
        for signal in [Signal::INT, Signal::TERM] {
            let (mut program, mut busy) = web_with_a_request(path, signal);
            busy.write("four");
            assert_eq!(busy.line(), "HTTP/1.1 200 OK");
            program.line("CLOSED");
            assert!(program.end().success(), "{path}");
        }
    }
}

/// What the page promises: afterwards a second Ctrl-C ends what does not come to its end. (Until the
/// listeners are dropped, which may be a moment after the line, it is swallowed as before.)
#[test]
fn a_second_ctrl_c_was_swallowed_and_now_kills() {
    let [before, after] = STORE;
    let (mut program, mut busy) = store_with_a_request(before);
    program.send(Signal::INT);
    assert_eq!(busy.ask("2"), "OK");
    program.line("CLOSED");
    assert!(program.end().success());
    let (program, _busy) = store_with_a_request(after);
    assert_eq!(program.killed_by(Signal::INT).signal(), Some(Signal::INT.as_raw()));

    let [before, after] = WEB;
    let (mut program, mut busy) = web_with_a_request(before, Signal::INT);
    program.send(Signal::INT);
    busy.write("four");
    assert_eq!(busy.line(), "HTTP/1.1 200 OK");
    program.line("CLOSED");
    assert!(program.end().success());
    let (program, _busy) = web_with_a_request(after, Signal::INT);
    assert_eq!(program.killed_by(Signal::INT).signal(), Some(Signal::INT.as_raw()));
}

/// They differ in their `use` lines and in the one that reserves; the page shows these lines.
#[test]
fn nothing_else_is_changed() {
    let page = include_str!("../../src/migrating/tokio_signal.md");
    for (name, reserved) in [("store", "INT"), ("web", "INT, TERM")] {
        let read = |which| {
            let path = format!("{}/src/moves/{name}_{which}.rs", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(path).expect("a program");
            text.lines().map(String::from).collect::<Vec<_>>()
        };
        let (before, after) = (read("before"), read("after"));
        let reserve = format!("signal_source::reserve_at_start!({reserved});");
        let added = ["use signal_source::tokio::compat as signal;", reserve.as_str()];
        let removed = "use tokio::signal;";
        let kept: Vec<_> =
            before.iter().filter(|line| *line != removed && !line.is_empty()).collect();
        let also: Vec<_> = after
            .iter()
            .filter(|line| !added.contains(&line.as_str()) && !line.is_empty())
            .collect();
        assert_eq!(kept, also, "{name}");
        assert_eq!(after.len(), before.len() + 2, "a line more, and an empty one");
        let shown = format!("-{removed}\n+{}\n+\n+{}\n", added[0], added[1]);
        assert!(page.contains(&shown), "the page shows other lines of {name}");
    }
}
