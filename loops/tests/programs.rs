//! Each program receives real signals from another process: this one.

mod program;

use std::os::unix::process::ExitStatusExt;

use program::Program;
use signal_source::Signal;

/// A loop: receives, again and again, and ends at TERM.
fn receives(path: &str) {
    let mut program = Program::start(path);
    let line = program.line("READY");
    if line.starts_with("SKIPPED") {
        return println!("{line}");
    }
    for _ in 0..5 {
        program.send(Signal::HUP);
        program.line("SIGHUP");
    }
    program.send(Signal::TERM);
    program.line("SIGTERM");
    assert!(program.end().success());
}

/// A program that opens late: receives, closes the receiver, and is killed as ever.
fn receives_and_is_killed(path: &str) {
    let mut program = Program::start(path);
    program.line("READY");
    program.send(Signal::HUP);
    program.line("SIGHUP");
    program.send(Signal::TERM);
    program.line("SIGTERM");
    program.line("CLOSED");
    program.send(Signal::TERM);
    assert_eq!(program.end().signal(), Some(Signal::TERM.as_raw()));
}

/// A server that is told to stop: by the future that it was given.
fn stops(path: &str) {
    for signal in [Signal::INT, Signal::TERM] {
        let mut program = Program::start(path);
        program.line("READY");
        program.send(signal);
        program.line(&signal.to_string());
        assert!(program.end().success());
    }
}

macro_rules! programs {
    ($judge:ident: $($(#[$cfg:meta])* $name:ident = $path:literal),* $(,)?) => {
        $($(#[$cfg])* #[test] fn $name() { $judge(env!(concat!("CARGO_BIN_EXE_", $path))) })*
    };
}

programs!(receives:
    async_io = "loop-async_io",
    calloop = "loop-calloop",
    #[cfg(feature = "linux")]
    compio = "loop-compio",
    #[cfg(feature = "linux")]
    epoll = "loop-epoll",
    #[cfg(feature = "glib")]
    glib = "loop-glib",
    #[cfg(feature = "linux")]
    io_uring = "loop-io_uring",
    #[cfg(feature = "kqueue")]
    kqueue = "loop-kqueue",
    #[cfg(feature = "linux")]
    monoio = "loop-monoio",
    polling = "loop-polling",
);

programs!(stops:
    server_actix = "server-actix",
    server_axum = "server-axum",
    server_tonic = "server-tonic",
);

programs!(receives_and_is_killed:
    actix_main = "start-actix_main",
    appender = "start-appender",
    async_std_main = "start-async_std_main",
    late_library = "start-late_library",
    smol = "start-smol",
    tokio_current_thread = "start-tokio_current_thread",
    tokio_multi_thread = "start-tokio_multi_thread",
);

/// The page shows the programs as they are run here.
#[test]
fn the_page_shows_these_programs() {
    let page = include_str!("../../src/loops.md");
    for name in [
        "async_io", "calloop", "compio", "epoll", "glib", "io_uring", "kqueue", "monoio", "polling",
    ] {
        let path = format!("{}/src/loops/{name}.rs", env!("CARGO_MANIFEST_DIR"));
        let program = std::fs::read_to_string(path).expect("a program");
        let (_about, code) = program.split_once("\n\n").expect("a comment, and the code");
        assert!(page.contains(code), "src/loops.md has another version of {name}");
    }
}
