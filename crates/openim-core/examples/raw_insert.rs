//! Raw insert rate of the message table: the measure that a full sync is held against (docs/performance.md, P1).
//!
//! `raw_insert DIR ROWS` fills a new database in DIR with ROWS messages over 1,000 conversations, as many rows in a
//! transaction as the inbound pipeline commits at once, and prints one JSON line.

use std::time::Instant;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, params};
use xxhash_rust::xxh3::xxh3_64;

const CONVERSATIONS: i64 = 1_000;
const ROWS_PER_TRANSACTION: i64 = 2_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(rows)) = (arguments.next(), arguments.next()) else {
        return Err("usage: raw_insert DIR ROWS".into());
    };
    let rows: i64 = rows.parse()?;
    std::fs::create_dir_all(&folder)?;
    let connection = Connection::open(std::path::Path::new(&folder).join("raw.db"))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 16000;",
    )?;
    connection.execute_batch(include_str!("../src/store/migrations/001_first.sql"))?;
    let started = Instant::now();
    let mut insert = connection.prepare(
        "INSERT INTO messages(conversation, position, place, client_hash, client_msg_id, server_msg_id, send_id, recv_id,
           group_id, sender_platform_id, sender_nickname, sender_face_url, session_type, msg_from, content_type, content,
           is_read, status, send_time, create_time, attached_info, offline_push, ex, local_ex, send_error, counts_unread)
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
           ?24, ?25, ?26)",
    )?;
    for row in 0..rows {
        if row % ROWS_PER_TRANSACTION == 0 {
            connection.execute_batch("BEGIN IMMEDIATE")?;
        }
        let client_msg_id = format!("{:032x}", row.wrapping_mul(0x1e37_79b9_7f4a_7c15));
        let sender = format!("peer_{}", row % CONVERSATIONS);
        insert.execute(params![
            row % CONVERSATIONS,
            row / CONVERSATIONS + 1,
            0,
            xxh3_64(client_msg_id.as_bytes()) as i64,
            client_msg_id,
            format!("{row:032x}"),
            sender,
            "alice",
            "",
            7,
            sender,
            "",
            1,
            100,
            101,
            format!(r#"{{"content":"{sender}, number {row}: 今天的天气很好, let us meet at the usual place."}}"#),
            false,
            2,
            1_700_000_000_000_i64 + row,
            1_700_000_000_000_i64 + row,
            "",
            "",
            "",
            "",
            "",
            true
        ])?;
        if row % ROWS_PER_TRANSACTION == ROWS_PER_TRANSACTION - 1 || row == rows - 1 {
            connection.execute_batch("COMMIT")?;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    #[allow(clippy::print_stdout)]
    {
        println!("{}", serde_json::json!({ "rows": rows, "rowsPerSec": (rows as f64 / seconds).round() }));
    }
    Ok(())
}
