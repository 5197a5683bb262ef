//! Which process and which thread this is: forks of every kind, pid namespaces, and threads that
//! have come past their destructors.
//!
//! What a forked child may do is `fork.rs`; here is how it is told apart from its parent.

mod harness;
#[cfg(target_os = "linux")]
#[path = "identity/namespaces.rs"]
mod namespaces;
#[path = "identity/orders.rs"]
mod orders;
#[path = "identity/threads.rs"]
mod threads;

#[cfg(target_os = "linux")]
use namespaces::*;
use orders::*;
use threads::*;

fn main() {
    harness::main(
        cases![
            #[cfg(target_os = "linux", "pid namespaces are Linux's")]
            parent_and_child_have_the_same_pid,
            #[cfg(target_os = "linux", "pid namespaces are Linux's")]
            parent_and_child_have_the_same_pid_and_the_fork_is_bare,
            #[cfg(target_os = "linux", "pid namespaces are Linux's")]
            the_delegate_is_left_out_where_proc_is_another_namespaces,
            #[cfg(
                target_os = "linux",
                "elsewhere a bare system call forks no process that goes on"
            )]
            a_bare_fork_is_a_fork,
            #[cfg(
                target_os = "linux",
                "elsewhere a bare system call forks no process that goes on"
            )]
            after_a_bare_fork_another_thread_drops,
            #[cfg(
                target_os = "linux",
                "elsewhere a bare system call forks no process that goes on"
            )]
            a_bare_fork_beside_a_delegate,
            a_guard_in_a_late_destructor_is_of_its_thread,
            a_receiver_in_a_late_destructor_is_of_its_thread,
            what_was_inherited_goes_in_every_order,
            what_was_inherited_goes_in_every_order_beside_a_busy_thread,
        ],
        roles![],
    );
}
