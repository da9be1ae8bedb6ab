//! What a failure of the database means: whether the statement was at fault or the database, and whether a COMMIT that
//! failed may have been carried out all the same.

use sea_orm::sqlx::Error;
use sea_orm::sqlx::error::DatabaseError;
use sea_orm::sqlx::sqlite::SqliteError;
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The statement or its data: the database is well.
    Statement,
    /// Two units held what the other wanted: one of them was given up and may begin anew.
    Entangled,
    /// The database is away, full, read-only or damaged, and has said so: a COMMIT was not carried out.
    Away,
    /// Whether the database has carried out what it was sent is not known.
    Broken,
    /// The store was closed.
    Closed,
}

impl Fault {
    /// What `error` means.
    pub(super) fn of(error: &DbErr) -> Self {
        match error {
            DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) => Self::Closed,
            DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => Self::Away,
            DbErr::Conn(error) | DbErr::Exec(error) | DbErr::Query(error) => Self::of_driver(error),
            _ => Self::Statement,
        }
    }

    /// Whether the connection must not be used again.
    pub(super) fn is_grave(self) -> bool {
        matches!(self, Self::Away | Self::Broken)
    }

    fn of_driver(error: &RuntimeErr) -> Self {
        let RuntimeErr::SqlxError(error) = error else { return Self::Statement };
        match &**error {
            Error::Database(told) => Self::told(&**told),
            Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::WorkerCrashed => Self::Broken,
            Error::PoolTimedOut | Error::BeginFailed => Self::Away,
            Error::PoolClosed => Self::Closed,
            _ => Self::Statement,
        }
    }

    fn told(error: &dyn DatabaseError) -> Self {
        let code = error.code().unwrap_or_default();
        if error.try_downcast_ref::<SqliteError>().is_some() {
            Self::of_sqlite(code.parse().unwrap_or_default())
        } else {
            Self::of_postgres(&code)
        }
    }

    /// By SQLite's [result codes](https://sqlite.org/rescode.html): an extended code has the primary one in its low byte.
    fn of_sqlite(code: u32) -> Self {
        match code & 0xff {
            // IOERR: the end of a commit may be in the log already, where the next start would find it.
            10 => Self::Broken,
            // BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB.
            5..=9 | 11 | 13..=15 | 26 => Self::Away,
            _ => Self::Statement,
        }
    }

    /// By PostgreSQL's [SQLSTATE](https://www.postgresql.org/docs/current/errcodes-appendix.html).
    fn of_postgres(code: &str) -> Self {
        match code.get(..2).unwrap_or_default() {
            // The connection broke off, the server was shut down or failed inside.
            "08" | "XX" => Self::Broken,
            "57" if code.starts_with("57P") => Self::Broken,
            // The session was ended for being idle in the middle of a unit.
            "25" if code == "25P03" => Self::Broken,
            // It is a standby now: another server is the primary.
            "25" if code == "25006" => Self::Away,
            // Disk, memory or connections are used up; the system's own errors.
            "53" | "58" => Self::Away,
            // Serialization failures and deadlocks.
            "40" => Self::Entangled,
            _ => Self::Statement,
        }
    }
}

/// Whether SQLite found its file damaged (CORRUPT) or none of its own (NOTADB), or PostgreSQL damaged data or a damaged
/// index.
pub(super) fn is_damage(error: &DbErr) -> bool {
    let (DbErr::Conn(error) | DbErr::Exec(error) | DbErr::Query(error)) = error else { return false };
    let RuntimeErr::SqlxError(error) = error else { return false };
    let Error::Database(told) = &**error else { return false };
    let code = told.code().unwrap_or_default();
    if told.try_downcast_ref::<SqliteError>().is_none() {
        return matches!(&*code, "XX001" | "XX002");
    }
    matches!(code.parse().unwrap_or(0_u32) & 0xff, 11 | 26)
}

/// Whether PostgreSQL refused the role or its password.
pub(super) fn is_sign_in(error: &DbErr) -> bool {
    let DbErr::Conn(RuntimeErr::SqlxError(error)) = error else { return false };
    matches!(&**error, Error::Database(told) if told.code().is_some_and(|code| code.starts_with("28")))
}

/// Whether PostgreSQL has no connection left, for this role or for anybody.
pub(super) fn is_crowded(error: &Error) -> bool {
    matches!(error, Error::Database(told) if told.code().is_some_and(|code| code == "53300"))
}

/// Whether PostgreSQL gave up waiting for a lock, as it was told to.
pub(super) fn is_lock_timeout(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error else {
        return false;
    };
    matches!(&**error, Error::Database(told) if told.code().is_some_and(|code| code == "55P03"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_the_database_is_told_from_one_of_the_statement() {
        let sqlite = [(19, Fault::Statement), (13, Fault::Away), (1_032, Fault::Away), (4_874, Fault::Broken)];
        for (code, fault) in sqlite {
            assert_eq!(Fault::of_sqlite(code), fault, "{code}");
        }
        let postgres = [
            ("23505", Fault::Statement),
            ("25P02", Fault::Statement),
            ("25006", Fault::Away),
            ("53100", Fault::Away),
            ("57P01", Fault::Broken),
            ("57014", Fault::Statement),
            ("40P01", Fault::Entangled),
            ("", Fault::Statement),
        ];
        for (code, fault) in postgres {
            assert_eq!(Fault::of_postgres(code), fault, "{code}");
        }
    }
}
