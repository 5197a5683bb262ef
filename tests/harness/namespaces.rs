//! Pid namespaces, where this process may have some.

use nix::sched::{CloneFlags, unshare};

use super::skip;

/// The next children of this process are the first of a pid namespace each. Skips the case where
/// that is not permitted.
pub fn children_in_a_pid_namespace() {
    let (pids, user) = (CloneFlags::CLONE_NEWPID, CloneFlags::CLONE_NEWUSER);
    if let Err(error) = unshare(pids).or_else(|_| unshare(user | pids)) {
        skip(format_args!("a pid namespace is not permitted here: {error}"));
    }
}

/// As [`children_in_a_pid_namespace`], for a process that is in one already.
pub fn nested_pid_namespace() {
    unshare(CloneFlags::CLONE_NEWPID).expect("as in the namespace above");
}
