//! Cases, alerts, pages, deliveries and the audit.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, integer, json, string, string_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid, uuid_null,
};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [cases(), alerts(), pages(), deliveries(), audit()] {
            manager.create_table(table).await?;
        }
        for index in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        Ok(())
    }
}

/// One active alert a key; the worklist; what a case holds; what has to be sent next, by lane.
const INDEXES: [&str; 5] = [
    "CREATE UNIQUE INDEX alerts_one_active ON alerts (case_id, subject) WHERE state <> 'closed'",
    "CREATE INDEX alerts_by_state ON alerts (state, opened_at, id)",
    "CREATE INDEX alerts_by_case ON alerts (case_id)",
    "CREATE INDEX deliveries_due ON deliveries (emergency, wake_at) WHERE wake_at IS NOT NULL",
    "CREATE INDEX audit_by_case ON audit (case_id, id)",
];

fn cases() -> TableCreateStatement {
    Table::create()
        .table("cases")
        .col(uuid("id").primary_key())
        .col(big_integer_null("revision"))
        .col(big_integer("version"))
        .col(json("corrected_early"))
        .to_owned()
}

fn alerts() -> TableCreateStatement {
    Table::create()
        .table("alerts")
        .col(uuid("id").primary_key())
        .col(uuid("case_id"))
        .col(string("subject"))
        .col(string("state"))
        .col(timestamp_with_time_zone("opened_at"))
        .col(json("body"))
        .to_owned()
}

fn pages() -> TableCreateStatement {
    Table::create()
        .table("pages")
        .col(uuid("id").primary_key())
        .col(uuid("case_id"))
        .col(big_integer("revision"))
        .col(string("contact"))
        .col(integer("attempts"))
        .to_owned()
}

fn deliveries() -> TableCreateStatement {
    Table::create()
        .table("deliveries")
        .col(uuid("id").primary_key())
        .col(uuid("page_id"))
        .col(uuid("case_id"))
        .col(string("contact"))
        .col(json("lines"))
        .col(boolean("emergency"))
        .col(string("state"))
        .col(integer("channel"))
        .col(timestamp_with_time_zone("channel_since"))
        .col(integer("attempts"))
        .col(boolean("possible_duplicate"))
        .col(boolean("recalled"))
        .col(uuid_null("owner"))
        .col(timestamp_with_time_zone_null("wake_at"))
        .col(string_null("cause"))
        .col(timestamp_with_time_zone("created_at"))
        .to_owned()
}

fn audit() -> TableCreateStatement {
    Table::create()
        .table("audit")
        .col(big_integer("id").auto_increment().primary_key())
        .col(uuid("case_id"))
        .col(uuid("alert_id"))
        .col(timestamp_with_time_zone("at"))
        .col(json("what"))
        .to_owned()
}
