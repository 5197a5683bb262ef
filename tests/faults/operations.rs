//! The operations, with something to lose in each.

use std::io::ErrorKind;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use signal_source::process::{CommandExt, Spawn};
use signal_source::{Disposition, Signal, SignalInfo, SignalSet, Signals, mask};

use crate::harness::{self, Everything, eventually, hits, open, raw_block, receives, role, send};
use crate::harness::{received, set_counting, set_ignored};
use crate::supervisor::{Faults, with_each_call_refused, with_each_call_refused_but};

const TERM: Signal = Signal::TERM;
const USR1: Signal = Signal::USR1;
const SET: [Signal; 2] = [TERM, Signal::CHLD];

/// Dispositions of each kind, and a signal that the program blocks and has pending.
fn with_a_past() {
    set_counting(TERM);
    set_ignored(Signal::CHLD);
    raw_block(Signal::ALRM);
    send(Signal::ALRM);
    // In 32-bit programs rustix looks up how a system call is made, at its first one: before Linux 6.4 in
    // /proc/self/auxv, and it panics if that may be opened but not read. It is no call of this crate's.
    #[cfg(target_arch = "x86")]
    let _ = rustix::process::getpid();
}

/// After all: a receiver opens, receives, and leaves all as it was.
fn all_works(before: &Everything) {
    assert_eq!(&Everything::now(), before);
    let signals = open(SET);
    receives(&signals);
    drop(signals);
    assert_eq!(&Everything::now(), before);
    let hits_before = hits(TERM);
    send(TERM);
    eventually("the earlier handler runs", || hits(TERM) == hits_before + 1);
    assert_eq!(received(&open(Signal::ALRM)), [Signal::ALRM]);
}

pub(crate) fn opening() {
    with_each_call_refused(|faults| {
        with_a_past();
        let before = Everything::now();
        match faults.during(|| Signals::new(SET)) {
            Ok(signals) => {
                // Ignored, no signal would be made when a child ends.
                let disposition = Signal::CHLD.disposition().expect("a disposition");
                assert_eq!(disposition, Disposition::Default);
                receives(&signals);
            }
            Err(error) => assert_eq!(Everything::now(), before, "{error}"),
        }
        all_works(&before);
    });
}

/// The delegate thread has to block first what is opened.
pub(crate) fn opening_after_a_drop_elsewhere() {
    with_each_call_refused(|faults| {
        with_a_past();
        let before = Everything::now();
        let signals = open(SET);
        thread::spawn(move || drop(signals)).join().expect("no panic");
        match faults.during(|| Signals::new(SET)) {
            Ok(signals) => receives(&signals),
            Err(error) => assert_eq!(Everything::now(), before, "{error}"),
        }
        all_works(&before);
    });
}

pub(crate) fn updating() {
    with_each_call_refused(|faults| {
        with_a_past();
        let before = Everything::now();
        let signals = open(USR1);
        let open = Everything::now();
        let updated = faults.during(|| signals.update([TERM, Signal::CHLD, Signal::HUP]));
        if let Err(error) = &updated {
            assert_eq!((signals.set(), Everything::now()), (USR1.into(), open), "{error}");
        }
        receives(&signals);
        drop(signals);
        if updated.is_err() || !faults.hit_mask_or_action() {
            all_works(&before);
        }
    });
}

/// What an error has kept from being received is received by the next call.
pub(crate) fn receiving() {
    with_each_call_refused(|faults| {
        with_a_past();
        let before = Everything::now();
        let signals = open(SET);
        send(TERM);
        let mut infos = Vec::new();
        let calls = faults.during(|| {
            let one = signals.recv_timeout(Duration::from_secs(3600));
            let none = signals.recv_timeout(Duration::ZERO);
            let many = signals.try_recv_many(&mut infos, 64);
            [one.map(usize_of), none.map(usize_of), many]
        });
        let received = calls.into_iter().flatten().sum::<usize>() + received(&signals).len();
        assert_eq!(received, 1);
        receives(&signals);
        drop(signals);
        all_works(&before);
    });
}

fn usize_of(info: Option<SignalInfo>) -> usize {
    info.into_iter().count()
}

/// A drop returns no error. It lets go of descriptor and claims; only the mask may be owed still.
pub(crate) fn dropping() {
    with_each_call_refused(|faults| {
        with_a_past();
        let before = Everything::now();
        let signals = open(SET);
        send(TERM);
        faults.during(|| drop(signals));
        assert_eq!(Everything::now().descriptors, before.descriptors);
        let signals = open(SET);
        // Unless it has acted, it is pending still: nothing is lost.
        assert_eq!(hits(TERM) + received(&signals).len(), 1);
        receives(&signals);
    });
}

/// The delegate thread is there.
pub(crate) fn dropping_elsewhere() {
    with_each_call_refused(|faults| {
        with_a_past();
        let signals = open(USR1);
        thread::spawn(move || drop(signals)).join().expect("no panic");
        drops_elsewhere(faults);
    });
}

