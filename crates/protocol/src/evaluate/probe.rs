//! One condition at a time, to measure the rules apart from everything around them.

use crate::protocol::Protocol;
use crate::record::{Record, Side};
use crate::rules::{Cond, Place, State};

use super::firing;
use super::history::{self, History};
use super::{EvaluateError, Longstanding};

/// The latest visit of a record, ready for single conditions of a protocol.
pub struct Probe<'p> {
    protocol: &'p Protocol,
    history: History<'p>,
    state: State,
}

impl<'p> Probe<'p> {
    /// From when on items of the cauda equina screen are old; a probe borrows it.
    pub fn longstanding(record: &Record) -> Longstanding {
        history::longstanding(&record.adjudications)
    }

    /// Evaluates the history once.
    pub fn new(
        protocol: &'p Protocol,
        record: &'p Record,
        longstanding: &'p Longstanding,
    ) -> Result<Self, EvaluateError> {
        let history = History::walk(protocol, record, longstanding, None)?;
        let mut state = protocol.state();
        firing::run(protocol, &history.last().view, &mut state, &protocol.grave_steps);
        Ok(Self { protocol, history, state })
    }

    /// The number of a finding, for [`Probe::holds`].
    pub fn number(&self, code: &str) -> Option<usize> {
        self.protocol.codes().position(|known| known == code)
    }

    /// Whether the condition of a finding holds, on a side or as a whole; definitions that it uses
    /// are taken as they were computed.
    pub fn holds(&self, finding: usize, side: Option<Side>) -> bool {
        let (on_side, whole) = &self.protocol.conditions[finding];
        let cond: Option<&Cond> = if side.is_some() { on_side.as_ref() } else { whole.as_ref() };
        let at = firing::context(self.protocol, &self.history.last().view, &self.state);
        let at = at.at(side.map_or(Place::Visit, Place::Side));
        cond.is_some_and(|cond| at.holds(cond).is_yes())
    }

    /// Computes every definition that emergencies and urgent findings need, and all of these
    /// findings, anew; returns how many fired.
    pub fn run_grave(&mut self) -> usize {
        let protocol = self.protocol;
        firing::run(protocol, &self.history.last().view, &mut self.state, &protocol.grave_steps).len()
    }
}
