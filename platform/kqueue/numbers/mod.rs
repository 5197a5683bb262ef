//! Signal numbers of the systems with a kqueue: the same names in a file for each.

#[cfg(target_vendor = "apple")]
mod apple;
#[cfg(target_os = "dragonfly")]
mod dragonfly;
#[cfg(target_os = "freebsd")]
mod freebsd;
#[cfg(target_os = "netbsd")]
mod netbsd;
#[cfg(target_os = "openbsd")]
mod openbsd;

#[cfg(target_vendor = "apple")]
pub(crate) use apple::*;
#[cfg(target_os = "dragonfly")]
pub(crate) use dragonfly::*;
#[cfg(target_os = "freebsd")]
pub(crate) use freebsd::*;
#[cfg(target_os = "netbsd")]
pub(crate) use netbsd::*;
#[cfg(target_os = "openbsd")]
pub(crate) use openbsd::*;
