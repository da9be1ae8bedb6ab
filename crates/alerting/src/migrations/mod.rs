//! The tables of alerting, oldest migration first.

mod m0001_alerts;
mod m0002_overlooked;

use lasegue_platform::store::Migrations;

/// Alerting's own migrations.
pub const MIGRATIONS: Migrations =
    Migrations(|| vec![Box::new(m0001_alerts::Migration), Box::new(m0002_overlooked::Migration)]);
