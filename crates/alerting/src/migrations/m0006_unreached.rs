//! Since when the contact of a delivery counts as unreachable, while it is tried on.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::timestamp_with_time_zone_null;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let since = timestamp_with_time_zone_null("unreached_since");
        manager.alter_table(Table::alter().table("deliveries").add_column(since).to_owned()).await
    }
}