/// The delegate thread is started. The C library takes no refusal of a mask while it starts one.
pub(crate) fn dropping_elsewhere_for_the_first_time() {
    with_each_call_refused_but(&["rt_sigprocmask"], |faults| {
        with_a_past();
        drops_elsewhere(faults);
    });
}

fn drops_elsewhere(faults: &Faults) {
    let before = Everything::now();
    let signals = open(SET);
    send(TERM);
    let theirs = faults.clone();
    let dropping = thread::spawn(move || theirs.during(|| drop(signals)));
    dropping.join().expect("no panic");
    assert_eq!(Everything::now().descriptors, before.descriptors);
    // The opener puts its own mask back, if no other thread lets it in.
    let acts = || mask::current().is_ok() && hits(TERM) == 1;
    if !faults.hit_mask_or_action() {
        eventually("it acts", acts);
        all_works(&before);
    }
}

pub(crate) fn guarding() {
    with_each_call_refused(|faults| {
        with_a_past();
        let before = Everything::now();
        if let Ok(guard) = faults.during(|| mask::block([TERM, Signal::HUP])) {
            assert_eq!(
                mask::current().expect("mask"),
                before.mask | SignalSet::from([TERM, Signal::HUP])
            );
            drop(guard);
        }
        all_works(&before);
    });
}

pub(crate) fn asking_for_masks() {
    with_each_call_refused(|faults| {
        with_a_past();
        let before = Everything::now();
        let signals = open(SET);
        let current = before.mask | SignalSet::from(SET);
        if let Ok(mask) = faults.during(mask::current) {
            assert_eq!(mask, current);
        }
        if let Ok(threads) = faults.during(|| mask::unblocked_threads(Signal::HUP)) {
            assert_eq!(threads.len(), 1, "main");
        }
        assert_eq!(mask::current().expect("mask"), current);
        receives(&signals);
        drop(signals);
        all_works(&before);
    });
}

/// Role: a child.
pub(crate) fn does_nothing(_: &[String]) {}

/// A child that can't start with what it should is none; this process does not change.
pub(crate) fn spawning() {
    // musl's own `fork` blocks all for a moment, and takes it for granted: refused, it makes some mask
    // that it has never read this thread's.
    let left_out: &[&str] = if cfg!(target_env = "musl") { &["rt_sigprocmask"] } else { &[] };
    with_each_call_refused_but(left_out, |faults| {
        with_a_past();
        harness::set_default(Signal::CHLD); // else no child can be waited for
        let before = Everything::now();
        let signals = open([TERM, USR1]);
        let guard = mask::block(Signal::HUP).expect("block");
        let open = Everything::now();
        let mut command = role("does_nothing", &[]);
        command.restore_signals().stdout(Stdio::null()).stderr(Stdio::null());
        // What the new program makes of refused calls is its own affair.
        if let Ok(mut child) = faults.during(|| command.spawn()) {
            let _ = child.kill();
            let _ = child.wait();
        }
        assert_eq!(Everything::now(), open);
        receives(&signals);
        drop((signals, guard));
        all_works(&before);
    });
}

/// The same without a fork. The C library takes no refusal of a mask while it starts one.
pub(crate) fn spawning_without_a_fork() {
    with_each_call_refused_but(&["rt_sigprocmask"], |faults| {
        with_a_past();
        harness::set_default(Signal::CHLD);
        let before = Everything::now();
        let signals = open([TERM, USR1]);
        let guard = mask::block(Signal::HUP).expect("block");
        let open = Everything::now();
        let role = role("does_nothing", &[]);
        let mut spawn = Spawn::new(role.get_program());
        for (name, value) in role.get_envs() {
            spawn.env(name, value.expect("set"));
        }
        let spawned = faults.during(|| spawn.current_dir("/").process_group(0).spawn());
        if let Ok(child) = spawned {
            let pid = nix::unistd::Pid::from_raw(child.pid().try_into().expect("a pid"));
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::SIGKILL);
            let _ = nix::sys::wait::waitpid(pid, None);
        }
        assert_eq!(Everything::now(), open);
        receives(&signals);
        drop((signals, guard));
        all_works(&before);
    });
}

pub(crate) fn failing_to_exec() {
    with_each_call_refused(|faults| {
        with_a_past();
        harness::set_default(Signal::PIPE); // as the standard library leaves it
        let before = Everything::now();
        let signals = open([TERM, USR1, Signal::CHLD]);
        let open = Everything::now();
        let mut command = Command::new("/nonexistent/program");
        let error = faults.during(|| signal_source::process::exec(&mut command));
        // If exec itself has failed, what was refused may be the way back.
        if error.kind() == ErrorKind::NotFound && faults.hit_mask_or_action() {
            assert_eq!(Everything::now().descriptors, open.descriptors);
            return;
        }
        assert_eq!(Everything::now(), open, "{error}");
        receives(&signals);
        drop(signals);
        all_works(&before);
    });
}
