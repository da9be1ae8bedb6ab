//! The tables of intake.

use lasegue_platform::store::Migrations;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, binary, json, string, string_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
    uuid_null,
};

/// Intake's migrations, oldest first.
pub const MIGRATIONS: Migrations =
    Migrations(|| vec![Box::new(Tables), Box::new(Senders), Box::new(Bursts), Box::new(Ahead)]);

struct Tables;

impl MigrationName for Tables {
    fn name(&self) -> &'static str {
        "m0002_intake_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(episodes()).await?;
        manager.create_index(unique("episodes", &["patient_ref", "episode_ref"])).await?;
        manager.create_table(submissions()).await?;
        manager.create_index(unique("submissions", &["episode_id", "sender_id"])).await?;
        manager.create_table(adjudications()).await?;
        manager.create_index(index("adjudications", &["episode_id"])).await?;
        manager.create_table(requests()).await?;
        manager.create_table(refusals()).await?;
        manager.create_index(unique("refusals", &["episode_id", "content_hash"])).await?;
        manager.create_index(index("refusals", &["patient_ref", "episode_ref"])).await
    }
}

/// Whose refusal it is, and how often it came. A body that was corrected may be refused anew.
struct Senders;

impl MigrationName for Senders {
    fn name(&self) -> &'static str {
        "m0003_intake_senders"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Senders {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            string("sender").default("").to_owned(),
            big_integer("times").default(1).to_owned(),
            timestamp_with_time_zone_null("last_received_at"),
        ] {
            manager.alter_table(Table::alter().table("refusals").add_column(column).to_owned()).await?;
        }
        for change in ONE_OPEN_REFUSAL {
            manager.get_connection().execute_unprepared(change).await?;
        }
        Ok(())
    }
}

const ONE_OPEN_REFUSAL: [&str; 2] = [
    "DROP INDEX refusals_episode_id_content_hash",
    "CREATE UNIQUE INDEX refusals_one_open ON refusals (episode_id, content_hash, sender) WHERE corrected_at IS NULL",
];

/// Which refusals share an alert.
struct Bursts;

impl MigrationName for Bursts {
    fn name(&self) -> &'static str {
        "m0004_intake_bursts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Bursts {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let under = Table::alter().table("refusals").add_column(uuid_null("told_under")).to_owned();
        manager.alter_table(under).await?;
        manager.create_index(index("refusals", &["sender", "received_at"])).await?;
        manager.create_index(index("refusals", &["episode_id", "received_at"])).await
    }
}

/// Whose pieces are there before their episode.
struct Ahead;

impl MigrationName for Ahead {
    fn name(&self) -> &'static str {
        "m0005_intake_ahead"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Ahead {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let ahead = Table::create()
            .table("ahead")
            .col(uuid("episode_id").primary_key())
            .col(timestamp_with_time_zone("begun_at"))
            .to_owned();
        manager.create_table(ahead).await
    }
}

fn episodes() -> TableCreateStatement {
    Table::create()
        .table("episodes")
        .col(uuid("id").primary_key())
        .col(string_null("patient_ref"))
        .col(string_null("episode_ref"))
        .col(json("blocks"))
        .col(json("surroundings"))
        .col(big_integer("version"))
        .col(string_null("imported_hash"))
        .col(timestamp_with_time_zone("created_at"))
        .to_owned()
}

fn submissions() -> TableCreateStatement {
    Table::create()
        .table("submissions")
        .col(uuid("id").primary_key())
        .col(uuid("episode_id"))
        .col(string("sender_id"))
        .col(json("body"))
        .col(string("content_hash"))
        .col(timestamp_with_time_zone("assessed_at"))
        .col(timestamp_with_time_zone_null("received_at"))
        .to_owned()
}

fn adjudications() -> TableCreateStatement {
    Table::create()
        .table("adjudications")
        .col(uuid("id").primary_key())
        .col(uuid("episode_id"))
        .col(json("body"))
        .col(timestamp_with_time_zone("at"))
        .to_owned()
}

fn requests() -> TableCreateStatement {
    Table::create()
        .table("requests")
        .col(string("scope"))
        .col(string("key"))
        .col(string("content_hash"))
        .col(uuid("answer"))
        .col(timestamp_with_time_zone("created_at"))
        .primary_key(Index::create().col("scope").col("key"))
        .to_owned()
}

fn refusals() -> TableCreateStatement {
    Table::create()
        .table("refusals")
        .col(uuid("id").primary_key())
        .col(uuid("episode_id"))
        .col(string_null("patient_ref"))
        .col(string_null("episode_ref"))
        .col(string_null("sender_id"))
        .col(string_null("key"))
        .col(binary("body"))
        .col(json("faults"))
        .col(string("content_hash"))
        .col(string_null("reason"))
        .col(timestamp_with_time_zone("received_at"))
        .col(timestamp_with_time_zone_null("corrected_at"))
        .to_owned()
}

fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(format!("{table}_{}", columns.join("_"))).table(table).to_owned();
    for column in columns {
        index.col(*column);
    }
    index
}

fn unique(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    index(table, columns).unique().to_owned()
}
