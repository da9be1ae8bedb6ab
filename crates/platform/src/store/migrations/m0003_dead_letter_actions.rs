//! What becomes of a dead letter, and what people do to it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, integer, string, text, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Defaults, because a replica of the version before may set something aside meanwhile.
        let state = string("state").default("set-aside").to_owned();
        let tries = integer("tries").default(0).to_owned();
        for column in [state, tries, timestamp_with_time_zone_null("settled_at")] {
            manager.alter_table(Table::alter().table("dead_letters").add_column(column).to_owned()).await?;
        }
        manager.create_table(actions()).await?;
        for index in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        Ok(())
    }
}

const INDEXES: [&str; 3] = [
    "CREATE INDEX dead_letters_by_state ON dead_letters (state, created_at, id)",
    "CREATE INDEX dead_letters_settled ON dead_letters (settled_at) WHERE settled_at IS NOT NULL",
    "CREATE INDEX dead_letter_actions_by_letter ON dead_letter_actions (letter, number)",
];

fn actions() -> TableCreateStatement {
    Table::create()
        .table("dead_letter_actions")
        .col(big_integer("number").auto_increment().primary_key())
        .col(uuid("letter"))
        .col(timestamp_with_time_zone("at"))
        .col(string("by"))
        .col(string("role"))
        .col(string("action"))
        .col(text("outcome"))
        .to_owned()
}
