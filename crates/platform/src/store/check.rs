//! Whether a SQLite file is whole: looked at before it is used, for a damaged page may not come up for months.

use std::path::Path;

use lasegue_contracts::Service;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

use super::StoreError;
use super::fault;

/// Nothing when `PRAGMA quick_check` finds nothing. It reads the whole file.
pub(super) async fn whole(service: Service, file: &Path, db: &DatabaseConnection) -> Result<(), StoreError> {
    let check = Statement::from_string(DbBackend::Sqlite, "PRAGMA quick_check(1)");
    let found = db.query_one_raw(check).await.map_err(|error| damaged_or(error, service, file))?;
    let what: String = found.map_or_else(|| Ok(String::new()), |row| row.try_get_by_index(0))?;
    if what == "ok" { Ok(()) } else { Err(damaged(service, file, what)) }
}

/// The sentence for a damaged file when `error` tells of one, `error` otherwise.
pub(super) fn damaged_or(error: DbErr, service: Service, file: &Path) -> StoreError {
    if fault::is_damage(&error) { damaged(service, file, error.to_string()) } else { error.into() }
}

fn damaged(service: Service, file: &Path, what: String) -> StoreError {
    StoreError::Damaged { service, file: file.to_owned(), what }
}
