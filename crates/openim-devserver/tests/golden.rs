//! Replays what the real server answered (`golden/*.json`): the rows that belong to what this server does so far, in
//! their order, each under the account that asked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::collections::HashMap;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use openim_devserver::{Config, DevServer};
use serde::Deserialize;
use serde_json::{Value, json};
use support::{Client, http};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    r#as: Option<String>,
    #[serde(rename = "operationID")]
    operation_id: Option<String>,
    #[serde(default)]
    headers: HashMap<String, String>,
    method: String,
    path: String,
    body: Option<Value>,
    raw_body: Option<String>,
    status: u16,
    answer: Option<Value>,
    text: Option<String>,
    #[serde(default)]
    compare: String,
}

/// Members whose values differ from run to run.
const VARYING: [&str; 10] = [
    "token",
    "createTime",
    "handleTime",
    "sendTime",
    "maxSeqTime",
    "versionID",
    "version",
    "serverMsgID",
    "clientMsgID",
    "serverTime",
];

/// Members that are maps, whose keys depend on what happened before.
const MAPS: [&str; 5] = ["seqs", "maxSeqs", "msgs", "notificationMsgs", "options"];

/// Members that the server of the captures has because of an account or option that it had.
const OPTIONAL: [&str; 3] = ["options", "maxSeqs", "seqs"];

/// How the refusal of a malformed body begins.
const MALFORMED: &str = "Error: Error: ";

/// How details begin that are some library's words and name no rule.
const WORDINGS: [&str; 5] = [
    "cache is not found",
    "unexpected EOF",
    "mongo: no documents in result",
    "bulk write exception: write errors: [E11000",
    "rpc error: code = Unimplemented",
];

/// Below this a time is in seconds, else in milliseconds.
const SECONDS: i64 = 100_000_000_000;

struct Replay {
    server: DevServer,
    tokens: HashMap<String, String>,
    known: (String, u64),
    /// Version ids of the captures and what they are here.
    version_ids: HashMap<String, String>,
    failures: Vec<String>,
}

impl Replay {
    /// A server on which the rows of auth.json have been replayed, as all others need.
    async fn start(group_read_receipt: bool) -> Self {
        let server = DevServer::start(Config { group_read_receipt, ..Config::default() }).await.unwrap();
        let mut replay = Self {
            server,
            tokens: HashMap::new(),
            known: Default::default(),
            version_ids: HashMap::new(),
            failures: Vec::new(),
        };
        replay.file(include_str!("golden/auth.json")).await;
        replay
    }

    async fn file(&mut self, text: &str) {
        let rows: Vec<Row> = serde_json::from_str(text).unwrap();
        assert!(!rows.is_empty());
        for row in rows {
            self.row(row).await;
        }
    }

    fn finish(self) {
        assert!(self.failures.is_empty(), "{} rows differ:\n{}", self.failures.len(), self.failures.join("\n"));
    }

    async fn row(&mut self, row: Row) {
        let mut headers = vec![("Content-Type", "application/json")];
        for (name, value) in &row.headers {
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            headers.push((name, value));
        }
        if let Some(operation_id) = &row.operation_id {
            headers.push(("operationID", operation_id));
        }
        let token = row.r#as.as_ref().map(|who| self.token(who));
        if let Some(token) = &token {
            headers.push(("token", token));
        }
        let body = self.body(&row);
        let answer = http(&self.server.addresses().api_addr, &row.method, &row.path, &headers, &body).await;
        let mut problems = Vec::new();
        if answer.status != row.status {
            problems.push(format!("status {} instead of {}", answer.status, row.status));
        }
        if let Some(text) = &row.text
            && answer.body.trim() != text.trim()
        {
            problems.push(format!("text {:?} instead of {text:?}", answer.body));
        }
        if let Some(expected) = &row.answer {
            let actual = serde_json::from_str(&answer.body).unwrap_or_else(|_| Value::String(answer.body.clone()));
            self.remember(&row, &actual);
            compare("", expected, &actual, row.compare == "shape", &mut problems);
            let version = |answer: &Value| answer["data"]["version"].clone();
            if row.compare == "versions" && version(expected) != version(&actual) {
                problems.push(format!(".data.version is {} instead of {}", version(&actual), version(expected)));
            }
        }
        if !problems.is_empty() {
            self.failures.push(format!("{} {}: {}\n    {}", row.path, row.name, problems.join("; "), answer.body));
        }
    }

