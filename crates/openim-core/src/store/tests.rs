//! The store on real files: transactions of the shared writer, the lock, and the plans of the hot queries.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::Connection;

use super::{Database, DatabaseConfig, Weight, meta};
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
        self.open_with(None).await
    }

    async fn open_with(&self, cache_budget: Option<u64>) -> Result<Database, Error> {
        let (folder, name) = (Some(self.0.clone()), "alice.7.db".into());
        let config = DatabaseConfig { folder, name, reset_if_corrupt: false, cache_budget };
        Database::open(config).await.map(|(database, _)| database)
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
    let good = database.write(Weight::Light, |connection| meta::set(connection, "good", "1"), |()| ());
    let bad = database.write(
        Weight::Light,
        |connection| {
            meta::set(connection, "bad", "1")?;
            Err::<(), _>(Error::Internal("no".into()))
        },
        |()| (),
    );
    let worse = database.write(
        Weight::Light,
        |connection| -> crate::error::Result<()> {
            meta::set(connection, "worse", "1")?;
            panic!("a defect")
        },
        |()| (),
    );
    let last = database.write(Weight::Light, |connection| meta::set(connection, "last", "1"), |()| ());
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
    first.write(Weight::Light, |connection| meta::set(connection, "key", "kept"), |()| ()).await.unwrap();
    assert!(matches!(folder.open().await, Err(Error::DbInUse { .. })));
    first.close().await;
    assert!(matches!(first.write(Weight::Light, |_| Ok(()), |()| ()).await, Err(Error::LoggedOut)));
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
    assert!(matches!(folder.open().await, Err(Error::DbTooNew { found: 99, known: 2, .. })));
    let found: i64 = Connection::open(&file).unwrap().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(found, 99);
}

#[test]
fn hot_queries_use_their_indexes() {
    let db = super::in_memory();
    for (sql, index) in [
        ("SELECT user_id FROM friends ORDER BY sort_index LIMIT 9", "friends_order"),
        (
            "SELECT to_user_id FROM friend_requests WHERE to_user_id = 'x' ORDER BY create_time DESC LIMIT 9",
            "friend_requests_received",
        ),
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

/// Most that the writer of a database may cache, KiB.
async fn writer_cache(database: &Database) -> i64 {
    let asked =
        |connection: &Connection| Ok(connection.query_row("PRAGMA cache_size", [], |row| row.get::<_, i64>(0))?);
    -database.write(Weight::Light, asked, |size| size).await.unwrap()
}

/// How many databases other tests have open at the same time is not known: a wish that is far above all others shows.
#[tokio::test]
async fn the_largest_wish_of_the_open_databases_is_shared_among_them() {
    const LARGE: u64 = 1 << 36;
    const USUAL: i64 = 16 << 10;
    let (one, other) = (Folder::new(), Folder::new());
    let modest = one.open().await.unwrap();
    assert!((64..=USUAL).contains(&writer_cache(&modest).await));
    let wishing = other.open_with(Some(LARGE)).await.unwrap();
    assert!(writer_cache(&wishing).await > USUAL);
    assert!(writer_cache(&modest).await > USUAL, "a database that was open before");
    wishing.close().await;
    assert!(writer_cache(&modest).await <= USUAL, "the wish goes with its client");
    modest.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_database_lets_go_and_works_on() {
    let folder = Folder::new();
    let database = folder.open().await.unwrap();
    for round in ["1", "2"] {
        let set = move |connection: &Connection| meta::set(connection, "round", round);
        database.write(Weight::Light, set, |()| ()).await.unwrap();
        assert_eq!(value(&database, "round").await.unwrap(), round);
        while database.readers.as_ref().unwrap().open_count() > 0 {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    }
    database.close().await;
}
