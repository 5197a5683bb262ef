//! What the crate changed is put back, and nothing else: masks that the program changed itself,
//! records that name a sender, programs that replace this one or fail to, and the way out.
#![allow(unsafe_code)] // threads that block beyond what the C library lets them

#[path = "accounting/children.rs"]
mod children;
#[path = "accounting/exits.rs"]
mod exits;
mod harness;
#[cfg(target_os = "linux")]
#[path = "accounting/masks.rs"]
mod masks;

use children::*;
use exits::*;
use harness::End;
#[cfg(target_os = "linux")]
use masks::*;
use signal_source::Signal;

fn main() {
    harness::main(
        cases![
            #[cfg(target_os = "linux", "elsewhere no delegate thread is needed")]
            without_a_delegate_a_bystanders_own_block_stays,
            #[cfg(target_os = "linux", "elsewhere no delegate thread is needed")]
            without_a_delegate_the_opener_is_put_back_at_its_next_call,
            #[cfg(target_os = "linux", "no mask counts elsewhere")]
            a_thread_that_sleeps_with_a_full_mask_blocks,
            a_block_made_after_a_drop_reaches_children,
            a_block_made_after_a_drop_elsewhere_reaches_children,
            a_block_of_the_crates_does_not_reach_children,
            chld_that_was_pending_and_ignored_is_not_ours,
            exec_of_what_does_not_exist_changes_nothing,
            exec_of_what_does_not_exist_with_a_pending_signal_changes_nothing,
            our_exec_of_what_does_not_exist_changes_nothing,
            our_exec_of_what_does_not_exist_with_a_pending_signal_changes_nothing,
            exit_by_runs_no_destructor_that_panics => End::DiesOf(Signal::TERM),
            exit_by_runs_no_destructor_that_hangs => End::DiesOf(Signal::TERM),
            exit_by_runs_no_destructor_on_another_thread => End::DiesOf(Signal::TERM),
            exit_by_runs_no_exit_function => End::DiesOf(Signal::TERM),
            exit_by_of_a_harmless_signal_runs_no_destructor => End::Exits(128 + Signal::CHLD.as_raw()),
            exit_by_flushes_and_runs_no_destructor,
            #[cfg(target_os = "linux", "only Linux limits what is pending by a resource limit")]
            exit_by_of_a_real_time_signal_that_cannot_queue,
        ],
        roles![reports_mask, prints],
    );
}