    fn body(&self, row: &Row) -> Vec<u8> {
        if let Some(raw) = &row.raw_body {
            return raw.chars().map(|letter| letter as u8).collect();
        }
        let mut body = row.body.clone().unwrap_or_default();
        if body.is_null() {
            return Vec::new();
        }
        match body.get("token").and_then(Value::as_str) {
            Some("<token>") if row.name.contains("bad signature") => body["token"] = self.token("foreign").into(),
            Some("<token>") => body["token"] = self.token("alice").into(),
            _ => {}
        }
        if row.compare == "versions" {
            if let Some(version_id) = body["versionID"].as_str().and_then(|id| self.version_ids.get(id)) {
                body["versionID"] = version_id.clone().into();
            }
        } else if body["versionID"].as_str().is_some_and(|id| !id.is_empty()) {
            (body["versionID"], body["version"]) = (self.known.0.clone().into(), self.known.1.into());
        }
        body.to_string().into_bytes()
    }

    fn remember(&mut self, row: &Row, actual: &Value) {
        if let (Some(token), Some(body)) = (actual["data"]["token"].as_str(), &row.body) {
            let user = body["userID"].as_str().unwrap();
            let name = match (user, body["platformID"].as_i64()) {
                ("imAdmin", _) => "admin".to_owned(),
                ("erin", Some(5)) if self.tokens.contains_key("erin first") => "erin second".to_owned(),
                ("erin", Some(5)) => "erin first".to_owned(),
                ("erin", Some(2)) => "erin phone".to_owned(),
                ("erin", _) => return,
                _ => user.to_owned(),
            };
            self.tokens.insert(name.clone(), token.to_owned());
            if name.starts_with("erin") && name != "erin phone" {
                self.tokens.insert("erin".to_owned(), token.to_owned());
            }
        }
        let version_id = |answer: &Value| answer["data"]["versionID"].as_str().map(str::to_owned);
        if let (Some(captured), Some(here)) = (row.answer.as_ref().and_then(version_id), version_id(actual)) {
            self.version_ids.insert(captured, here);
        }
        if row.name.ends_with("first call") {
            let data = &actual["data"];
            self.known = (data["versionID"].as_str().unwrap().to_owned(), data["version"].as_u64().unwrap());
        }
    }

    fn token(&self, who: &str) -> String {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let sign = |secret: &str, algorithm, claims: Value| {
            jsonwebtoken::encode(&Header::new(algorithm), &claims, &EncodingKey::from_secret(secret.as_bytes()))
                .unwrap()
        };
        let claims =
            |platform: i32| json!({"UserID": "erin", "PlatformID": platform, "exp": now + 1000, "iat": now - 7});
        let with = |name: &str, value: u64| {
            let mut claims = claims(5);
            claims[name] = value.into();
            claims
        };
        match who {
            "empty" => String::new(),
            "malformed" => "not.a.token".into(),
            "expired" => sign("openIM123", Algorithm::HS256, with("exp", now - 1)),
            "nbf" => sign("openIM123", Algorithm::HS256, with("nbf", now + 500)),
            "iat" => sign("openIM123", Algorithm::HS256, with("iat", now + 500)),
            "unknown" => sign("openIM123", Algorithm::HS256, claims(5)),
            "platform1" => sign("openIM123", Algorithm::HS256, claims(1)),
            "foreign" => sign("another", Algorithm::HS256, claims(5)),
            "hs512" => sign("openIM123", Algorithm::HS512, claims(5)),
            who => self.tokens.get(who).unwrap_or_else(|| panic!("no token of {who}")).clone(),
        }
    }
}

