//! Operating-system signals as ordinary events.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(unix)]
mod error;
#[cfg(unix)]
mod info;
#[cfg(unix)]
pub mod mask;
#[cfg(all(unix, feature = "mio"))]
mod mio;
#[path = "../platform/mod.rs"]
mod platform;
#[cfg(unix)]
pub mod process;
#[cfg(unix)]
pub mod send;
#[cfg(unix)]
mod set;
#[cfg(unix)]
mod signal;
#[cfg(unix)]
mod signals;
#[cfg(all(unix, feature = "tokio"))]
pub mod tokio;

#[cfg(unix)]
pub use crate::{
    error::OpenError,
    info::{ChildInfo, ChildStatus, Origin, Sender, SignalInfo},
    set::SignalSet,
    signal::{Disposition, ParseSignalError, Signal},
    signals::{Builder, Signals},
};

/// Names of what the items above return.
#[cfg(unix)]
pub mod iter {
    pub use crate::set::Iter as SetIter;
    pub use crate::signals::Iter;
}
