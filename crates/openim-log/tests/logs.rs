//! Records from `tracing` to files, application and export.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use flate2::read::GzDecoder;
use openim_log::{Error, LogConfig, Logs};
use serde_json::{Value, json};

/// A folder of its own that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("openim-log-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.ends_with(".lock"))
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn config(value: Value) -> LogConfig {
    serde_json::from_value(value).unwrap()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line is a record")).collect()
}

fn read(path: &Path) -> Vec<Value> {
    lines(&std::fs::read_to_string(path).unwrap())
}

fn exported(path: &Path) -> Vec<Value> {
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    lines(&text)
}

macro_rules! own {
    ($level:ident, $($rest:tt)*) => { tracing::$level!(target: "openim_test", $($rest)*) };
}

#[test]
fn a_record_has_its_fields_and_those_of_the_spans_around_it() {
    let folder = Folder::new();
    let logs = Logs::default();
    let _default = tracing::subscriber::set_default(logs.subscriber());
    logs.configure(&config(json!({ "logDir": folder.0, "logLevel": "debug" })), None).unwrap();
    let client = tracing::error_span!(target: "openim_test", "client", user_id = "alice", platform_id = 7);
    client.in_scope(|| {
        let call = tracing::error_span!(target: "openim_test", "call", operation_id = "op-1", method = "login");
        call.in_scope(|| own!(warn, count = 3, ratio = 0.5, whole = true, text = "é\n", error = ?Some(1), "hello"));
        own!(debug, operation_id = "op-2", "request");
    });
    own!(info, "nobody's");
    own!(trace, "too fine");
    tracing::error!(target: "hyper", "of another crate");
    logs.flush(Duration::from_secs(10));

    let mut records = read(&folder.0.join("openim.log"));
    assert_eq!(records.len(), 3);
    for record in &mut records {
        let time = record["time"].take();
        assert_eq!(time.as_str().unwrap().len(), "2026-01-31T23:59:59.123Z".len());
    }
    let record = |level, message, user_id, platform_id, operation_id, fields: Value| {
        json!({
            "time": null, "level": level, "target": "openim_test", "message": message, "userID": user_id,
            "platformID": platform_id, "operationID": operation_id, "fields": fields,
        })
    };
    let fields =
        json!({ "method": "login", "count": 3, "ratio": 0.5, "whole": true, "text": "é\n", "error": "Some(1)" });
    assert_eq!(records[0], record("warn", "hello", "alice", 7, "op-1", fields));
    assert_eq!(records[1], record("debug", "request", "alice", 7, "op-2", json!({})));
    assert_eq!(records[2], record("info", "nobody's", "", 0, "", json!({})));
}

#[test]
fn files_are_bounded_in_size_and_number_and_keep_the_newest() {
    let folder = Folder::new();
    let logs = Logs::default();
    let _default = tracing::subscriber::set_default(logs.subscriber());
    let bounds = json!({ "logDir": folder.0, "maxFileBytes": 10_000, "maxFiles": 3 });
    logs.configure(&config(bounds), None).unwrap();
    for number in 0..1000 {
        own!(info, number, "line");
    }
    let export = exported(&logs.export(None).unwrap());
    logs.configure(&config(json!({ "logLevel": "off" })), None).unwrap();

    assert_eq!(folder.names(), ["openim-export.log.gz", "openim.1.log", "openim.2.log", "openim.log"]);
    let mut numbers = Vec::new();
    for name in ["openim.2.log", "openim.1.log", "openim.log"] {
        let path = folder.0.join(name);
        assert!(std::fs::metadata(&path).unwrap().len() <= 10_000);
        numbers.extend(read(&path).iter().map(|record| record["fields"]["number"].as_u64().unwrap()));
    }
    assert!(numbers.len() > 100);
    assert_eq!(numbers, (1000 - numbers.len() as u64..1000).collect::<Vec<_>>());

    let (end, kept) = export.split_last().unwrap();
    assert_eq!(end["message"], "exported");
    assert_eq!(kept.iter().map(|record| record["fields"]["number"].as_u64().unwrap()).collect::<Vec<_>>(), numbers);
}