fn compare(path: &str, expected: &Value, actual: &Value, shape: bool, problems: &mut Vec<String>) {
    let key = path.rsplit('.').next().unwrap();
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) if shape && MAPS.contains(&key) => {
            if let (Some(expected), Some(actual)) = (expected.values().next(), actual.values().next()) {
                compare(&format!("{path}.*"), expected, actual, shape, problems);
            }
        }
        (Value::Object(expected), Value::Object(actual)) => {
            for (key, value) in expected {
                let path = format!("{path}.{key}");
                match actual.get(key) {
                    Some(found) => compare(&path, value, found, shape, problems),
                    None if shape && OPTIONAL.contains(&key.as_str()) => {}
                    None => problems.push(format!("{path} is missing")),
                }
            }
            for key in actual.keys().filter(|key| !expected.contains_key(*key)) {
                if !(shape && OPTIONAL.contains(&key.as_str())) {
                    problems.push(format!("{path}.{key} is too much"));
                }
            }
        }
        (Value::Array(expected), Value::Array(actual)) if shape => {
            if actual.is_empty() {
                problems.push(format!("{path} is [], never null"));
            }
            if let (Some(expected), Some(actual)) = (expected.first(), actual.first()) {
                compare(&format!("{path}[]"), expected, actual, shape, problems);
            }
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            for (expected, actual) in expected.iter().zip(actual) {
                compare(&format!("{path}[]"), expected, actual, shape, problems);
            }
        }
        (Value::Null, _) | (_, Value::Null) if shape && path.starts_with(".data") => {}
        // the decoder's own words differ
        (Value::String(expected), Value::String(actual)) if expected.starts_with(MALFORMED) => {
            let fits = actual.starts_with(MALFORMED) && !actual.contains("stack");
            problems.extend((!fits).then(|| format!("{path} is {actual:?}")));
        }
        // texts that name no rule
        (Value::String(expected), Value::String(actual))
            if WORDINGS.iter().any(|wording| expected.starts_with(wording) && !actual.starts_with(wording)) => {}
        _ if path.starts_with(".data") && (shape || VARYING.contains(&key)) => {
            // seconds, milliseconds or never
            let size = |time: i64| [0, SECONDS].into_iter().filter(|limit| time > *limit).count();
            let same_unit = !key.ends_with("eTime") || expected.as_i64().map(size) == actual.as_i64().map(size);
            let same_kind = std::mem::discriminant(expected) == std::mem::discriminant(actual) && (shape || same_unit);
            problems.extend((!same_kind).then(|| format!("{path} is {actual} instead of {expected}")));
        }
        _ if path == ".data.expireTimeSeconds" && expected.as_i64() > Some(7_776_000) => {}
        _ if expected != actual && path != ".data.unreadCount" => {
            problems.push(format!("{path} is {actual} instead of {expected}"));
        }
        _ => {}
    }
}

/// The messages that the captures have in the chat of alice and bob: one that the server wrote, then six and three.
async fn chat(replay: &mut Replay) {
    let grace = replay.server.token("grace", 5).await.unwrap();
    replay.tokens.insert("grace".into(), grace);
    let server = &replay.server;
    let first =
        json!({"sendID": "bob", "recvID": "alice", "content": {"content": "0"}, "contentType": 101, "sessionType": 1});
    support::data(server, &replay.tokens["admin"], "/msg/send_msg", first).await;
    for (from, to, count) in [("alice", "bob", 6), ("bob", "alice", 3)] {
        let mut client = Client::open(server, from, 5, &replay.tokens[from], "").await;
        for number in 0..count {
            assert_eq!(client.send_text(to, &number.to_string()).await.err_code, 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_refused_and_given_as_captured() {
    Replay::start(false).await.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_bodies_and_users_are_answered_as_captured() {
    let mut replay = Replay::start(false).await;
    replay.file(include_str!("golden/transport.json")).await;
    replay.file(include_str!("golden/user.json")).await;
    replay.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_conversations_and_lists_are_answered_as_captured() {
    let mut replay = Replay::start(false).await;
    chat(&mut replay).await;
    replay.file(include_str!("golden/msg.json")).await;
    replay.file(include_str!("golden/conversation.json")).await;
    replay.file(include_str!("golden/jssdk.json")).await;
    replay.finish();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn friends_applications_and_black_lists_are_answered_as_captured() {
    let mut replay = Replay::start(false).await;
    replay.file(include_str!("golden/friend.json")).await;
    replay.finish();
}
