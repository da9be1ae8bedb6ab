//! Which deliveries only repeat what their contact was told before: all other go first.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::boolean;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let repeats = boolean("repeats").default(false).to_owned();
        manager.alter_table(Table::alter().table("deliveries").add_column(repeats).to_owned()).await
    }
}
