//! Who is pinged when, and who is closed when (gateway.md 8.1), to the millisecond, on a clock that only tests move.
//! The cases are those of `golden/ws/heartbeat.jsonl`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::time::Duration;

use openim_devserver::{DevServer, Disturbance};
use openim_proto::constants::operation;
use openim_proto::sdkws::GetMaxSeqReq;
use serde_json::{Value, json};
use support::{Client, Ended, data, server};
use tokio_tungstenite::tungstenite::Message;

const WEB: i32 = 5;
const LINUX: i32 = 7;

/// Time stands still while this lives, but for what the test adds. Without it the paused runtime would jump to the next
/// timer whenever it has nothing to do, such as when it waits for the database's thread. The clock must be paused from
/// the start: timers count whole milliseconds from there.
struct StoppedClock {
    _held: std::sync::mpsc::Sender<()>,
}

impl StoppedClock {
    fn new() -> Self {
        let (held, released) = std::sync::mpsc::channel::<()>();
        // the clock does not jump while blocking work is under way
        tokio::task::spawn_blocking(move || released.recv());
        Self { _held: held }
    }

    async fn pass(&self, ms: u64) {
        tokio::time::advance(Duration::from_millis(ms)).await;
    }
}

struct House {
    server: DevServer,
    watcher: String,
}

impl House {
    async fn new() -> Self {
        let server = server().await;
        let watcher = server.token("watcher", 1).await.unwrap();
        Self { server, watcher }
    }

    /// Where alice is online, seen without touching her connection.
    async fn platforms(&self) -> Value {
        let asked = json!({"userID": "watcher", "userIDs": ["alice"]});
        data(&self.server, &self.watcher, "/user/get_users_status", asked).await["statusList"][0]["platformIDs"].clone()
    }

    async fn alice(&self, platform: i32) -> Client {
        let mut alice = Client::login(&self.server, "alice", platform).await;
        echo(&mut alice).await;
        alice
    }
}

/// A text ping and its pong: the server has read everything before, and its deadline begins anew.
async fn echo(client: &mut Client) {
    client.send_raw(Message::text(r#"{"type":"ping","body":"echo"}"#)).await;
    assert_eq!(client.next_message().await, Message::text(r#"{"type":"pong","body":"echo"}"#));
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_closed_after_thirty_seconds_on_any_platform() {
    for platform in [WEB, LINUX] {
        let clock = StoppedClock::new();
        let house = House::new().await;
        let mut alice = house.alice(platform).await;
        clock.pass(29_999).await;
        assert_eq!(house.platforms().await, json!([platform]));
        clock.pass(1).await;
        let (frames, end) = alice.ended().await;
        assert_eq!((frames, end), (vec![], Ended::Bare));
        assert_eq!(house.platforms().await, Value::Null);
        house.server.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_browser_is_pinged_every_twenty_seven_seconds_and_nobody_else() {
    let clock = StoppedClock::new();
    let house = House::new().await;
    let mut web = house.alice(WEB).await;
    for _ in 0..3 {
        clock.pass(26_999).await;
        echo(&mut web).await;
        clock.pass(1).await;
        assert_eq!(web.next_message().await, Message::Ping(Vec::new().into()));
    }
    let mut linux = house.alice(LINUX).await;
    for _ in 0..4 {
        clock.pass(27_000).await;
        echo(&mut linux).await;
    }
    house.server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn everything_that_arrives_renews_the_deadline() {
    let clock = StoppedClock::new();
    let house = House::new().await;
    let mut alice = house.alice(LINUX).await;
    // a ping of the client's own, every 24 s
    for _ in 0..3 {
        clock.pass(24_000).await;
        alice.send_raw(Message::Ping(b"1795564000000000".as_slice().into())).await;
        assert_eq!(alice.next_message().await, Message::Pong(b"1795564000000000".as_slice().into()));
    }
    // a text ping
    clock.pass(29_999).await;
    echo(&mut alice).await;
    // a request
    clock.pass(29_999).await;
    alice.request(operation::GET_NEWEST_SEQ, &GetMaxSeqReq { user_id: "alice".into() }).await;
    // pongs that nobody asked for, of both kinds
    for pong in [Message::Pong(Vec::new().into()), Message::text(r#"{"type":"pong"}"#)] {
        clock.pass(29_999).await;
        alice.send_raw(pong).await;
        assert_eq!(house.platforms().await, json!([LINUX]));
    }
    clock.pass(29_999).await;
    assert_eq!(house.platforms().await, json!([LINUX]));
    clock.pass(1).await;
    assert_eq!(alice.ended().await.1, Ended::Bare);
    house.server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_browser_that_answers_pings_stays() {
    let clock = StoppedClock::new();
    let house = House::new().await;
    let mut web = house.alice(WEB).await;
    for _ in 0..4 {
        clock.pass(27_000).await;
        // the library answers, and the answer leaves with the next write
        assert_eq!(web.next_message().await, Message::Ping(Vec::new().into()));
        web.flush().await;
        assert_eq!(house.platforms().await, json!([WEB]));
    }
    house.server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_stalled_connection_has_no_deadline_until_it_goes_on() {
    let clock = StoppedClock::new();
    let house = House::new().await;
    let mut alice = house.alice(LINUX).await;
    house.server.disturb(Some("alice"), None, Disturbance::Stall).unwrap();
    for _ in 0..4 {
        clock.pass(30_000).await;
        assert_eq!(house.platforms().await, json!([LINUX]));
    }
    house.server.disturb(Some("alice"), None, Disturbance::Resume).unwrap();
    echo(&mut alice).await;
    house.server.stop().await;
}
