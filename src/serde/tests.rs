//! Records of every origin, as objects: those that a test can't have a kernel make, too.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{ChildInfo, ChildStatus, Origin, Sender, Signal, SignalInfo};

const SENDER: Sender = Sender { pid: 4321, uid: 1000 };

#[track_caller]
fn object(origin: Origin, expected: Value) {
    let info = SignalInfo::new(Signal::TERM, 1, Some(-1), origin, 0);
    let mut object = serde_json::to_value(info).expect("a record is an object");
    let fields = object.as_object_mut().expect("an object");
    let common = ["signal", "number", "si_code", "verified"].map(|name| fields.remove(name));
    let [signal, number, code, verified] = common.map(|value| value.expect("of each record"));
    assert_eq!((signal, number), (json!("SIGTERM"), json!(Signal::TERM.as_raw())));
    assert_eq!((code, verified), (json!(-1), json!(info.is_verified())));
    assert_eq!(object, expected);
}

#[test]
fn each_origin_has_its_name_and_its_fields() {
    let (sender, value) = (Some(SENDER), 7);
    object(Origin::Process(SENDER), json!({"origin": "kill", "pid": 4321, "uid": 1000}));
    object(Origin::Thread(SENDER), json!({"origin": "tgkill", "pid": 4321, "uid": 1000}));
    for (origin, name) in [
        (Origin::Queue { sender, value }, "sigqueue"),
        (Origin::MessageQueue { sender, value }, "mqueue"),
        (Origin::AsyncIo { sender, value }, "aio"),
    ] {
        object(origin, json!({"origin": name, "pid": 4321, "uid": 1000, "value": 7}));
    }
    object(Origin::MessageQueue { sender: None, value }, json!({"origin": "mqueue", "value": 7}));
    object(
        Origin::Timer { id: 3, overrun: 2, value },
        json!({"origin": "timer", "value": 7, "timer": 3, "overrun": 2}),
    );
    object(Origin::Io { fd: 5, band: 65 }, json!({"origin": "io", "fd": 5, "band": 65}));
    object(Origin::Kernel, json!({"origin": "kernel"}));
    object(Origin::Unknown, json!({"origin": "unknown"}));
}

#[test]
fn each_end_of_a_child_has_its_name() {
    let (user_time, system_time) = (Duration::from_millis(1500), Duration::from_millis(250));
    for (status, name, detail, value) in [
        (ChildStatus::Exited(3), "exited", "code", json!(3)),
        (ChildStatus::Killed(Signal::KILL), "killed", "by", json!("SIGKILL")),
        (ChildStatus::Dumped(Signal::QUIT), "dumped", "by", json!("SIGQUIT")),
        (ChildStatus::Trapped(Signal::TRAP), "trapped", "by", json!("SIGTRAP")),
        (ChildStatus::Stopped(Signal::TSTP), "stopped", "by", json!("SIGTSTP")),
        (ChildStatus::Continued(Signal::CONT), "continued", "by", json!("SIGCONT")),
    ] {
        let child = ChildInfo { pid: 9, uid: 0, status, user_time, system_time };
        let mut expected = json!({
            "origin": "child", "pid": 9, "uid": 0, "status": name, "user_time": 1.5,
            "system_time": 0.25,
        });
        expected[detail] = value;
        object(Origin::Child(child), expected);
    }
}

#[test]
fn counts_and_pointers_are_shown_where_they_say_more() {
    let counted = SignalInfo::new(Signal::USR1, 12, None, Origin::Unknown, 0);
    let object = serde_json::to_value(counted).expect("an object");
    assert_eq!((&object["count"], object.get("si_code")), (&json!(12), None));

    let origin = Origin::Queue { sender: None, value: 7 };
    let mut pointer = [0; size_of::<usize>()];
    pointer[..4].copy_from_slice(&7_i32.to_ne_bytes());
    let same = SignalInfo::new(Signal::USR1, 1, None, origin, usize::from_ne_bytes(pointer));
    let object = serde_json::to_value(same).expect("an object");
    assert_eq!((&object["value"], object.get("pointer")), (&json!(7), None));

    if let Some(upper) = pointer.get_mut(4..) {
        upper.fill(0x11);
    }
    let pointer = usize::from_ne_bytes(pointer);
    let more = SignalInfo::new(Signal::USR1, 1, None, origin, pointer);
    let object = serde_json::to_value(more).expect("an object");
    let shown = (size_of::<usize>() > 4).then(|| json!(format!("{pointer:#x}")));
    assert_eq!(object.get("pointer"), shown.as_ref());
}
