//! The tables of scheduling.

use lasegue_platform::store::Migrations;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, date_null, small_integer, string, string_null, timestamp_with_time_zone, uuid,
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
        for columns in [
            &["rank", "sort_day", "episode_id"][..],
            &["state", "rank", "sort_day", "episode_id"],
            &["kind", "rank", "sort_day", "episode_id"],
        ] {
            manager.create_index(index("plans", columns)).await?;
        }
        manager.create_table(past_plans()).await
    }
}

fn plans() -> TableCreateStatement {
    Table::create()
        .table("plans")
        .col(uuid("episode_id").primary_key())
        .col(big_integer("revision"))
        .col(string("kind"))
        .col(date_null("earliest"))
        .col(date_null("latest"))
        .col(string("time_zone"))
        .col(string("state"))
        .col(string_null("severity"))
        .col(small_integer("rank"))
        .col(string("sort_day"))
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

fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(format!("{table}_{}", columns.join("_"))).table(table).to_owned();
    for column in columns {
        index.col(*column);
    }
    index
}
