//! Whose turn it is to change a schema, when several replicas bring it up to date at once.

use std::time::Duration;

use lasegue_contracts::Service;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, TransactionTrait};

use crate::store::{StoreError, fault};

/// How long a replica waits for another, and for whatever else holds a table that is to be changed: as long as it does, all
/// who want that table after it wait as well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// The turn is a lock on a table in the service's own schema, which no other role can take: of advisory locks everybody has
/// the numbers. Of two who make the table at once one is told that it is there.
const TABLE: &str = "DO $$ BEGIN \
                         IF to_regclass('migration_turn') IS NULL THEN CREATE TABLE migration_turn (); END IF; \
                     EXCEPTION WHEN unique_violation OR duplicate_table OR duplicate_object THEN NULL; END $$";
/// It lets a dump read the table meanwhile.
const TURN: &str = "LOCK TABLE migration_turn IN EXCLUSIVE MODE";

/// Waits for a turn. It ends with the transaction, so a replica that hangs in the middle loses it together with what it has
/// changed, as soon as the server gives up its session.
pub(super) async fn take(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let turn = db.begin().await?;
    turn.execute_unprepared(&format!("SET LOCAL lock_timeout = '{}s'", PATIENCE.as_secs())).await?;
    // A migration takes the time that it takes.
    turn.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
    turn.execute_unprepared(TABLE).await?;
    turn.execute_unprepared(TURN).await?;
    Ok(turn)
}

/// What `error` of a turn means for whoever started the migration.
pub(super) fn refusal(service: Service, error: DbErr) -> StoreError {
    if fault::is_lock_timeout(&error) { StoreError::Held { service } } else { error.into() }
}
