//! Opening and migrating the database.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, Result};

use crate::error::Error;

const MIGRATIONS: [&str; 1] = [include_str!("migrations/001_first.sql")];

/// Name of the database inside the folder.
const FILE_NAME: &str = "openim.db";

/// Opens, migrates and reads.
pub(super) fn open<T>(
    folder: Option<&Path>,
    load: impl FnOnce(&Connection) -> Result<T>,
) -> std::result::Result<(Connection, T), Error> {
    let Some(folder) = folder else {
        let db = Connection::open_in_memory()?;
        keep_statements(&db)?;
        migrate(&db, Path::new(":memory:"))?;
        let loaded = load(&db)?;
        return Ok((db, loaded));
    };
    let data_dir = |error: &dyn std::fmt::Display| Error::DataDir { path: folder.into(), reason: error.to_string() };
    std::fs::create_dir_all(folder).map_err(|error| data_dir(&error))?;
    let path = folder.join(FILE_NAME);
    let named = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Error::DatabaseDamaged { path: path.clone() },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::DatabaseInUse { path: path.clone() },
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::DiskFull) => {
            data_dir(&error)
        }
        _ => Error::Database(error),
    };
    let db = Connection::open(&path).map_err(&named)?;
    prepare(&db).map_err(&named)?;
    migrate(&db, &path).map_err(|error| if let Error::Database(error) = error { named(error) } else { error })?;
    let loaded = load(&db).map_err(&named)?;
    Ok((db, loaded))
}

/// One process owns the file (`EXCLUSIVE`), readers do not exist, and a killed process loses nothing that was committed.
fn prepare(db: &Connection) -> Result<()> {
    db.busy_timeout(std::time::Duration::ZERO)?;
    keep_statements(db)?;
    db.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE; COMMIT;",
    )
}

/// Statements stay prepared: without the stable planner SQLite compiles one again whenever a bound value might suggest
/// another plan.
fn keep_statements(db: &Connection) -> Result<()> {
    db.set_prepared_statement_cache_capacity(64);
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

fn migrate(db: &Connection, path: &Path) -> std::result::Result<(), Error> {
    let found: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = MIGRATIONS.len() as i64;
    if found > known || found < 0 {
        return Err(Error::DatabaseTooNew { path: PathBuf::from(path), found, known });
    }
    for (number, migration) in (1_i64..).zip(MIGRATIONS).filter(|(number, _)| *number > found) {
        db.execute_batch(&format!("BEGIN; {migration} PRAGMA user_version = {number}; COMMIT;"))?;
    }
    Ok(())
}
