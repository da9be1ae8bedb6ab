use std::collections::BTreeSet;

use lasegue_contracts::Service;
use lasegue_platform::clock::SystemClock;
use lasegue_platform::random::SystemRandom;
use lasegue_platform::store::{Location, Store};
use sea_orm::{DbBackend, QueryTrait, Statement};

use super::*;

const DAY: &str = "2026-02-19";

fn place(severity: Option<Severity>, state: State, day: &str, episode: u128) -> Place {
    Place::of(severity, state, day.parse().expect("a date"), Uuid::from_u128(episode))
}

#[test]
fn danger_stands_before_lateness_lateness_before_the_rest_and_the_longest_first() {
    let places = [
        place(Some(Severity::Emergency), State::Unplanned, "2026-03-01", 9),
        place(Some(Severity::Urgent), State::Planned, "2026-01-01", 9),
        place(Some(Severity::Urgent), State::Overdue, "2026-01-02", 1),
        place(None, State::Overdue, "2026-03-01", 9),
        place(None, State::Due, "2026-01-01", 9),
        place(None, State::Planned, "2026-01-01", 1),
        place(None, State::Planned, "2026-01-01", 2),
        place(None, State::Planned, "2026-01-02", 1),
        place(None, State::Unplanned, "2026-01-01", 1),
    ];
    assert!(places.is_sorted_by(|one, other| one < other), "{places:?}");
}

#[test]
fn a_place_comes_back_from_its_text_and_nothing_else_does() {
    let place = place(None, State::Due, DAY, 5);
    assert_eq!(Place::parse(&place.to_string()), Some(place));
    let id = Uuid::nil();
    for broken in ["", "3", "3_2026-02-19", &format!("x_{DAY}_{id}"), &format!("33_{DAY}_{id}"), &format!("3_x_{id}")] {
        assert_eq!(Place::parse(broken), None, "{broken}");
    }
}

fn every_filter() -> Vec<Filter> {
    let places = [None, Some(place(None, State::Due, DAY, 5)), Some(place(Some(Severity::Urgent), State::Due, DAY, 5))];
    let mut filters = Vec::new();
    for state in [None, Some(State::Due)] {
        for kind in [None, Some(Kind::SixWeek)] {
            for severity in [None, Some(Severity::Emergency), Some(Severity::Urgent)] {
                let filter = |after: &Option<Place>| Filter { state, kind, severity, after: after.clone() };
                filters.extend(places.iter().map(filter));
            }
        }
    }
    filters
}

async fn explained(store: &Store, statement: Statement) -> String {
    let sql = format!("EXPLAIN QUERY PLAN {}", statement.sql);
    let values = statement.values.expect("there are values").0;
    let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, values);
    let rows = store.reader().query_all_raw(statement).await.expect("SQLite explains");
    rows.iter().map(|row| row.try_get::<String>("", "detail").expect("text")).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn every_page_is_a_range_of_an_index_and_nothing_is_sorted() {
    let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
    let location = Location::Sqlite(folder.path().join("scheduling.sqlite"));
    let (clock, random) = (SystemClock::shared(), SystemRandom::shared());
    let store = Store::open(Service::Scheduling, &location, crate::MIGRATIONS, true, clock, random);
    let store = store.await.expect("an empty folder takes a new database");
    let mut indexes = BTreeSet::new();
    for filter in every_filter() {
        let plan = explained(&store, query(&filter, 50).build(DbBackend::Sqlite)).await;
        let index = plan.strip_prefix("SEARCH plans USING INDEX ").unwrap_or_else(|| panic!("{filter:?}: {plan}"));
        let (index, range) = index.split_once(' ').expect("an index and its range");
        assert!(range.ends_with("place>?)"), "{filter:?}: {plan}");
        let (state, kind) = (filter.state.is_some(), filter.kind.is_some());
        assert_eq!((range.contains("state=?"), range.contains("kind=?")), (state, kind), "{filter:?}: {plan}");
        indexes.insert(index.to_owned());
    }
    assert_eq!(indexes.len(), 4);
}
