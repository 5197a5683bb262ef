//! Running a function before `main`: there is nothing to do so early.

/// Takes what would be run, and does not.
#[doc(hidden)]
#[macro_export]
macro_rules! __at_start {
    ($run:expr) => {
        const _: fn() = || $run;
    };
}
