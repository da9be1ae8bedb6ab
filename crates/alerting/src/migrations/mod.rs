//! The tables of alerting, oldest migration first.

mod m0001_alerts;

use lasegue_platform::store::Migrations;

/// Alerting's own migrations.
pub const MIGRATIONS: Migrations = Migrations(|| vec![Box::new(m0001_alerts::Migration)]);
