//! Opening a database file: folder, lock, damage, schema.

use std::ffi::{OsString, c_int, c_void};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Once;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::DatabaseConfig;
use crate::error::{Error, Result};

/// Numbered migrations; position + 1 is the schema number (`PRAGMA user_version`).
pub(super) const MIGRATIONS: [&str; 2] =
    [include_str!("migrations/001_first.sql"), include_str!("migrations/002_people.sql")];

/// What happened while opening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Opened {
    /// As usual.
    Normal,
    /// A damaged file was moved aside; this database is new.
    Reset {
        /// Where the damaged file is now.
        moved_to: PathBuf,
    },
}

pub(super) struct OpenFile {
    pub(super) connection: Connection,
    pub(super) path: Option<PathBuf>,
    pub(super) lock: Option<File>,
    pub(super) opened: Opened,
}

/// The file's name with a suffix, as SQLite names its companions.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

pub(super) fn open(config: &DatabaseConfig) -> Result<OpenFile> {
    configure_sqlite();
    let Some(folder) = &config.folder else {
        let mut connection = Connection::open_in_memory()?;
        migrate(&mut connection, Path::new(":memory:"))?;
        return Ok(OpenFile { connection, path: None, lock: None, opened: Opened::Normal });
    };
    ensure_folder(folder)?;
    let path = folder.join(&config.name);
    let lock = lock(&path)?;
    match connect(&path) {
        Ok(connection) => Ok(OpenFile { connection, path: Some(path), lock: Some(lock), opened: Opened::Normal }),
        Err(Error::DbCorrupt { .. }) if config.reset_if_corrupt => {
            let moved_to = move_aside(&path)?;
            let connection = connect(&path)?;
            Ok(OpenFile { connection, path: Some(path), lock: Some(lock), opened: Opened::Reset { moved_to } })
        }
        Err(error) => Err(error),
    }
}

/// Creates the folder and its parents; says why it cannot be used.
pub(crate) fn ensure_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)
        .map_err(|error| Error::DataDir { path: folder.to_owned(), reason: error.to_string() })
}

/// Memory statistics take a process-wide lock on every allocation: without them two readers run 1.3 times as fast. The
/// other two are what every connection sets aside when it is opened, 135 kB: with statements that stay prepared most of
/// it is never used.
fn configure_sqlite() {
    use rusqlite::ffi::{SQLITE_CONFIG_LOOKASIDE, SQLITE_CONFIG_MEMSTATUS, SQLITE_CONFIG_PAGECACHE, sqlite3_config};
    /// Small allocations that a connection has ready: bytes of the larger ones, and how many.
    const LOOKASIDE: (c_int, c_int) = (1200, 10);
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        #[allow(unsafe_code)]
        // SAFETY: called once, before the first connection of this crate, as sqlite3_config demands, each with the
        // arguments of its option; no memory is lent. If the host opened SQLite from the same copy earlier the calls are
        // refused and change nothing.
        unsafe {
            sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
            sqlite3_config(SQLITE_CONFIG_LOOKASIDE, LOOKASIDE.0, LOOKASIDE.1);
            // pages are allocated one by one
            sqlite3_config(SQLITE_CONFIG_PAGECACHE, std::ptr::null_mut::<c_void>(), 0, 0);
        }
    });
}

fn lock(path: &Path) -> Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(false)
        .open(beside(path, "-lock"))
        .map_err(|error| Error::DataDir { path: path.to_owned(), reason: error.to_string() })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::DbInUse { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(Error::DataDir { path: path.to_owned(), reason: error.to_string() }),
    }
}

fn connect(path: &Path) -> Result<Connection> {
    let damaged = |error: rusqlite::Error| match Error::from(error) {
        Error::DbCorrupt { reason, .. } => Error::DbCorrupt { path: path.to_owned(), reason },
        other => other,
    };
    // a log that was left behind means that the last owner did not close
    let unclean = std::fs::metadata(beside(path, "-wal")).is_ok_and(|meta| meta.len() > 0);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(damaged)?;
    prepare_writer(&connection).map_err(damaged)?;
    if unclean {
        let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(damaged)?;
        if verdict != "ok" {
            return Err(Error::DbCorrupt { path: path.to_owned(), reason: verdict });
        }
    }
    match migrate(&mut connection, path) {
        Err(Error::DbCorrupt { reason, .. }) => Err(Error::DbCorrupt { path: path.to_owned(), reason }),
        other => other,
    }?;
    Ok(connection)
}

fn prepare_writer(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = NORMAL;
         PRAGMA foreign_keys = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA wal_autocheckpoint = 0;",
    )?;
    Ok(())
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<()> {
    let known = MIGRATIONS.len() as i64;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(Error::DbTooNew { path: path.to_owned(), found, known });
    }
    for (number, sql) in (1..).zip(MIGRATIONS).skip(found.max(0) as usize) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    keep_statements(connection)?;
    Ok(())
}

/// Statements stay prepared. Without the stable planner SQLite compiles a statement again whenever a bound value might
/// suggest another plan, which makes small transactions five times slower.
pub(super) fn keep_statements(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(96);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Renames the damaged file and drops its companions, which describe it and nothing else.
fn move_aside(path: &Path) -> Result<PathBuf> {
    let failed = |error: std::io::Error| Error::DataDir { path: path.to_owned(), reason: error.to_string() };
    let target = (0..)
        .map(|number| beside(path, &format!(".damaged-{number}")))
        .find(|candidate| !candidate.exists())
        .unwrap_or_else(|| beside(path, ".damaged"));
    std::fs::rename(path, &target).map_err(failed)?;
    for suffix in ["-wal", "-shm"] {
        match std::fs::remove_file(beside(path, suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    Ok(target)
}
