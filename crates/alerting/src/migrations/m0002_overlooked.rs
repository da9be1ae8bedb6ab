//! What the auditor looks for, and the count of a case's news.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer_null, timestamp_with_time_zone_null};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let news = Table::alter().table("cases").add_column(big_integer_null("news")).to_owned();
        let next = Table::alter().table("alerts").add_column(timestamp_with_time_zone_null("next_at")).to_owned();
        manager.alter_table(news).await?;
        manager.alter_table(next).await?;
        manager.get_connection().execute_unprepared(BY_NEXT_STEP).await.map(drop)
    }
}

const BY_NEXT_STEP: &str = "CREATE INDEX alerts_by_next_step ON alerts (state, next_at)";
