//! Migrations: the tables that every service has, then the service's own.

mod m0003_dead_letter_actions;
mod m0010_access;
mod m0011_access_seals;
pub(super) mod turn;

use lasegue_contracts::Service;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, TransactionTrait};
use sea_orm_migration::MigratorTraitSelf;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, binary, boolean, integer, json, small_integer, string, text,
    timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
};

use super::StoreError;

/// A service's own migrations, oldest first. The platform's come before them.
#[derive(Clone, Copy, Debug)]
pub struct Migrations(pub fn() -> Vec<Box<dyn MigrationTrait>>);

impl Migrations {
    /// No tables but the platform's: for tests of the platform itself.
    pub const NONE: Self = Self(Vec::new);

    pub(super) async fn settle(
        self,
        service: Service,
        db: &DatabaseConnection,
        migrate: bool,
    ) -> Result<(), StoreError> {
        if migrate {
            return self.catch_up(service, db).await;
        }
        let pending = self.pending(db).await?;
        if pending == 0 { Ok(()) } else { Err(StoreError::Pending { service, pending }) }
    }

    pub(super) async fn pending(&self, db: &DatabaseConnection) -> Result<usize, DbErr> {
        Ok(self.get_pending_migrations_read_only(db).await?.len())
    }

    async fn catch_up(self, service: Service, db: &DatabaseConnection) -> Result<(), StoreError> {
        let pending = self.pending(db).await?;
        if pending == 0 {
            return Ok(());
        }
        if db.get_database_backend() == DbBackend::Postgres {
            self.take_turns(db).await.map_err(|error| turn::refusal(service, error))?;
        } else {
            // One process alone has the file, and it may be killed: each migration is there with its entry, or not at all.
            for _ in 0..pending {
                let one = db.begin().await?;
                self.up(&one, Some(1)).await?;
                one.commit().await?;
            }
        }
        tracing::info!(%service, migrations = pending, "the database was brought up to date");
        Ok(())
    }

    /// Applies what is pending, each migration in the transaction that has the turn: whoever has it next sees what was done.
    async fn take_turns(self, db: &DatabaseConnection) -> Result<(), DbErr> {
        while self.pending(db).await? > 0 {
            let turn = turn::take(db).await?;
            self.up(&turn, Some(1)).await?;
            turn.commit().await?;
        }
        Ok(())
    }
}

impl MigratorTraitSelf for Migrations {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        let mut all: Vec<Box<dyn MigrationTrait>> = vec![
            Box::new(PlatformTables),
            Box::new(InboxPlaces),
            Box::new(m0003_dead_letter_actions::Migration),
            Box::new(ProbeRow),
            Box::new(OutboxLeases),
            Box::new(Handed),
            Box::new(OutboxProofs),
            Box::new(OutboxRefusals),
            Box::new(OutboxHanded),
            Box::new(m0010_access::Migration),
            Box::new(m0011_access_seals::Migration),
        ];
        all.extend((self.0)());
        all
    }
}

struct PlatformTables;

impl MigrationName for PlatformTables {
    fn name(&self) -> &'static str {
        "m0001_platform_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for PlatformTables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(outbox()).await?;
        let owed = "CREATE INDEX outbox_owed ON outbox (class, id) WHERE published_at IS NULL";
        manager.get_connection().execute_unprepared(owed).await?;
        manager.create_index(index("outbox", "published_at")).await?;
        manager.create_table(streams()).await?;
        manager.create_table(inbox()).await?;
        manager.create_index(index("inbox", "handled_at")).await?;
        manager.create_table(timers()).await?;
        manager.create_index(index("timers", "due_at")).await?;
        manager.create_table(dead_letters()).await
    }
}

struct InboxPlaces;

impl MigrationName for InboxPlaces {
    fn name(&self) -> &'static str {
        "m0002_inbox_places"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for InboxPlaces {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::alter().table("inbox").add_column(big_integer_null("place")).to_owned();
        manager.alter_table(table).await?;
        let places = "CREATE INDEX inbox_places ON inbox (consumer, place) WHERE place IS NOT NULL";
        manager.get_connection().execute_unprepared(places).await.map(drop)
    }
}

struct ProbeRow;

impl MigrationName for ProbeRow {
    fn name(&self) -> &'static str {
        "m0004_probe"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for ProbeRow {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("probe")
            .col(integer("id").primary_key())
            .col(timestamp_with_time_zone("written_at"))
            .to_owned();
        manager.create_table(table).await
    }
}

struct OutboxLeases;

