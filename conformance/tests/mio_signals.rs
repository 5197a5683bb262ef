//! mio-signals' `tests/signals.rs`.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use signal_source::{Signal, SignalSet, send};
use signal_source_conformance::mio_signals::{Signals, all};
use signal_source_conformance::turn;

signal_source::reserve_at_start!(INT, QUIT, TERM);

const INT: Signal = Signal::INT;
const QUIT: Signal = Signal::QUIT;
const TERM: Signal = Signal::TERM;

#[test]
fn signal_bit_or() {
    assert_eq!(TERM | QUIT | INT, all());
    assert_eq!(TERM | SignalSet::from(QUIT), TERM | QUIT);
    assert_eq!(SignalSet::from(INT) | QUIT, QUIT | INT);
    assert_eq!(SignalSet::from(TERM) | SignalSet::from(QUIT), SignalSet::from([QUIT, TERM]));
    let signal = TERM; // so that clippy does not mind
    assert_eq!(signal | TERM, TERM.into());
    assert_eq!(TERM | all(), all());
    assert_eq!(all() | QUIT, all());
    assert_eq!(all() | all(), all());
}

#[test]
fn signal_set() {
    let sets = [vec![INT], vec![TERM], vec![QUIT], vec![INT, TERM], vec![INT, QUIT]];
    for members in sets.into_iter().chain([vec![QUIT, TERM], vec![INT, QUIT, TERM]]) {
        let set: SignalSet = members.iter().copied().collect();
        assert_eq!(set.len(), members.len());
        assert!(all().iter().all(|signal| set.contains(signal) == members.contains(&signal)));
        assert_eq!(set.iter().count(), members.len());
        assert_eq!(set.iter().size_hint(), (members.len(), Some(members.len())));
        assert_eq!(set.iter().collect::<Vec<_>>(), members);
    }
}

#[test]
fn signal_set_iter_length() {
    let mut iter = all().iter();
    for left in (0..3).rev() {
        assert!(iter.next().is_some());
        assert_eq!(iter.len(), left);
        assert_eq!(iter.size_hint(), (left, Some(left)));
    }
    assert!(iter.next().is_none());
}

#[test]
fn receive_no_signal() {
    let _turn = turn::take();
    let mut signals = Signals::new(all()).expect("open");
    assert_eq!(signals.receive().expect("receive"), None);
}

/// Three signals from another process, which are received in this order on each system.
#[test]
fn example() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mio-signals-example"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("the example starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    let mut ready = String::new();
    stdout.read_line(&mut ready).expect("a line");
    assert_eq!(ready, "READY\n");
    for signal in [INT, QUIT, TERM] {
        send::kill(child.id(), signal).expect("the example runs");
    }
    let mut received = String::new();
    stdout.read_to_string(&mut received).expect("text");
    assert_eq!(received, "SIGINT\nSIGQUIT\nSIGTERM\n");
    assert!(child.wait().expect("a child").success());
}
