//! Who needs what, most urgent first, page by page, always along an index.

use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryOrder, QuerySelect, Select};

use crate::plan::{Plan, State};
use crate::store::plans::{self, Column};

/// The place of a plan among all: emergencies, urgent findings, then visits by their state.
pub(crate) fn rank(severity: Option<&str>, state: State) -> i16 {
    match (severity, state) {
        (Some("emergency"), _) => 0,
        (Some(_), _) => 1,
        (None, State::Overdue) => 2,
        (None, State::Due) => 3,
        (None, State::Planned) => 4,
        (None, State::Unplanned) => 5,
    }
}

/// The day to sort by within a rank: the last day of the window.
pub(crate) fn sort_day(plan: &Plan) -> String {
    plan.window.map_or_else(|| "9999-12-31".to_owned(), |window| window.latest.to_string())
}

/// What to show.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) state: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) severity: Option<String>,
    /// The last entry of the page before.
    pub(crate) after: Option<Place>,
}

/// A place on the worklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) rank: i16,
    pub(crate) sort_day: String,
    pub(crate) episode: Uuid,
}

impl Place {
    /// The place of `row`.
    pub(crate) fn of(row: &plans::Model) -> Self {
        Self { rank: row.rank, sort_day: row.sort_day.clone(), episode: row.episode_id }
    }

    /// As text for the next page's address.
    pub(crate) fn cursor(&self) -> String {
        format!("{}_{}_{}", self.rank, self.sort_day, self.episode)
    }

    /// Reads such a text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '_');
        Some(Self {
            rank: parts.next()?.parse().ok()?,
            sort_day: parts.next()?.to_owned(),
            episode: parts.next()?.parse().ok()?,
        })
    }
}

/// The query for one page.
pub(crate) fn query(filter: &Filter, most: u64) -> Select<plans::Entity> {
    let mut query = plans::Entity::find();
    for (column, wanted) in [(Column::State, &filter.state), (Column::Kind, &filter.kind)] {
        if let Some(wanted) = wanted {
            query = query.filter(column.eq(wanted));
        }
    }
    if let Some(severity) = &filter.severity {
        query = query.filter(Column::Severity.eq(severity)).filter(Column::Rank.lte(1));
    }
    if let Some(after) = &filter.after {
        query = query.filter(behind(after));
    }
    query.order_by_asc(Column::Rank).order_by_asc(Column::SortDay).order_by_asc(Column::EpisodeId).limit(most)
}

fn behind(after: &Place) -> Condition {
    let same_rank = || Condition::all().add(Column::Rank.eq(after.rank));
    Condition::all().add(Column::Rank.gte(after.rank)).add(
        Condition::any()
            .add(Column::Rank.gt(after.rank))
            .add(same_rank().add(Column::SortDay.gt(&after.sort_day)))
            .add(same_rank().add(Column::SortDay.eq(&after.sort_day)).add(Column::EpisodeId.gt(after.episode))),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn danger_stands_before_lateness_and_lateness_before_the_rest() {
        let mut ranks = vec![rank(Some("emergency"), State::Unplanned), rank(Some("urgent"), State::Due)];
        ranks.extend([State::Overdue, State::Due, State::Planned, State::Unplanned].map(|state| rank(None, state)));
        assert!(ranks.is_sorted_by(|one, other| one < other));
    }

    #[test]
    fn a_place_comes_back_from_its_cursor() {
        let place = Place { rank: 3, sort_day: "2026-02-19".to_owned(), episode: Uuid::from_u128(5) };
        assert_eq!(Place::parse(&place.cursor()), Some(place));
        for broken in ["", "3", "3_2026-02-19", "x_2026-02-19_5"] {
            assert_eq!(Place::parse(broken), None, "{broken}");
        }
    }
}
