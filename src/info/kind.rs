//! An [`Origin`] as plain numbers, and back.

use std::time::Duration;

use super::{ChildInfo, ChildStatus, Origin, Sender};
use crate::Signal;

/// Which [`Origin`] a record has, and what its three numbers are; of a child, which [`ChildStatus`] too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing.
    Unknown,
    Kernel,
    /// Pid and uid, here and up to `AsyncIo` except in `Timer`. Pid 0 is no process: the sender is
    /// outside the pid namespace, or the information was lost.
    Process,
    Thread,
    /// The third is the value, here and up to `AsyncIo`.
    Queue,
    /// Its number and its overrun.
    Timer,
    MessageQueue,
    AsyncIo,
    /// Descriptor and events.
    Io,
    /// Pid, uid and the code or the signal, here and in all that follow; the times are the wide numbers,
    /// in milliseconds.
    Exited,
    Killed,
    Dumped,
    Trapped,
    Stopped,
    Continued,
}

impl Kind {
    #[inline]
    pub(super) fn has_value(self) -> bool {
        matches!(self, Kind::Queue | Kind::Timer | Kind::MessageQueue | Kind::AsyncIo)
    }
}

/// The kind of an origin, its numbers, and a child's times.
pub(super) fn parts(origin: Origin) -> (Kind, [u32; 3], Option<[u64; 2]>) {
    let numbers = |sender: Option<Sender>, third: i32| {
        let Sender { pid, uid } = sender.unwrap_or(Sender { pid: 0, uid: 0 });
        [pid, uid, third as u32]
    };
    let (kind, numbers) = match origin {
        Origin::Unknown => (Kind::Unknown, [0; 3]),
        Origin::Kernel => (Kind::Kernel, [0; 3]),
        Origin::Process(sender) => (Kind::Process, numbers(Some(sender), 0)),
        Origin::Thread(sender) => (Kind::Thread, numbers(Some(sender), 0)),
        Origin::Queue { sender, value } => (Kind::Queue, numbers(sender, value)),
        Origin::Timer { id, overrun, value } => (Kind::Timer, [id, overrun, value as u32]),
        Origin::MessageQueue { sender, value } => (Kind::MessageQueue, numbers(sender, value)),
        Origin::AsyncIo { sender, value } => (Kind::AsyncIo, numbers(sender, value)),
        Origin::Io { fd, band } => (Kind::Io, [fd as u32, band as u32, 0]),
        Origin::Child(ChildInfo { pid, uid, status, user_time, system_time }) => {
            let (kind, third) = match status {
                ChildStatus::Exited(code) => (Kind::Exited, code),
                ChildStatus::Killed(signal) => (Kind::Killed, signal.as_raw()),
                ChildStatus::Dumped(signal) => (Kind::Dumped, signal.as_raw()),
                ChildStatus::Trapped(signal) => (Kind::Trapped, signal.as_raw()),
                ChildStatus::Stopped(signal) => (Kind::Stopped, signal.as_raw()),
                ChildStatus::Continued(signal) => (Kind::Continued, signal.as_raw()),
            };
            let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            let times = Some([millis(user_time), millis(system_time)]);
            return (kind, numbers(Some(Sender { pid, uid }), third), times);
        }
    };
    (kind, numbers, None)
}

/// The origin of a kind with these numbers.
pub(super) fn origin(kind: Kind, numbers: [u32; 3], wide: [u64; 2]) -> Origin {
    let [pid, uid, third] = numbers;
    let (sender, value) = ((pid != 0).then_some(Sender { pid, uid }), third as i32);
    let child = |status: fn(Signal) -> ChildStatus| Signal::from_kernel(third).map(status);
    let status = match kind {
        Kind::Unknown => return Origin::Unknown,
        Kind::Kernel => return Origin::Kernel,
        Kind::Process => return sender.map_or(Origin::Unknown, Origin::Process),
        Kind::Thread => return sender.map_or(Origin::Unknown, Origin::Thread),
        Kind::Queue => return Origin::Queue { sender, value },
        Kind::Timer => return Origin::Timer { id: pid, overrun: uid, value },
        Kind::MessageQueue => return Origin::MessageQueue { sender, value },
        Kind::AsyncIo => return Origin::AsyncIo { sender, value },
        Kind::Io => return Origin::Io { fd: pid as i32, band: uid as i32 },
        Kind::Exited => Some(ChildStatus::Exited(value)),
        Kind::Killed => child(ChildStatus::Killed),
        Kind::Dumped => child(ChildStatus::Dumped),
        Kind::Trapped => child(ChildStatus::Trapped),
        Kind::Stopped => child(ChildStatus::Stopped),
        Kind::Continued => child(ChildStatus::Continued),
    };
    let (Some(status), Some(_)) = (status, sender) else { return Origin::Unknown };
    let [user_time, system_time] = wide.map(Duration::from_millis);
    Origin::Child(ChildInfo { pid, uid, status, user_time, system_time })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::SignalInfo;

    fn origins() -> impl Strategy<Value = Origin> {
        let numbers = (0..16_u8, 1..=u32::MAX, any::<u32>(), any::<i32>(), 1..=128_u32);
        let times = (any::<u64>(), any::<u64>());
        (numbers, times).prop_map(|((kind, pid, uid, value, signal), times)| {
            let signal = Signal::from_kernel(signal).expect("a number");
            let sent = Sender { pid, uid };
            let sender = (value % 2 == 0).then_some(sent);
            let status = match kind {
                0 => return Origin::Unknown,
                1 => return Origin::Kernel,
                2 => return Origin::Process(sent),
                3 => return Origin::Thread(sent),
                4 => return Origin::Queue { sender, value },
                5 => return Origin::Timer { id: pid, overrun: uid, value },
                6 => return Origin::MessageQueue { sender, value },
                7 => return Origin::AsyncIo { sender, value },
                8 => return Origin::Io { fd: value, band: -value.saturating_abs() },
                9 | 10 => ChildStatus::Exited(value),
                11 => ChildStatus::Killed(signal),
                12 => ChildStatus::Dumped(signal),
                13 => ChildStatus::Trapped(signal),
                14 => ChildStatus::Stopped(signal),
                _ => ChildStatus::Continued(signal),
            };
            let (user_time, system_time) =
                (Duration::from_millis(times.0), Duration::from_millis(times.1));
            Origin::Child(ChildInfo { pid, uid, status, user_time, system_time })
        })
    }

    proptest! {
        /// What is packed into numbers comes out of them.
        #[test]
        fn an_origin_comes_back(origin in origins(), code in any::<Option<i32>>(), pointer in any::<usize>()) {
            let info = SignalInfo::new(Signal::TERM, 3, code, origin, pointer);
            prop_assert_eq!(info.origin(), origin);
            prop_assert_eq!((info.signal(), info.count(), info.code()), (Signal::TERM, 3, code));
            prop_assert_eq!(info.value_ptr(), info.value().map(|_| pointer));
        }
    }
}
