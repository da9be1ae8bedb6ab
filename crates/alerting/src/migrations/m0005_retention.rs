//! What the keeper looks for: deliveries that are done, oldest first, and those of a page.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for index in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        Ok(())
    }
}

const INDEXES: [&str; 2] = [
    "CREATE INDEX deliveries_done ON deliveries (created_at) WHERE wake_at IS NULL",
    "CREATE INDEX deliveries_by_page ON deliveries (page_id)",
];
