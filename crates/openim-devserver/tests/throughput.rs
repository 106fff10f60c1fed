//! How many messages per second are accepted and fanned out: `cargo test --release -- --ignored --nocapture`. Senders,
//! receivers and server share the machine, so the server alone does better than this.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout)]

mod support;

use std::time::Instant;

use openim_devserver::{Config, DevServer};
use openim_proto::Message as _;
use openim_proto::constants::operation;
use support::{Client, text_message};

const PAIRS: usize = 10;
const MESSAGES: usize = 5000;
const WINDOW: usize = 64;

async fn run(config: Config) -> f64 {
    let server = DevServer::start(config).await.unwrap();
    let mut tasks = Vec::new();
    let mut pairs = Vec::new();
    for pair in 0..PAIRS {
        let (from, to) = (format!("a{pair}"), format!("b{pair}"));
        pairs.push((Client::login(&server, &from, 5).await, Client::login(&server, &to, 5).await));
    }
    let began = Instant::now();
    for (mut sender, mut receiver) in pairs {
        let message = text_message(&sender.user, &receiver.user, "a text of the usual length").encode_to_vec();
        tasks.push(tokio::spawn(async move {
            let mut outstanding = 0;
            for _ in 0..MESSAGES {
                sender.post(operation::SEND_MSG, message.clone()).await;
                outstanding += 1;
                while outstanding >= WINDOW {
                    outstanding -= usize::from(sender.next_frame().await.req_identifier == operation::SEND_MSG);
                }
            }
            while outstanding > 0 {
                outstanding -= usize::from(sender.next_frame().await.req_identifier == operation::SEND_MSG);
            }
        }));
        tasks.push(tokio::spawn(async move {
            for seq in 1..=MESSAGES {
                assert_eq!(receiver.next_push().await.1.seq, seq as i64);
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let rate = (PAIRS * MESSAGES) as f64 / began.elapsed().as_secs_f64();
    server.stop().await;
    rate
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn messages_per_second() {
    let memory = run(Config::default()).await;
    let folder = std::env::temp_dir().join(format!("openim-devserver-throughput-{}", std::process::id()));
    let disk = run(Config { data_dir: Some(folder.clone()), ..Config::default() }).await;
    std::fs::remove_dir_all(folder).unwrap();
    println!("{memory:.0} messages/s in memory, {disk:.0} messages/s on disk");
}
