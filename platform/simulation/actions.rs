//! The dispositions of a simulated process.

use crate::platform::actions::Action;
use crate::platform::{ByDefault, numbers};
use crate::{Disposition, Signal};

#[derive(Clone)]
pub(in crate::platform) struct Actions(Vec<(Signal, Action)>);

impl FromIterator<(Signal, Action)> for Actions {
    fn from_iter<I: IntoIterator<Item = (Signal, Action)>>(all: I) -> Actions {
        Actions(all.into_iter().collect())
    }
}

impl Actions {
    pub(in crate::platform) fn get(&self, signal: Signal) -> Action {
        let known = self.0.iter().find(|(known, _)| *known == signal);
        known.map_or_else(Action::default, |(_, action)| *action)
    }

    pub(in crate::platform) fn set(&mut self, signal: Signal, action: Action) {
        self.0.retain(|(known, _)| *known != signal);
        self.0.push((signal, action));
    }

    /// Whether the signal does nothing.
    pub(in crate::platform) fn ignore(&self, signal: Signal) -> bool {
        match self.get(signal).disposition() {
            Disposition::Ignore => true,
            Disposition::Default => numbers::by_default(signal.as_raw()) == ByDefault::Ignored,
            Disposition::Handler => false,
        }
    }

    /// That the signal has the action that the program gave it, in the end.
    pub(in crate::platform) fn check(&self, signal: Signal, own: &Actions) -> Result<(), String> {
        let parts = |action: Action| (action.disposition(), action.0.sa_flags, action.mark(signal));
        let (now, own) = (parts(self.get(signal)), parts(own.get(signal)));
        if now == own {
            return Ok(());
        }
        Err(format!("{signal} has the action {now:?} in the end, not {own:?}"))
    }
}
