//! When each contact was last sent a test page.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{string, timestamp_with_time_zone};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("test_pages")
            .col(string("contact").primary_key())
            .col(timestamp_with_time_zone("sent_at"))
            .to_owned();
        manager.create_table(table).await
    }
}
