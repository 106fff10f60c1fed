//! Opening and migrating the database.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, Result};

use crate::error::Error;

const MIGRATIONS: [&str; 2] = [include_str!("migrations/001_first.sql"), include_str!("migrations/002_people.sql")];

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::store::sql;

    /// A folder of its own, gone with the value.
    struct Folder(PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    /// What a server wrote that knew only so many migrations.
    fn folder_of(schema: usize, rows: &str) -> Folder {
        let folder =
            Folder(std::env::temp_dir().join(format!("openim-devserver-schema-{schema}-{}", std::process::id())));
        let _ = std::fs::remove_dir_all(&folder.0);
        std::fs::create_dir_all(&folder.0).unwrap();
        let db = Connection::open(folder.0.join(FILE_NAME)).unwrap();
        prepare(&db).unwrap();
        for migration in MIGRATIONS.iter().take(schema) {
            db.execute_batch(migration).unwrap();
        }
        db.execute_batch(&format!("PRAGMA user_version = {schema}; {rows}")).unwrap();
        folder
    }

    #[test]
    fn an_older_folder_is_brought_up_to_date_and_keeps_its_rows() {
        let rows = "INSERT INTO user VALUES (1, 'alice', 'Alice', '', '', 7, 0, 0);
                    INSERT INTO version_log VALUES (1, 'alice', x'000102030405060708090a0b', 3);";
        let folder = folder_of(1, rows);
        for _ in 0..2 {
            let (db, (users, friends, logs)) =
                open(Some(&folder.0), |db| Ok((sql::users(db)?, sql::friends(db)?, sql::version_logs(db)?))).unwrap();
            assert_eq!(users.iter().map(|row| row.info.user_id.as_str()).collect::<Vec<_>>(), ["alice"]);
            assert_eq!((friends.len(), logs.len()), (0, 1));
            let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
            assert_eq!(version, MIGRATIONS.len() as i64);
        }
    }
}
