//! The larger examples as programs: in terminals, as the first process of a pid namespace, under
//! requests. And what they stand on beside receivers: `process::stop_by`.
#![allow(unsafe_code)] // a session and a terminal of one's own
#![allow(unreachable_pub)] // each test binary is a crate of its own

mod harness;
#[path = "programs/stop_by.rs"]
mod stop_by;

use stop_by::*;

fn main() {
    harness::main(
        cases![
            stop_by_stops_until_continued,
            stop_by_leaves_everything_as_it_was,
            stop_by_in_an_orphaned_group_returns,
            stop_by_refuses_what_does_not_stop,
            stop_by_from_two_threads_at_once,
            #[cfg(target_os = "linux")]
            stop_by_as_the_first_process_returns,
        ],
        roles![stops, stops_twice, stops_as_the_first],
    );
}

/// Makes a pid namespace for the children to come; `false` if that is not permitted.
#[cfg(target_os = "linux")]
fn contained() -> bool {
    use nix::sched::{CloneFlags, unshare};
    let (pids, user) = (CloneFlags::CLONE_NEWPID, CloneFlags::CLONE_NEWUSER);
    match unshare(pids).or_else(|_| unshare(user | pids)) {
        Ok(()) => true,
        Err(error) => {
            println!("note: skipped, a pid namespace is not permitted here: {error}");
            false
        }
    }
}
