//! Children: `CommandExt::restore_signals`, `Spawn`.
#![allow(unreachable_pub)] // a test binary is a crate of its own

#[path = "../harness/mod.rs"]
mod harness;
mod inherited;
mod report;
mod spawned;
mod spawning;
mod strict;

use inherited::*;
use report::report;
use signal_source::Signal;
use spawned::*;
use spawning::*;
use strict::nothing_is_allocated_between_fork_and_exec;

fn main() {
    harness::main(
        cases![
            receiver_open,
            receiver_of_everything_open,
            receiver_updated,
            receiver_dropped,
            receiver_dropped_after_the_spawning_thread_was_born,
            receiver_opened_in_another_thread,
            receiver_of_a_thread_that_has_gone,
            guard_open,
            guard_kept,
            guard_of_everything_kept,
            opened_and_dropped_all_the_while,
            the_programs_own_block_stays,
            the_programs_own_ignoring_stays,
            children_ignored_before,
            children_ignored_before_and_caught_meanwhile,
            from_a_forked_child,
            from_a_tokio_worker,
            asked_for_twice,
            asked_for_before_opening,
            exec_without_a_child,
            a_pending_signal_acts_at_exec => harness::End::DiesOf(Signal::TERM),
            the_child_dies_of_what_the_parent_receives,
            no_descriptor_reaches_the_child,
            nothing_is_allocated_between_fork_and_exec,
            without_it_the_child_inherits,
            arguments_and_environment,
            in_a_directory,
            looked_for_in_path,
            errors_name_the_program,
            files_for_0_1_and_2,
            files_that_are_0_1_and_2_themselves,
            the_same_by_fork,
            in_a_group,
            reaped_by_pid_and_seen_by_pidfd,
            where_children_are_ignored,
            nothing_acts_meanwhile,
            with_a_piped_standard_library,
        ],
        roles![report, sleeper, executes, tells],
    );
}
