//! What one visit has come to so far: the value of each definition, and which findings fired.

use crate::logic::{Ratio, Truth};
use crate::record::Side;

/// The value of a definition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell {
    Truth(Truth),
    Number(Option<Ratio>),
}

impl Cell {
    pub(crate) fn truth(self) -> Truth {
        match self {
            Self::Truth(truth) => truth,
            Self::Number(_) => Truth::Unknown,
        }
    }

    pub(crate) fn number(self) -> Option<Ratio> {
        match self {
            Self::Number(number) => number,
            Self::Truth(_) => None,
        }
    }

    pub(crate) fn is_known(self) -> bool {
        match self {
            Self::Truth(truth) => truth != Truth::Unknown,
            Self::Number(number) => number.is_some(),
        }
    }
}

/// Values for the left, the right and the whole.
type Row<T> = [T; 3];

/// One visit's definitions and findings by number, filled in the order of the protocol.
#[derive(Clone, Debug)]
pub(crate) struct State {
    defined: Vec<Row<Cell>>,
    fired: Vec<Row<bool>>,
}

const fn column(side: Option<Side>) -> usize {
    match side {
        Some(Side::Left) => 0,
        Some(Side::Right) => 1,
        None => 2,
    }
}

impl State {
    pub(crate) fn new(definitions: usize, findings: usize) -> Self {
        Self { defined: vec![[Cell::Truth(Truth::Unknown); 3]; definitions], fired: vec![[false; 3]; findings] }
    }

    pub(crate) fn define(&mut self, definition: usize, side: Option<Side>, cell: Cell) {
        self.defined[definition][column(side)] = cell;
    }

    pub(crate) fn defined(&self, definition: usize, side: Option<Side>) -> Cell {
        self.defined[definition][column(side)]
    }

    pub(crate) fn fire(&mut self, finding: usize, side: Option<Side>, fired: bool) {
        self.fired[finding][column(side)] = fired;
    }

    pub(crate) fn fired(&self, finding: usize, side: Option<Side>) -> bool {
        self.fired[finding][column(side)]
    }

    pub(crate) fn fired_anywhere(&self, finding: usize) -> bool {
        self.fired[finding].contains(&true)
    }
}
