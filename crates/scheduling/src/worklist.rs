//! Who needs what, most urgent first, page by page, always along an index.
//!
//! Every plan has one place on the list, a text that sorts: a page is a range of places, whatever the filter.

use std::fmt;

use chrono::NaiveDate;
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder, QuerySelect, Select};

use crate::plan::{Kind, State};
use crate::store::plans::{self, Column};

/// The gravest finding that somebody has to act on soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub(crate) enum Severity {
    #[sea_orm(string_value = "emergency")]
    Emergency,
    #[sea_orm(string_value = "urgent")]
    Urgent,
}

impl Severity {
    pub(crate) const ALL: [Self; 2] = [Self::Emergency, Self::Urgent];

    /// The word for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Emergency => "emergency",
            Self::Urgent => "urgent",
        }
    }

    /// The severity that a word names.
    pub(crate) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == word)
    }
}

/// A place on the worklist: what is most pressing first, then what is longest so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(String);

impl Place {
    /// The place of an episode: emergencies, urgent findings, then visits by their state; within these by `day`.
    pub(crate) fn of(severity: Option<Severity>, state: State, day: NaiveDate, episode: Uuid) -> Self {
        Self(format!("{}_{day}_{episode}", rank(severity, state)))
    }

    /// Reads one back from the address of a next page.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '_');
        let rank = parts.next()?;
        let _: (NaiveDate, Uuid) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        (rank.len() == 1 && rank.bytes().all(|digit| digit.is_ascii_digit())).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn rank(severity: Option<Severity>, state: State) -> u8 {
    match (severity, state) {
        (Some(severity), _) => rank_of(severity),
        (None, State::Overdue) => 2,
        (None, State::Due) => 3,
        (None, State::Planned) => 4,
        (None, State::Unplanned) => 5,
    }
}

const fn rank_of(severity: Severity) -> u8 {
    match severity {
        Severity::Emergency => 0,
        Severity::Urgent => 1,
    }
}

/// What to show.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) state: Option<State>,
    pub(crate) kind: Option<Kind>,
    pub(crate) severity: Option<Severity>,
    /// The last entry of the page before.
    pub(crate) after: Option<Place>,
}

/// A part of the list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Page {
    pub(crate) rows: Vec<plans::Model>,
    /// The place of its last row, as long as more come behind it.
    pub(crate) next: Option<String>,
}

/// The page of at most `most` rows that fit the filter.
pub(crate) async fn page(db: &impl ConnectionTrait, filter: &Filter, most: u64) -> Result<Page, DbErr> {
    let mut rows = query(filter, most + 1).all(db).await?;
    if let Some(severity) = filter.severity {
        // Of one severity are all places up to the first of a lesser one.
        rows.retain(|row| row.severity == Some(severity));
    }
    let more = rows.len() as u64 > most;
    if more {
        rows.pop();
    }
    let next = rows.last().filter(|_| more).map(|row| row.place.clone());
    Ok(Page { rows, next })
}

/// Rows from a place on. Always equalities and one lower bound, for which there is exactly one best index.
fn query(filter: &Filter, most: u64) -> Select<plans::Entity> {
    let mut query = plans::Entity::find();
    if let Some(state) = filter.state {
        query = query.filter(Column::State.eq(state.name()));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(Column::Kind.eq(kind.name()));
    }
    let first = filter.severity.map(|severity| rank_of(severity).to_string()).unwrap_or_default();
    let from = filter.after.as_ref().map(Place::to_string).unwrap_or_default().max(first);
    query.filter(Column::Place.gt(from)).order_by_asc(Column::Place).limit(most)
}

#[cfg(test)]
mod tests;
