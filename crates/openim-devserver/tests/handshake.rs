//! Opening a connection, and every way to be refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::StreamExt as _;
use jsonwebtoken::{EncodingKey, Header};
use openim_devserver::DevServer;
use openim_proto::constants::operation;
use openim_proto::sdkws::{GetMaxSeqReq, GetMaxSeqResp};
use serde_json::json;
use support::{Client, http, server, url};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

const CONN_ARGS: &str = "args err, need token, sendID, platformID";

/// The body of a refusal in plain HTTP.
async fn refusal(server: &DevServer, query: &str) -> String {
    let answer = support::refusal(server, query).await;
    assert_eq!(answer.status, 200, "{query}");
    assert!(answer.has_header("Content-Type: application/json; charset=utf-8"));
    answer.body
}

fn reply(code: i32, message: &str, detail: &str) -> String {
    format!(r#"{{"errCode":{code},"errMsg":"{message}","errDlt":"{detail}"}}"#)
}

#[tokio::test]
async fn wrong_parameters_are_refused_in_plain_http_even_with_is_msg_resp() {
    let server = server().await;
    let token = server.token("alice", 5).await.unwrap();
    let all = [
        ("sendID", "alice"),
        ("token", token.as_str()),
        ("platformID", "5"),
        ("operationID", "o"),
        ("isBackground", "false"),
        ("isMsgResp", "true"),
        ("sdkType", "js"),
    ];
    let with = |changed: &str, value: Option<&str>| {
        let pairs = all.iter().filter_map(|(key, default)| {
            let value = if *key == changed { value? } else { default };
            Some(format!("{key}={value}"))
        });
        pairs.collect::<Vec<_>>().join("&")
    };
    for (key, value, code, message, detail) in [
        ("sendID", None, 1602, CONN_ARGS, "sendID is empty"),
        ("token", None, 1602, CONN_ARGS, "token is empty"),
        ("operationID", None, 1602, CONN_ARGS, "operationID is empty"),
        ("platformID", None, 1602, CONN_ARGS, "platformID is not int"),
        ("platformID", Some("x"), 1602, CONN_ARGS, "platformID is not int"),
        ("platformID", Some("99"), 1602, CONN_ARGS, "platformID is invalid"),
        ("sdkType", Some("rust"), 1602, CONN_ARGS, "sdkType is invalid"),
        ("isMsgResp", Some("maybe"), 1602, CONN_ARGS, "isMsgResp is not bool"),
        ("isBackground", None, 500, "ServerInternalError", "invalid syntax"),
        ("isBackground", Some("maybe"), 500, "ServerInternalError", "invalid syntax"),
    ] {
        assert_eq!(refusal(&server, &with(key, value)).await, reply(code, message, detail), "{key}={value:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn bad_tokens_are_refused_in_the_form_that_was_asked_for() {
    let server = server().await;
    let alice = server.token("alice", 5).await.unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    // signed with the server's secret, but never issued
    let forged = |exp: u64, member: &str, value: u64| {
        let mut claims = json!({"UserID": "alice", "PlatformID": 5, "exp": exp, "iat": now - 7});
        claims[member] = value.into();
        jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(b"openIM123")).unwrap()
    };
    let expired = forged(now - 1, "iat", now - 100);
    let early = forged(now + 1000, "nbf", now + 500);
    let from_the_future = forged(now + 1000, "iat", now + 500);
    let unknown = forged(now + 1000, "iat", now - 8);
    let old = server.token("erin", 5).await.unwrap();
    let new = server.token("erin", 5).await.unwrap();
    assert_ne!(old, new);
    let other =
        DevServer::start(openim_devserver::Config { secret: "another".into(), ..Default::default() }).await.unwrap();
    let foreign = other.token("alice", 5).await.unwrap();
    other.stop().await;
    for (user, platform, token, code, message, detail) in [
        ("alice", 5, "not.a.token", 1503, "TokenMalformedError", ""),
        ("alice", 5, foreign.as_str(), 1505, "signature is invalid", ""),
        ("alice", 5, &expired, 1501, "TokenExpiredError", ""),
        ("alice", 5, &early, 1504, "TokenNotValidYetError", ""),
        ("alice", 5, &from_the_future, 1505, "token used before issued", ""),
        ("alice", 5, &unknown, 1507, "TokenNotExistError", ""),
        ("bob", 5, &alice, 1502, "TokenInvalidError", "token uid alice != userID bob"),
        ("alice", 7, &alice, 1502, "TokenInvalidError", "token platform 5 != platformID 7"),
        ("erin", 5, &old, 1506, "TokenKickedError", ""),
    ] {
        let query = url(&server, user, platform, token, "");
        let expected = reply(code, message, detail);
        assert_eq!(refusal(&server, query.split_once('?').unwrap().1).await, expected);
        // asked for a reply: the upgrade succeeds, one text frame tells, and the end is bare
        let (mut socket, _) = tokio_tungstenite::connect_async(query + "&isMsgResp=true").await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text(expected));
        assert!(!matches!(socket.next().await, Some(Ok(_))));
    }
    server.stop().await;
}

#[tokio::test]
async fn any_path_a_packed_v_escapes_and_the_compression_header_are_understood() {
    let server = server().await;
    let token = server.token("a_b", 5).await.unwrap();
    Client::open(&server, "a_b", 5, &token, "&isMsgResp=true").await;
    let ws = &server.addresses().ws_addr;
    let packed = json!({"token": token, "userID": "a_b", "platformID": 5, "operationID": "o", "sdkType": "js",
        "sendResponse": true, "background": false, "compression": ""});
    let packed = URL_SAFE_NO_PAD.encode(packed.to_string());
    let escaped = url(&server, "a%5Fb", 5, &token, "&isMsgResp=true").replace("/?", "/msg_gateway?");
    for url in [format!("{ws}/?v={packed}&sendID=ignored"), escaped] {
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text(reply(0, "", "")));
    }
    let mut client = Client::open(&server, "a_b", 5, &token, "&compression=gzip").await;
    let newest: GetMaxSeqResp = client.ask(operation::GET_NEWEST_SEQ, &GetMaxSeqReq { user_id: "a_b".into() }).await;
    assert!(newest.max_seqs.is_empty());
    let mut request = url(&server, "a_b", 5, &token, "&isMsgResp=true").into_client_request().unwrap();
    request.headers_mut().insert("compression", "gzip".parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    socket.next().await.unwrap().unwrap();
    let asked = openim_proto::envelope::Request {
        req_identifier: operation::GET_NEWEST_SEQ,
        send_id: "a_b".into(),
        data: openim_proto::Message::encode_to_vec(&GetMaxSeqReq { user_id: "a_b".into() }),
        ..Default::default()
    };
    use futures_util::SinkExt as _;
    socket.send(Message::binary(openim_proto::envelope::compress(&asked.to_json()))).await.unwrap();
    let answer = socket.next().await.unwrap().unwrap().into_data();
    assert!(answer.starts_with(&[0x1f, 0x8b]), "the answer is compressed too");
    server.stop().await;
}

#[tokio::test]
async fn a_get_that_does_not_upgrade_is_a_bad_request() {
    let server = server().await;
    let token = server.token("alice", 5).await.unwrap();
    let url = url(&server, "alice", 5, &token, "");
    let addr = server.addresses().ws_addr.replace("ws://", "http://");
    let answer = http(&addr, "GET", &format!("/?{}", url.split_once('?').unwrap().1), &[], b"").await;
    assert_eq!((answer.status, answer.body.as_str()), (400, "Bad Request\n"));
    assert!(answer.has_header("Sec-Websocket-Version: 13"));
    server.stop().await;
}
