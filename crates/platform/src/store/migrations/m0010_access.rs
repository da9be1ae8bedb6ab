//! The audit: who did what.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, integer, small_integer_null, string, string_null, text, text_null, timestamp_with_time_zone, uuid_null,
};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(access()).await
    }
}

fn access() -> TableCreateStatement {
    Table::create()
        .table("access")
        .col(big_integer("id").auto_increment().primary_key())
        .col(timestamp_with_time_zone("at"))
        .col(string_null("subject"))
        .col(string_null("role"))
        .col(uuid_null("token"))
        .col(string("peer"))
        .col(string("request"))
        .col(string("method"))
        .col(string("route"))
        .col(text("object"))
        .col(small_integer_null("status"))
        .col(string_null("reason"))
        .col(integer("times"))
        .col(text_null("change"))
        .to_owned()
}
