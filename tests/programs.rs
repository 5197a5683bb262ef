//! The larger examples as programs: in terminals, as the first process of a pid namespace, under
//! requests. And what they stand on beside receivers: `process::stop_by`.
#![allow(unsafe_code)] // a session and a terminal of one's own
#![allow(unreachable_pub)] // each test binary is a crate of its own

#[path = "programs/arguments.rs"]
mod arguments;
mod harness;
#[path = "programs/init.rs"]
mod init;
#[allow(dead_code)]
#[path = "examples/program.rs"]
mod program;
#[path = "programs/run.rs"]
mod run;
#[cfg(feature = "tokio")]
#[path = "programs/service.rs"]
mod service;
#[path = "programs/stop_by.rs"]
mod stop_by;
#[path = "programs/terminal.rs"]
mod terminal;
#[path = "programs/tui.rs"]
mod tui;

use arguments::*;
use init::*;
use run::*;
#[cfg(feature = "tokio")]
use service::*;
use stop_by::*;
use terminal::job_shell;
use tui::*;

fn main() {
    harness::needs_examples(EXAMPLES);
    harness::main(
        cases![
            every_example_helps,
            every_example_refuses_what_it_does_not_know,
            #[cfg(feature = "tokio")]
            hub_says_what_ctrl_c_did,
            stop_by_stops_until_continued,
            stop_by_leaves_everything_as_it_was,
            stop_by_in_an_orphaned_group_returns,
            stop_by_refuses_what_does_not_stop,
            stop_by_from_two_threads_at_once,
            #[cfg(target_os = "linux", "no pid namespaces elsewhere")]
            stop_by_as_the_first_process_returns,
            #[cfg(target_os = "linux", "no filter of system calls elsewhere")]
            stop_by_refused_changes_nothing,
            run_gives_every_code_on,
            run_dies_as_its_child,
            run_tells_why_nothing_was_started,
            #[cfg(target_os = "linux", "no kernel but Linux says who sent it")]
            run_sends_on_what_a_process_sends,
            run_stops_with_its_child,
            run_in_a_terminal_leaves_its_keys_to_the_child,
            run_in_a_terminal_sends_on_what_came_before_the_child,
            run_in_a_terminal_stops_and_continues,
            #[cfg(target_os = "linux", "no kernel but Linux says who sent it")]
            run_sends_on_that_the_terminal_hung_up,
            init_gives_every_code_on,
            init_dies_as_its_child,
            init_sends_every_signal_on,
            init_starts_its_child_as_usual,
            init_sends_to_the_whole_group,
            #[cfg(target_os = "linux", "no process adopts orphans elsewhere but the first")]
            init_leaves_tokio_its_children,
            #[cfg(target_os = "linux", "no pid namespaces elsewhere")]
            init_as_the_first_process_leaves_tokio_its_children,
            #[cfg(target_os = "linux", "no pid namespaces elsewhere")]
            init_as_the_first_process_sends_every_signal_on,
            init_in_a_terminal_gives_it_to_the_child,
            init_in_a_terminal_runs_a_child_that_wants_it,
            tui_takes_the_terminal_and_gives_it_back,
            tui_stops_and_continues,
            tui_stops_in_the_background,
            tui_dies_of_what_ends_it,
            watch_writes_over_the_keys,
            #[cfg(feature = "tokio")]
            service_reloads_and_tells_systemd,
            #[cfg(feature = "tokio")]
            service_says_how_it_is_and_who_asks,
            #[cfg(
                all(feature = "tokio", target_os = "linux"),
                "no kernel but Linux says who sent it"
            )]
            service_accuses_no_process,
            #[cfg(feature = "tokio")]
            service_drops_no_request,
            #[cfg(feature = "tokio")]
            service_in_a_hurry_does_not_drain,
            #[cfg(feature = "tokio")]
            service_ends_at_once_by_the_second_signal,
            #[cfg(feature = "tokio")]
            service_ends_at_its_deadline,
        ],
        roles![
            stops,
            stops_twice,
            stops_as_the_first,
            job_shell,
            ends,
            tells,
            is_late,
            starts_as_usual,
            has_a_child,
            starts_a_thousand,
            leaves,
        ],
    );
}
