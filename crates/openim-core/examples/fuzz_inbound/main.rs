//! Damaged frames for a whole client: socket, envelope, payload, rules, SQLite, events; docs/testing.md says how it is
//! used.
//!
//!     fuzz_inbound [--seconds N] [--seed N] [--case N]
//!
//! A case is one login at a gateway that answers and pushes what it likes: captured frames, made-up ones, and both
//! damaged. In between it pushes something sound, which the client must still tell its listeners. A panic, a record at
//! level `error` or a client that has fallen silent ends the program with exit code 1 and the arguments that repeat the
//! case. Timing differs from run to run, so a case may have to be repeated more than once.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a program for developers: it prints, and what it does not expect ends it"
)]

#[path = "../../../openim-proto/examples/fuzz/arguments.rs"]
#[allow(dead_code, reason = "there is one target here")]
mod arguments;
mod gateway;
mod listener;
#[path = "../../../openim-proto/examples/fuzz/mutation.rs"]
#[allow(dead_code, reason = "JSON is damaged inside messages only")]
mod mutation;
#[path = "../../../openim-proto/examples/fuzz/random.rs"]
mod random;
#[path = "../../../openim-proto/examples/fuzz/seeds.rs"]
#[allow(dead_code, reason = "frames are all that is needed here")]
mod seeds;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use arguments::Arguments;
use gateway::Gateway;
use listener::Listener;
use openim_core::{Client, Clock, Config, Done, Error, HistoryParams, LoginParams, Result, SendMessageParams};
use openim_proto::wire::{Wire, WireFormat};
use random::Random;
use seeds::Seeds;
use serde_json::json;

const USER: &str = "alice";
/// Pushes in a case, and in a part of it that ends with something sound.
const PUSHES: usize = 300;
const PART: usize = 30;

/// Panics and records at level `error` so far.
static DEFECTS: AtomicUsize = AtomicUsize::new(0);

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1), &[]) {
        Ok(arguments) => arguments,
        Err(reason) => {
            eprintln!("{reason}\nusage: fuzz_inbound [--seconds N] [--seed N] [--case N]");
            return ExitCode::from(2);
        }
    };
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        DEFECTS.fetch_add(1, Ordering::SeqCst);
        tell(panic);
    }));
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::ERROR)
        .with_writer(|| {
            DEFECTS.fetch_add(1, Ordering::SeqCst);
            std::io::stderr()
        })
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    if runtime.expect("a runtime starts").block_on(all(&arguments)) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn all(arguments: &Arguments) -> bool {
    let seeds = Arc::new(Seeds::load());
    println!("seed {}", arguments.seed);
    let (began, first) = (Instant::now(), arguments.case.unwrap_or(0));
    let mut number = first;
    loop {
        let outcome = case(Random::of_case(arguments.seed, number), &seeds).await;
        let defects = DEFECTS.load(Ordering::SeqCst);
        if outcome.is_err() || defects > 0 {
            let reason = outcome.err().unwrap_or_else(|| format!("{defects} defects"));
            println!("inbound: FAILED: {reason}; repeat it with --seed {} --case {number}", arguments.seed);
            return false;
        }
        number += 1;
        if arguments.case.is_some() || began.elapsed() >= arguments.time {
            break;
        }
    }
    let pushes = (number - first) as usize * PUSHES;
    println!("inbound: {pushes} pushes to {} logins in {:.1} s", number - first, began.elapsed().as_secs_f64());
    true
}

/// One login. The error is what did not hold.
async fn case(mut random: Random, seeds: &Arc<Seeds>) -> std::result::Result<(), String> {
    let format = if random.once_in(2) { WireFormat::Json } else { WireFormat::Gob };
    let wire = Wire { format, gzip: random.once_in(2) };
    let gateway = Gateway::start(wire, random.next(), seeds.clone()).await;
    let config = json!({
        "apiAddr": gateway.api_addr,
        "wsAddr": gateway.ws_addr,
        "platformID": 7,
        "dataDir": ":memory:",
        "wireFormat": if format == WireFormat::Json { "json" } else { "gob" },
        "compression": wire.gzip,
    });
    let config: Config = serde_json::from_value(config).expect("the configuration is right");
    let client = Client::open(config, Clock::system()).expect("a client opens");
    let mut listener = Listener::start(&client);
    let login = json!({"userID": USER, "token": "any", "waitUntil": "connected"});
    let login: LoginParams = serde_json::from_value(login).expect("the parameters are right");
    client.login(login).await.map_err(|error| format!("login: {error}"))?;
    for part in 0..PUSHES / PART {
        for _ in 0..PART {
            gateway.push_anything(&mut random).await;
        }
        listener.hears(&gateway, &format!("fence {part}")).await?;
        send(&client, &mut random);
        if part == PUSHES / PART / 2 {
            // what a connect compares and pulls finds conversations now
            client.network_status_changed().await.map_err(|error| error.to_string())?;
        }
    }
    queries(&client).await?;
    no_defect("close", client.close().await)?;
    Ok(())
}

/// Sends to somebody, without waiting, a message with an id that pushes use as well.
fn send(client: &Client, random: &mut Random) {
    let Ok(mut message) = client.create_text_message("from here".to_owned()) else { return };
    message.client_msg_id = gateway::message_id(random);
    let recv_id = random.pick(&["bob", "carol"]).to_string();
    let (group_id, is_online_only) = (String::new(), random.once_in(4));
    let params = SendMessageParams { recv_id, group_id, message, offline_push_info: None, is_online_only };
    tokio::spawn(client.send_message(params));
}

/// Whatever is stored by now can be read.
async fn queries(client: &Client) -> std::result::Result<(), String> {
    let conversations = no_defect("getAllConversationList", client.get_all_conversation_list().await)?;
    no_defect("getTotalUnreadMsgCount", client.get_total_unread_msg_count().await)?;
    for conversation in conversations.into_iter().flatten().take(8) {
        let page = |count| HistoryParams {
            conversation_id: conversation.conversation_id.clone(),
            start_client_msg_id: String::new(),
            count,
        };
        no_defect("getAdvancedHistoryMessageList", client.get_advanced_history_message_list(page(20)).await)?;
        let newer = client.get_advanced_history_message_list_reverse(page(20)).await;
        no_defect("getAdvancedHistoryMessageListReverse", newer)?;
        let read = client.mark_conversation_message_as_read(conversation.conversation_id.clone()).await;
        no_defect("markConversationMessageAsRead", read)?;
    }
    Ok(())
}

/// The value, or nothing where the gateway's nonsense is the reason. Defects of the client are errors.
fn no_defect<T>(call: &str, result: Result<Done<T>>) -> std::result::Result<Option<T>, String> {
    match result {
        Ok(done) => Ok(Some(done.value)),
        Err(Error::Server { .. } | Error::Protocol(_) | Error::Network(_) | Error::Timeout(_)) => Ok(None),
        Err(error) => Err(format!("{call}: {} {error}", error.code())),
    }
}
