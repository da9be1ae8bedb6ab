//! The tables of assessment.

use lasegue_platform::store::Migrations;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, json, json_null, string, string_null, text, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid,
};

/// Assessment's migrations, oldest first.
pub const MIGRATIONS: Migrations = Migrations(|| vec![Box::new(Tables), Box::new(Seen)]);

struct Tables;

impl MigrationName for Tables {
    fn name(&self) -> &'static str {
        "m0002_assessment_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [episodes(), pieces(), results(), protocols(), activations()] {
            manager.create_table(table).await?;
        }
        for index in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        Ok(())
    }
}

/// What each signer can have seen.
struct Seen;

impl MigrationName for Seen {
    fn name(&self) -> &'static str {
        "m0003_assessment_seen"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Seen {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("pieces").add_column(big_integer_null("seen")).to_owned()).await
    }
}

/// One active protocol; the episodes that another one than the active evaluated last; the review list.
const INDEXES: [&str; 3] = [
    "CREATE UNIQUE INDEX protocols_one_active ON protocols (state) WHERE state = 'active'",
    "CREATE INDEX episodes_by_protocol ON episodes (protocol, id)",
    "CREATE INDEX episodes_to_review ON episodes (to_review, id)",
];

fn episodes() -> TableCreateStatement {
    Table::create()
        .table("episodes")
        .col(uuid("id").primary_key())
        .col(big_integer("revision"))
        .col(big_integer("blocks_version"))
        .col(json_null("blocks"))
        .col(boolean("flagged"))
        .col(json("active"))
        .col(json("rule_changes"))
        .col(boolean("to_review"))
        .col(string_null("protocol"))
        .to_owned()
}

fn pieces() -> TableCreateStatement {
    Table::create()
        .table("pieces")
        .col(uuid("episode_id"))
        .col(uuid("id"))
        .col(string("kind"))
        .col(big_integer("revision"))
        .col(boolean("imported"))
        .col(json("body"))
        .primary_key(Index::create().col("episode_id").col("id"))
        .to_owned()
}

fn results() -> TableCreateStatement {
    Table::create()
        .table("results")
        .col(uuid("episode_id"))
        .col(big_integer("revision"))
        .col(string("protocol_sha256"))
        .col(json("body"))
        .col(timestamp_with_time_zone("created_at"))
        .primary_key(Index::create().col("episode_id").col("revision"))
        .to_owned()
}

fn protocols() -> TableCreateStatement {
    Table::create()
        .table("protocols")
        .col(string("sha256").primary_key())
        .col(string("id"))
        .col(string("version"))
        .col(text("toml"))
        .col(string("author"))
        .col(string("state"))
        .col(timestamp_with_time_zone("stored_at"))
        .col(string_null("approved_by"))
        .col(timestamp_with_time_zone_null("activated_at"))
        .to_owned()
}

fn activations() -> TableCreateStatement {
    Table::create()
        .table("activations")
        .col(big_integer("number").auto_increment().primary_key())
        .col(string("sha256"))
        .col(string("approved_by"))
        .col(text("backtest"))
        .col(timestamp_with_time_zone("activated_at"))
        .to_owned()
}
