//! The tables of alerting, oldest migration first.

mod m0001_alerts;
mod m0002_overlooked;
mod m0003_next_steps;
mod m0004_test_pages;
mod m0005_retention;
mod m0006_unreached;
mod m0007_superseded;
mod m0008_repeats;

use lasegue_platform::store::Migrations;

/// Alerting's own migrations.
pub const MIGRATIONS: Migrations = Migrations(|| {
    vec![
        Box::new(m0001_alerts::Migration),
        Box::new(m0002_overlooked::Migration),
        Box::new(m0003_next_steps::Migration),
        Box::new(m0004_test_pages::Migration),
        Box::new(m0005_retention::Migration),
        Box::new(m0006_unreached::Migration),
        Box::new(m0007_superseded::Migration),
        Box::new(m0008_repeats::Migration),
    ]
});
