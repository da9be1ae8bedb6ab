//! The tables of scheduling.

use lasegue_platform::store::Migrations;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, date, date_null, json, string, string_null, timestamp_with_time_zone, uuid,
};

/// Scheduling's migrations, oldest first.
pub const MIGRATIONS: Migrations = Migrations(|| vec![Box::new(Tables)]);

struct Tables;

impl MigrationName for Tables {
    fn name(&self) -> &'static str {
        "m0002_scheduling_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(plans()).await?;
        for index in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        manager.create_table(past_plans()).await
    }
}

/// The worklist, for each way to filter it.
const INDEXES: [&str; 4] = [
    "CREATE INDEX plans_by_place ON plans (place)",
    "CREATE INDEX plans_by_state ON plans (state, place)",
    "CREATE INDEX plans_by_kind ON plans (kind, place)",
    "CREATE INDEX plans_by_kind_and_state ON plans (kind, state, place)",
];

fn plans() -> TableCreateStatement {
    Table::create()
        .table("plans")
        .col(uuid("episode_id").primary_key())
        .col(big_integer("revision"))
        .col(string("kind"))
        .col(date_null("earliest"))
        .col(date_null("latest"))
        .col(string("time_zone"))
        .col(date("assessed_on"))
        .col(string("state"))
        .col(string_null("severity"))
        .col(json("needs"))
        .col(string("place"))
        .col(timestamp_with_time_zone("planned_at"))
        .to_owned()
}

fn past_plans() -> TableCreateStatement {
    Table::create()
        .table("past_plans")
        .col(uuid("episode_id"))
        .col(big_integer("revision"))
        .col(string("kind"))
        .col(date_null("earliest"))
        .col(date_null("latest"))
        .col(timestamp_with_time_zone("planned_at"))
        .primary_key(Index::create().col("episode_id").col("revision"))
        .to_owned()
}