#[test]
fn a_configuration_replaces_the_one_before_and_a_wrong_one_changes_nothing() {
    let (first, second) = (Folder::new(), Folder::new());
    let logs = Logs::default();
    let _default = tracing::subscriber::set_default(logs.subscriber());
    own!(error, "before any configuration");
    logs.configure(&config(json!({ "logDir": first.0 })), None).unwrap();
    own!(info, "one");
    for (wrong, field) in [
        (json!({ "logDir": "" }), "logDir"),
        (json!({ "logDir": first.0, "maxFileBytes": 1 }), "maxFileBytes"),
        (json!({ "logDir": first.0, "maxFiles": 0 }), "maxFiles"),
    ] {
        let error = logs.configure(&config(wrong), None).unwrap_err();
        assert!(matches!(error, Error::Setting { field: named, .. } if named == field));
    }
    std::fs::write(second.0.join("file"), "").unwrap();
    let not_a_folder = config(json!({ "logDir": second.0.join("file") }));
    assert!(matches!(logs.configure(&not_a_folder, None), Err(Error::Io { .. })));
    own!(info, "two");
    // another level and other bounds: the same files go on
    logs.configure(&config(json!({ "logDir": first.0, "logLevel": "error", "maxFiles": 1 })), None).unwrap();
    own!(info, "quiet");
    own!(error, "three");
    logs.configure(&config(json!({ "logDir": second.0 })), None).unwrap();
    own!(info, "elsewhere");
    logs.configure(&config(json!({ "logLevel": "off" })), None).unwrap();
    own!(error, "after all");
    assert!(matches!(logs.export(None), Err(Error::NoFolder)));

    let messages = |folder: &Folder| -> Vec<String> {
        let records = read(&folder.0.join("openim.log"));
        records.iter().map(|record| record["message"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(messages(&first), ["one", "two", "three"]);
    assert_eq!(messages(&second), ["elsewhere"]);
}

#[test]
fn a_folder_has_one_writer_and_a_later_one_goes_on() {
    let folder = Folder::new();
    let here = config(json!({ "logDir": folder.0 }));
    let (one, other) = (Logs::default(), Logs::default());
    one.configure(&here, None).unwrap();
    tracing::subscriber::with_default(one.subscriber(), || own!(info, "one"));
    let error = other.configure(&here, None).unwrap_err();
    assert!(error.to_string().starts_with("logDir is used by another process"), "{error}");
    drop(one);
    other.configure(&here, None).unwrap();
    tracing::subscriber::with_default(other.subscriber(), || own!(info, "other"));
    other.flush(Duration::from_secs(10));
    let records = read(&folder.0.join("openim.log"));
    assert_eq!(records.iter().map(|record| &record["message"]).collect::<Vec<_>>(), ["one", "other"]);
}

#[test]
fn the_application_takes_records_when_it_is_woken() {
    let logs = Logs::default();
    let _default = tracing::subscriber::set_default(logs.subscriber());
    let (woken, wakes) = std::sync::mpsc::channel();
    let wake: openim_log::Wake = Box::new(move || woken.send(()).is_ok());
    logs.configure(&config(json!({ "logLevel": "warn" })), Some(wake)).unwrap();
    own!(info, "too fine");
    assert!(wakes.try_recv().is_err());
    own!(warn, "one");
    own!(error, "two");
    wakes.recv().unwrap();
    let batch = lines(&logs.take().unwrap());
    assert_eq!(
        batch[0].as_array().unwrap().iter().map(|record| &record["message"]).collect::<Vec<_>>(),
        ["one", "two"]
    );
    assert_eq!(logs.take(), None);
    assert!(wakes.try_recv().is_err(), "woken once for both");
}

#[test]
fn an_export_goes_where_it_is_told_and_leaves_nothing_behind_when_it_fails() {
    let folder = Folder::new();
    let logs = Logs::default();
    let _default = tracing::subscriber::set_default(logs.subscriber());
    logs.configure(&config(json!({ "logDir": folder.0 })), None).unwrap();
    own!(info, text = "长".repeat(5000), "long");
    let path = folder.0.join("for support.gz");
    assert_eq!(logs.export(Some(&path)).unwrap(), path);
    let records = exported(&path);
    assert_eq!(records.len(), 2);
    assert!(records[0]["fields"]["text"].as_str().unwrap().len() < 4100, "texts are cut");

    assert!(matches!(logs.export(Some(&folder.0.join("no/such/folder.gz"))), Err(Error::Io { .. })));
    // a folder stands where the export should
    std::fs::create_dir(folder.0.join("taken")).unwrap();
    assert!(matches!(logs.export(Some(&folder.0.join("taken"))), Err(Error::Io { .. })));
    assert_eq!(folder.names(), ["for support.gz", "openim.log", "taken"]);
}
