//! The store on real files: transactions of the shared writer, the lock, and the plans of the hot queries.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::Connection;

use super::{Database, DatabaseConfig, meta};
use crate::error::Error;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("openim-store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(name))
    }

    async fn open(&self) -> Result<Database, Error> {
        let config =
            DatabaseConfig { folder: Some(self.0.clone()), name: "alice.7.db".into(), reset_if_corrupt: false };
        tokio::task::spawn_blocking(move || Database::open(&config)).await.unwrap().map(|(database, _)| database)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn value(database: &Database, key: &'static str) -> Option<String> {
    database.read(move |connection| meta::get(connection, key)).await.unwrap()
}

#[tokio::test]
async fn a_job_that_fails_or_panics_takes_only_itself_back() {
    let folder = Folder::new();
    let database = folder.open().await.unwrap();
    let good = database.write(|connection| meta::set(connection, "good", "1"), |()| ());
    let bad = database.write(
        |connection| {
            meta::set(connection, "bad", "1")?;
            Err::<(), _>(Error::Internal("no".into()))
        },
        |()| (),
    );
    let worse = database.write(
        |connection| -> crate::error::Result<()> {
            meta::set(connection, "worse", "1")?;
            panic!("a defect")
        },
        |()| (),
    );
    let last = database.write(|connection| meta::set(connection, "last", "1"), |()| ());
    let (good, bad, worse, last) = tokio::join!(good, bad, worse, last);
    assert!(good.is_ok() && last.is_ok());
    assert_eq!(bad, Err(Error::Internal("no".into())));
    assert!(matches!(worse, Err(Error::Internal(_))));
    assert_eq!(value(&database, "good").await.as_deref(), Some("1"));
    assert_eq!(value(&database, "last").await.as_deref(), Some("1"));
    assert_eq!(value(&database, "bad").await, None);
    assert_eq!(value(&database, "worse").await, None);
    database.close().await;
}

#[tokio::test]
async fn a_file_has_one_owner_at_a_time_and_keeps_its_data() {
    let folder = Folder::new();
    let first = folder.open().await.unwrap();
    first.write(|connection| meta::set(connection, "key", "kept"), |()| ()).await.unwrap();
    assert!(matches!(folder.open().await, Err(Error::DbInUse { .. })));
    first.close().await;
    assert!(matches!(first.write(|_| Ok(()), |()| ()).await, Err(Error::LoggedOut)));
    let second = folder.open().await.unwrap();
    assert_eq!(value(&second, "key").await.as_deref(), Some("kept"));
    second.close().await;
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let folder = Folder::new();
    folder.open().await.unwrap().close().await;
    let file = folder.0.join("alice.7.db");
    Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(folder.open().await, Err(Error::DbTooNew { found: 99, known: 1, .. })));
    let found: i64 = Connection::open(&file).unwrap().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(found, 99);
}

#[test]
fn hot_queries_use_their_indexes() {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch(include_str!("migrations/001_first.sql")).unwrap();
    for (sql, index) in [
        (
            "SELECT id FROM conversations WHERE hidden = 0 ORDER BY is_pinned DESC, sort_time DESC, id LIMIT 9",
            "conversations_list",
        ),
        (
            "SELECT sum(unread_count) FROM conversations INDEXED BY conversations_unread WHERE unread_count > 0 AND hidden = 0 AND recv_msg_opt < 2",
            "conversations_unread",
        ),
        (
            "SELECT * FROM messages WHERE conversation = 1 AND (position, place) < (9, 0) AND position >= 1 AND status < 4 ORDER BY position DESC, place DESC LIMIT 9",
            "messages_order",
        ),
        (
            "SELECT id FROM messages WHERE conversation = 1 AND status < 4 ORDER BY position DESC, place DESC LIMIT 1",
            "messages_order",
        ),
        (
            "SELECT count(*) FROM messages WHERE conversation = 1 AND position BETWEEN 1 AND 9 AND counts_unread = 0 AND place = 0",
            "messages_uncounted",
        ),
        (
            "SELECT id FROM messages WHERE client_hash = 1 AND conversation = 1 AND client_msg_id = 'x'",
            "messages_client",
        ),
    ] {
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan: Vec<String> =
            statement.query_map([], |row| row.get(3)).unwrap().collect::<rusqlite::Result<_>>().unwrap();
        let plan = plan.join("; ");
        assert!(plan.contains(index), "{sql}: {plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{sql}: {plan}");
    }
}
