//! The example `tui`: the terminal is its own while it runs, and the shell's while it does not.

use signal_source::{Signal, send};

use crate::harness::example;
use crate::terminal::{CTRL_BACKSLASH, CTRL_C, CTRL_Z, Terminal};

/// What xterm makes of it: its other screen, and the first one again.
const ENTER: &str = "\x1b[?1049h";
const LEAVE: &str = "\x1b[?1049l";

fn tui() -> Terminal {
    let mut terminal = Terminal::run("", &[example("tui").to_str().expect("text")]);
    terminal.until(ENTER);
    terminal.until("0 keys");
    assert!(!terminal.is_cooked());
    terminal
}

pub fn tui_takes_the_terminal_and_gives_it_back() {
    let mut terminal = tui();
    terminal.press(b"x");
    terminal.until("1 keys");
    for rows in [30, 40] {
        terminal.resize(rows, 100);
        terminal.until(&format!("100 columns, {rows} rows"));
    }
    terminal.press(b"q");
    terminal.until(LEAVE);
    terminal.says("exited with 0");
    assert!(terminal.is_cooked());
}

pub fn tui_stops_and_continues() {
    let mut terminal = tui();
    for keys in 1..5 {
        terminal.press(CTRL_Z);
        terminal.until(LEAVE);
        terminal.says("stopped by SIGTSTP");
        assert!(terminal.is_cooked());
        terminal.fg();
        terminal.until(ENTER);
        terminal.until(&format!("{} keys", keys - 1));
        assert!(!terminal.is_cooked());
        terminal.press(b"x");
        terminal.until(&format!("{keys} keys"));
    }
    // It is not told of this one before; afterwards it is.
    send::kill(terminal.job, Signal::STOP).expect("kill");
    terminal.says("stopped by SIGSTOP");
    terminal.cook();
    terminal.fg();
    terminal.until(ENTER);
    terminal.until("4 keys");
    assert!(!terminal.is_cooked());
    terminal.press(b"q");
    terminal.says("exited with 0");
}

/// It does not write to a terminal that it does not have.
pub fn tui_stops_in_the_background() {
    let mut terminal = tui();
    terminal.press(CTRL_Z);
    terminal.says("stopped by SIGTSTP");
    terminal.bg();
    terminal.says("stopped by SIGTTOU");
    assert!(terminal.is_cooked());
    terminal.fg();
    terminal.until(ENTER);
    terminal.until("0 keys");
    assert!(!terminal.is_cooked());
    terminal.press(b"q");
    terminal.says("exited with 0");
}

pub fn tui_dies_of_what_ends_it() {
    for (key, name) in [(CTRL_C, "SIGINT"), (CTRL_BACKSLASH, "SIGQUIT")] {
        let mut terminal = tui();
        terminal.press(key);
        terminal.until(LEAVE);
        terminal.says(&format!("killed by {name}"));
        assert!(terminal.is_cooked());
    }
    for signal in [Signal::TERM, Signal::HUP] {
        let mut terminal = tui();
        send::kill(terminal.job, signal).expect("kill");
        terminal.until(LEAVE);
        terminal.says(&format!("killed by {signal}"));
        assert!(terminal.is_cooked());
    }
}

/// The terminal shows the key, before or after the signal is told; the next line begins over it.
pub fn watch_writes_over_the_keys() {
    let watch = example("watch");
    let mut terminal = Terminal::run("", &[watch.to_str().expect("text")]);
    terminal.until("Ctrl-C, twice within a second, ends it.");
    let mut seen = String::new();
    for _ in 0..10 {
        terminal.press(CTRL_BACKSLASH);
        seen += &terminal.until("SIGQUIT");
    }
    assert!(seen.split("^\\").skip(1).all(|rest| rest.starts_with('\r')), "{seen:?}");
    send::kill(terminal.job, Signal::KILL).expect("kill");
    terminal.says("killed by SIGKILL");
}
