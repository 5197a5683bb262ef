//! How large a flood is.

use std::env;

/// As many signals as is usual; or of so many one, if `SIGNAL_SOURCE_TEST_FEWER` says so: an emulated
/// machine takes long for each.
pub(crate) fn signals(usual: usize) -> usize {
    let given = env::var("SIGNAL_SOURCE_TEST_FEWER").ok();
    usual / given.and_then(|divisor| divisor.parse().ok()).unwrap_or(1)
}
