//! Where the C library has no `posix_spawn(3)`, or not for every version that this crate supports.

use std::io;

use super::spawn::Request;

/// It can't be done in this way: the caller forks.
pub(crate) fn posix_spawn(_: &Request<'_>) -> io::Result<Option<i32>> {
    Ok(None)
}
