//! The audit's seals: each row's place in the chain, and the chain's head.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, binary, binary_null, integer, string_null};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [big_integer_null("number"), binary_null("hash")] {
            manager.alter_table(Table::alter().table("access").add_column(column).to_owned()).await?;
        }
        for index in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        manager.create_table(head()).await?;
        let beginning = Query::insert()
            .into_table("access_head")
            .columns(["id", "number", "hash", "removed", "removed_hash"])
            .values_panic([1.into(), 0.into(), vec![0_u8; 32].into(), 0.into(), vec![0_u8; 32].into()])
            .to_owned();
        manager.execute(beginning).await
    }
}

const INDEXES: [&str; 2] = [
    "CREATE UNIQUE INDEX access_number ON access (number) WHERE number IS NOT NULL",
    "CREATE INDEX access_unsealed ON access (id) WHERE number IS NULL",
];

fn head() -> TableCreateStatement {
    Table::create()
        .table("access_head")
        .col(integer("id").primary_key())
        .col(big_integer("number"))
        .col(binary("hash"))
        .col(big_integer("removed"))
        .col(binary("removed_hash"))
        .col(string_null("key"))
        .col(binary_null("signature"))
        .to_owned()
}
