//! Since when the contact of a delivery has got nothing of what it is about, for deliveries that take others' place.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::timestamp_with_time_zone_null;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let since = timestamp_with_time_zone_null("waits_since");
        manager.alter_table(Table::alter().table("deliveries").add_column(since).to_owned()).await?;
        manager.get_connection().execute_unprepared(AS_LONG_AS_QUEUED).await.map(drop)
    }
}

const AS_LONG_AS_QUEUED: &str = "UPDATE deliveries SET waits_since = created_at WHERE wake_at IS NOT NULL";