impl MigrationName for OutboxLeases {
    fn name(&self) -> &'static str {
        "m0005_outbox_leases"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for OutboxLeases {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [boolean("again").default(false).to_owned(), timestamp_with_time_zone_null("taken_until")] {
            manager.alter_table(Table::alter().table("outbox").add_column(column).to_owned()).await?;
        }
        for statement in [
            "DROP INDEX outbox_owed",
            "CREATE INDEX outbox_owed ON outbox (again, class, id) WHERE published_at IS NULL",
            "CREATE INDEX outbox_places ON outbox (class, sequence) WHERE sequence IS NOT NULL",
        ] {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

struct Handed;

impl MigrationName for Handed {
    fn name(&self) -> &'static str {
        "m0006_handed"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Handed {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let handed = timestamp_with_time_zone_null("handed_at");
        manager.alter_table(Table::alter().table("outbox").add_column(handed).to_owned()).await?;
        let unheard = "CREATE INDEX outbox_unheard ON outbox (id) WHERE published_at IS NULL AND handed_at IS NULL";
        manager.get_connection().execute_unprepared(unheard).await.map(drop)
    }
}

struct OutboxProofs;

impl MigrationName for OutboxProofs {
    fn name(&self) -> &'static str {
        "m0007_outbox_proofs"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for OutboxProofs {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let proved_at = timestamp_with_time_zone_null("proved_at");
        manager.alter_table(Table::alter().table("outbox").add_column(proved_at).to_owned()).await?;
        for statement in [
            "CREATE INDEX outbox_proved_at ON outbox (proved_at) WHERE proved_at IS NOT NULL",
            "CREATE INDEX outbox_unproved ON outbox (id) WHERE published_at IS NOT NULL AND proved_at IS NULL",
        ] {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

struct OutboxRefusals;

impl MigrationName for OutboxRefusals {
    fn name(&self) -> &'static str {
        "m0008_outbox_refusals"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for OutboxRefusals {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let refused_at = timestamp_with_time_zone_null("refused_at");
        manager.alter_table(Table::alter().table("outbox").add_column(refused_at).to_owned()).await?;
        for statement in [
            "DROP INDEX outbox_owed",
            "CREATE INDEX outbox_owed ON outbox (again, class, id) WHERE published_at IS NULL AND refused_at IS NULL",
            "CREATE INDEX outbox_refused ON outbox (refused_at) WHERE refused_at IS NOT NULL",
        ] {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

struct OutboxHanded;

impl MigrationName for OutboxHanded {
    fn name(&self) -> &'static str {
        "m0009_outbox_handed"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for OutboxHanded {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let owed = "published_at IS NULL AND refused_at IS NULL";
        for statement in [
            "DROP INDEX outbox_owed".to_owned(),
            format!("CREATE INDEX outbox_owed ON outbox (again, class, id) WHERE {owed} AND handed_at IS NULL"),
            format!("CREATE INDEX outbox_handed ON outbox (class, id) WHERE {owed} AND handed_at IS NOT NULL"),
        ] {
            manager.get_connection().execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}

fn outbox() -> TableCreateStatement {
    Table::create()
        .table("outbox")
        .col(big_integer("id").auto_increment().primary_key())
        .col(uuid("event_id").unique_key())
        .col(string("event_type"))
        .col(string("subject"))
        .col(small_integer("class"))
        .col(string("trace_parent"))
        .col(binary("payload"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("published_at"))
        .col(big_integer_null("sequence"))
        .to_owned()
}

fn streams() -> TableCreateStatement {
    Table::create().table("streams").col(string("name").primary_key()).col(string("created_nanos")).to_owned()
}

fn inbox() -> TableCreateStatement {
    Table::create()
        .table("inbox")
        .col(string("consumer"))
        .col(uuid("event_id"))
        .col(timestamp_with_time_zone("handled_at"))
        .primary_key(Index::create().col("consumer").col("event_id"))
        .to_owned()
}

fn timers() -> TableCreateStatement {
    Table::create()
        .table("timers")
        .col(string("kind"))
        .col(string("key"))
        .col(timestamp_with_time_zone("due_at"))
        .primary_key(Index::create().col("kind").col("key"))
        .to_owned()
}

fn dead_letters() -> TableCreateStatement {
    Table::create()
        .table("dead_letters")
        .col(uuid("id").primary_key())
        .col(string("consumer"))
        .col(string("subject"))
        .col(json("headers"))
        .col(binary("payload"))
        .col(text("reason"))
        .col(timestamp_with_time_zone("created_at"))
        .to_owned()
}

fn index(table: &'static str, column: &'static str) -> IndexCreateStatement {
    Index::create().name(format!("{table}_{column}")).table(table).col(column).to_owned()
}
