//! Feature `serde`.

use serde_json::{Value, from_str, json, to_string, to_value};
use signal_source::{Signal, SignalSet, Signals};

use crate::harness::kernel::KERNEL;
use crate::harness::{pid, send};

pub(crate) fn signals_are_names() {
    for signal in (1..=128).filter_map(Signal::from_raw) {
        let text = to_string(&signal).expect("JSON");
        assert_eq!(text, format!("\"{signal}\""));
        assert_eq!(from_str::<Signal>(&text).expect("a signal"), signal);
    }
    for name in ["TERM", "sigterm", "15"] {
        assert_eq!(from_str::<Signal>(&format!("\"{name}\"")).expect("a signal"), Signal::TERM);
    }
    let set = Signal::TERM | Signal::HUP;
    assert_eq!(to_value(set).expect("JSON"), json!(["SIGHUP", "SIGTERM"]));
    for set in [set, SignalSet::EMPTY, SignalSet::all()] {
        let text = to_string(&set).expect("JSON");
        assert_eq!(from_str::<SignalSet>(&text).expect("a set"), set);
    }
}

pub(crate) fn bad_names_are_named() {
    for text in ["\"SIGNOPE\"", "[\"TERM\", \"SIGNOPE\"]"] {
        let error = match text.starts_with('[') {
            true => from_str::<SignalSet>(text).expect_err("no signal"),
            false => from_str::<Signal>(text).expect_err("no signal"),
        };
        assert!(
            error.to_string().contains("\"SIGNOPE\" is not a signal of this system"),
            "{error}"
        );
    }
    // Numbers differ by system.
    let error = from_str::<Signal>("15").expect_err("a number");
    assert!(error.to_string().contains("a signal's name, such as"), "{error}");
    let error = from_str::<SignalSet>("\"TERM\"").expect_err("not a list");
    assert!(error.to_string().contains("a list of signals' names"), "{error}");
}

pub(crate) fn records_are_objects() {
    let signals = Signals::new(Signal::USR1).expect("open");
    send(Signal::USR1);
    let object = to_value(signals.recv().expect("recv")).expect("JSON");
    let number = Signal::USR1.as_raw();
    let mut expected = json!({ "signal": "SIGUSR1", "number": number, "origin": "unknown" });
    expected["verified"] = KERNEL.sender.into();
    if KERNEL.sender {
        expected["origin"] = "kill".into();
        expected["si_code"] = 0.into();
        expected["pid"] = pid().into();
        expected["uid"] = nix::unistd::getuid().as_raw().into();
    }
    assert_eq!(object, expected);
    if KERNEL.value {
        signal_source::send::sigqueue(pid(), Signal::USR1, -7).expect("sigqueue");
        let object = to_value(signals.recv().expect("recv")).expect("JSON");
        assert_eq!(object["origin"], "sigqueue");
        assert_eq!((&object["value"], &object["verified"]), (&json!(-7), &json!(false)));
        assert_eq!((object.get("timer"), object.get("pointer")), (None, None::<&Value>));
    }
}
