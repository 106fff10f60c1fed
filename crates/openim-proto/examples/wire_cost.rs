//! What the encodings cost: `cargo run --release -p openim-proto --example wire_cost`.
//!
//! Per wire: bytes of the frame, and nanoseconds to write and to read it (best of several rounds, so that what else the
//! machine does counts little), for a small request and for an answer with 100 messages.
#![allow(clippy::print_stdout, reason = "it prints figures")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use openim_proto::Message as _;
use openim_proto::envelope::{Request, Response};
use openim_proto::sdkws::{GetMaxSeqReq, MsgData, PullMessageBySeqsResp, PullMsgs};
use openim_proto::wire::{Wire, WireFormat};

const LIMIT: usize = 64 << 20;
const ROUNDS: u32 = 20;
const ROUND: Duration = Duration::from_millis(25);

fn message(seq: i64) -> MsgData {
    let random = |salt: u64| (seq as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_mul(salt);
    let id = |salt| format!("{:016x}{:016x}", random(salt), random(salt + 2));
    MsgData {
        send_id: "9182736450".into(),
        recv_id: "1029384756".into(),
        client_msg_id: id(1),
        server_msg_id: id(5),
        sender_platform_id: 7,
        sender_nickname: "Alice".into(),
        sender_face_url: "https://faces.example/alice.png".into(),
        session_type: 1,
        msg_from: 100,
        content_type: 101,
        content: format!(r#"{{"content":"a text of the usual length, number {seq}"}}"#).into_bytes(),
        seq,
        send_time: 1_795_564_853_776 + seq,
        create_time: 1_795_564_853_700 + seq,
        status: 2,
        ..MsgData::default()
    }
}

/// Nanoseconds of one call.
fn cost(mut call: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let (began, mut calls) = (Instant::now(), 0_u32);
        while began.elapsed() < ROUND {
            for _ in 0..16 {
                call();
            }
            calls += 16;
        }
        best = best.min(began.elapsed().as_nanos() as f64 / f64::from(calls));
    }
    best
}

fn main() {
    let request = Request {
        req_identifier: 1001,
        send_id: "9182736450".into(),
        operation_id: "0d0a2c7e2f6f4f3d9c1b7a5e3f2d1c0b".into(),
        msg_incr: "42".into(),
        data: GetMaxSeqReq { user_id: "9182736450".into() }.encode_to_vec(),
        ..Request::default()
    };
    let pulled = PullMsgs { msgs: (1..=100).map(message).collect(), is_end: true, ..PullMsgs::default() };
    let msgs = BTreeMap::from([("si_1029384756_9182736450".to_owned(), pulled)]);
    let response = Response {
        req_identifier: 1002,
        msg_incr: "43".into(),
        operation_id: "1d0a2c7e2f6f4f3d9c1b7a5e3f2d1c0b".into(),
        data: PullMessageBySeqsResp { msgs, ..PullMessageBySeqsResp::default() }.encode_to_vec(),
        ..Response::default()
    };
    println!("{:28} {:>8} {:>10} {:>10}", "", "bytes", "write ns", "read ns");
    for gzip in [false, true] {
        for format in [WireFormat::Json, WireFormat::Gob] {
            let wire = Wire { format, gzip };
            let name = format!("{format:?}{}", if gzip { " + gzip" } else { "" });
            let frame = wire.encode_request(&request);
            let write = cost(|| drop(black_box(wire.encode_request(black_box(&request)))));
            let read = cost(|| drop(black_box(wire.decode_request(black_box(&frame), LIMIT))));
            println!("{:28} {:>8} {write:>10.0} {read:>10.0}", format!("{name}, request"), frame.len());
            let frame = wire.encode_response(&response);
            let write = cost(|| drop(black_box(wire.encode_response(black_box(&response)))));
            let read = cost(|| drop(black_box(wire.decode_response(black_box(&frame), LIMIT))));
            println!("{:28} {:>8} {write:>10.0} {read:>10.0}", format!("{name}, 100 messages"), frame.len());
        }
    }
}
