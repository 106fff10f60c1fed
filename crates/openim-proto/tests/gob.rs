//! The gob form of envelopes: the annotated vectors of gateway.md 2.4, frames captured from a real server and real
//! clients, values written by Go's own encoder, and what no encoder writes.
//!
//! `golden/gob_frames.jsonl`: `dir`, `payload_base64` (one WebSocket message: a gzip member), `decoded` (what an independent
//! decoder made of it). `golden/gob_senders.jsonl`: `frame_base64` (what Go's `encoding/gob` made of a struct), `kind`
//! (request or response), and what the same package then read into a struct of the envelope's fields: `value`, or
//! `refused`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing test may panic")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openim_proto::envelope::{EnvelopeError, Request, Response, decompress};
use openim_proto::gob::GobError;
use openim_proto::wire::{Wire, WireFormat};
use proptest::prelude::*;
use serde_json::Value;

const REQUEST_DEFINITION: &str = "65 7F 03 01 01 0C 47656E6572616C5773526571 01 FF80 00 01 06 \
    01 0D 5265714964656E746966696572 01 04 00 01 05 546F6B656E 01 0C 00 01 06 53656E644944 01 0C 00 \
    01 0B 4F7065726174696F6E4944 01 0C 00 01 07 4D7367496E6372 01 0C 00 01 04 44617461 01 0A 00 00 00";

const RESPONSE_DEFINITION: &str = "5F 7F 03 01 01 04 52657370 01 FF80 00 01 06 \
    01 0D 5265714964656E746966696572 01 04 00 01 07 4D7367496E6372 01 0C 00 01 0B 4F7065726174696F6E4944 01 0C 00 \
    01 07 457272436F6465 01 04 00 01 06 4572724D7367 01 0C 00 01 04 44617461 01 0A 00 00 00";

/// Bytes of hexadecimal texts with blanks, one after another.
fn hex(texts: &[&str]) -> Vec<u8> {
    let digits: Vec<u8> = texts.concat().chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    assert_eq!(digits.len() % 2, 0, "odd number of digits");
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn bytes(row: &Value, key: &str) -> Vec<u8> {
    STANDARD.decode(row[key].as_str().unwrap()).unwrap()
}

fn text_of(object: &Value, key: &str) -> String {
    object[key].as_str().unwrap_or_default().to_owned()
}

fn refusal(frame: &[u8]) -> GobError {
    match Request::from_gob(frame) {
        Err(EnvelopeError::Gob(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_annotated_request_of_a_stock_client_is_read_and_written() {
    let frame = hex(&[
        REQUEST_DEFINITION,
        "33 FF80 01 FE07D2 02 02 7531 01 08 6F702D6C6F67696E 01 16 75315F31373935333131343333323939333237323832",
        "01 04 0A027531 00",
    ]);
    let request = Request {
        req_identifier: 1001,
        send_id: "u1".into(),
        operation_id: "op-login".into(),
        msg_incr: "u1_1795311433299327282".into(),
        data: vec![0x0a, 0x02, 0x75, 0x31],
        ..Request::default()
    };
    assert_eq!(frame.len(), 154);
    assert_eq!(Request::from_gob(&frame).unwrap(), request);
    assert_eq!(request.to_gob(), frame);
}

#[test]
fn the_annotated_responses_of_a_server_are_read_and_written() {
    let id =
        "01 FE07D2 01 16 75315F31373030303030303030303030303030303032 01 13 31373030303030303030303030303030303031";
    let answer = Response {
        req_identifier: 1001,
        msg_incr: "u1_1700000000000000002".into(),
        operation_id: "1700000000000000001".into(),
        data: hex(&["0A0C0A0873695F75315F75321007"]),
        ..Response::default()
    };
    let error = Response { err_code: 1001, err_msg: "ArgsError".into(), data: Vec::new(), ..answer.clone() };
    let kick = Response { req_identifier: 2002, ..Response::default() };
    for (response, value) in [
        (answer, hex(&["44 FF80", id, "03 0E 0A0C0A0873695F75315F75321007 00"])),
        (error, hex(&["43 FF80", id, "01 FE07D2 01 09 417267734572726F72 00"])),
        (kick, hex(&["07 FF80 01 FE0FA4 00"])),
    ] {
        let frame = [hex(&[RESPONSE_DEFINITION]), value].concat();
        assert_eq!(Response::from_gob(&frame).unwrap(), response);
        assert_eq!(response.to_gob(), frame);
    }
}

#[test]
fn lengths_from_128_take_several_bytes() {
    let request = Request { data: vec![0x78; 300], ..Request::default() };
    let frame = request.to_gob();
    // 2.4.6: the length of the message, its type, delta 6, the length of the data
    assert_eq!(frame[102..111], hex(&["FE 0133 FF80 06 FE 012C"]));
    assert_eq!(Request::from_gob(&frame).unwrap(), request);
}

#[test]
fn captured_frames_are_read_and_written_byte_for_byte() {
    let mut seen = (0, 0);
    for row in rows(include_str!("golden/gob_frames.jsonl")) {
        let (decoded, frame) = (&row["decoded"], decompress(&bytes(&row, "payload_base64"), 1 << 20).unwrap());
        let (number, msg_incr, operation_id, written) = if row["dir"] == "c2s" {
            seen.0 += 1;
            let request = Request::from_gob(&frame).unwrap();
            assert_eq!(request.send_id, text_of(decoded, "sendID"));
            let written = request.to_gob();
            (request.req_identifier, request.msg_incr, request.operation_id, written)
        } else {
            seen.1 += 1;
            let response = Response::from_gob(&frame).unwrap();
            assert_eq!(i64::from(response.err_code), decoded["errCode"]);
            assert_eq!(response.err_msg, text_of(decoded, "errMsg"));
            let written = response.to_gob();
            (response.req_identifier, response.msg_incr, response.operation_id, written)
        };
        assert_eq!(i64::from(number), decoded["reqIdentifier"]);
        assert_eq!((msg_incr, operation_id), (text_of(decoded, "msgIncr"), text_of(decoded, "operationID")));
        assert_eq!(written, frame, "{decoded}");
    }
    assert_eq!(seen, (5, 11));
}

#[test]
fn structs_of_any_sender_are_read_as_go_reads_them() {
    let mut seen = 0;
    for row in rows(include_str!("golden/gob_senders.jsonl")) {
        let frame = bytes(&row, "frame_base64");
        let read = if row["kind"] == "request" {
            Request::from_gob(&frame).map(|request| {
                let Request { req_identifier, token, send_id, operation_id, msg_incr, data } = request;
                serde_json::json!({"reqIdentifier": req_identifier, "token": token, "sendID": send_id,
                    "operationID": operation_id, "msgIncr": msg_incr, "data": to_hex(&data)})
            })
        } else {
            Response::from_gob(&frame).map(|response| {
                let Response { req_identifier, msg_incr, operation_id, err_code, err_msg, data } = response;
                serde_json::json!({"reqIdentifier": req_identifier, "msgIncr": msg_incr, "operationID": operation_id,
                    "errCode": err_code, "errMsg": err_msg, "data": to_hex(&data)})
            })
        };
        match read {
            Ok(read) => assert_eq!(&read, &row["value"], "{}", row["sender"]),
            Err(error) => assert_eq!(row["refused"], true, "{}: {error}", row["sender"]),
        }
        seen += 1;
    }
    assert_eq!(seen, 22);
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn what_follows_the_value_is_ignored_and_each_prefix_is_too_short() {
    let request = Request { req_identifier: 1001, send_id: "u1".into(), data: vec![7; 200], ..Request::default() };
    let mut frame = request.to_gob();
    for length in 0..frame.len() {
        assert_eq!(refusal(&frame[..length]), GobError::Truncated, "{length} bytes");
    }
    frame.extend(b"\xff anything");
    assert_eq!(Request::from_gob(&frame).unwrap(), request);
}

#[test]
fn a_damaged_stream_is_refused_with_what_is_wrong() {
    let definition = hex(&[REQUEST_DEFINITION]);
    let after = |value: &str| [definition.clone(), hex(&[value])].concat();
    for (frame, error) in [
        // a value without its definition
        (hex(&["07 FF80 01 FE0FA4 00"]), GobError::UnknownType(64)),
        (after("07 FF82 01 FE0FA4 00"), GobError::UnknownType(65)),
        // a bare integer
        (hex(&["05 04 00 FE07D2"]), GobError::NotAStruct),
        // field 6 of six
        (after("05 FF80 07 02 00"), GobError::UnknownField(6)),
        // deltas that add up to more than there are numbers
        (after("0F FF80 01 02 F8FFFFFFFFFFFFFFFF 00 00 00"), GobError::Number),
        // a number of nine bytes
        (after("0D FF80 01 F7010203040506070809 00"), GobError::Number),
        // 2^31
        (after("09 FF80 01 FB0100000000 00"), GobError::OutOfRange("ReqIdentifier")),
        (after("07 FF80 03 02 FFFE 00"), GobError::NotUtf8("SendID")),
        // a string of 2^64 - 1 bytes
        (after("0D FF80 02 F8FFFFFFFFFFFFFFFF 00 00"), GobError::Truncated),
        // the same type again
        ([definition.clone(), definition.clone()].concat(), GobError::Definition("repeated")),
        // id 2, which is int
        (hex(&["04 03 03 00 00"]), GobError::Definition("reserved id")),
        // a definition of no kind, of an unknown one, of two
        (hex(&["02 7F 00"]), GobError::Definition("no kind")),
        (hex(&["04 7F 08 00 00"]), GobError::Definition("unknown kind")),
        (hex(&["06 7F 01 00 01 00 00"]), GobError::Definition("two kinds")),
        // a struct whose one field is empty
        (hex(&["07 7F 03 02 01 00 00 00"]), GobError::Definition("a field without name or type")),
        // 2^56 fields
        (hex(&["0C 7F 03 02 F9 01000000000000 00 00"]), GobError::Truncated),
        (hex(&["04 7F 05 00 00 00"]), GobError::Truncated),
        (hex(&["05 7F 05 00 00 00"]), GobError::Definition("too long")),
    ] {
        assert_eq!(refusal(&frame), error, "{frame:02x?}");
    }
}

#[test]
fn an_interface_in_a_foreign_field_is_refused() {
    // Go's struct { Any any; ReqIdentifier int } with an int inside
    let frame = hex(&[
        "29 7F 03 01 01 02 5731 01 FF80 00 01 02 01 03 416E79 01 10 00 01 0D 5265714964656E746966696572 01 04 00 00 00",
        "0E FF80 01 03 696E74 04 02 00 0A 01 0E 00",
    ]);
    assert_eq!(refusal(&frame), GobError::Interface);
}

#[test]
fn deep_and_wide_values_are_refused_without_work() {
    // struct { Deep, SendID }, where Deep is a slice of itself
    let definitions = "1B 7F 03 02 02 01 04 44656570 01 FF82 00 01 06 53656E644944 01 0C 00 00 00 \
        08 FF81 02 02 FF82 00 00";
    let value = |deep: &str| {
        let mut value = hex(&["FF80 01", deep, "00"]);
        let length = u16::try_from(value.len()).unwrap().to_be_bytes();
        value.splice(0..0, [0xfe, length[0], length[1]]);
        [hex(&[definitions]), value].concat()
    };
    assert_eq!(refusal(&value(&"01".repeat(20_000))), GobError::TooDeep);
    assert_eq!(refusal(&value("F8 0FFFFFFFFFFFFFFF")), GobError::Truncated);
    let within = "01".repeat(99) + "00 01 02 7531";
    assert_eq!(Request::from_gob(&value(&within)).unwrap().send_id, "u1");
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "\\PC{1,40}", "[a-z0-9_]{100,300}"]
}

fn payloads() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![Just(Vec::new()), prop::collection::vec(any::<u8>(), 1..300), Just(vec![0x80; 70_000])]
}

prop_compose! {
    fn requests()(
        req_identifier in any::<i32>(), token in texts(), send_id in texts(), operation_id in texts(),
        msg_incr in texts(), data in payloads(),
    ) -> Request {
        Request { req_identifier, token, send_id, operation_id, msg_incr, data }
    }
}

prop_compose! {
    fn responses()(
        req_identifier in any::<i32>(), msg_incr in texts(), operation_id in texts(), err_code in any::<i32>(),
        err_msg in texts(), data in payloads(),
    ) -> Response {
        // an answer with an error has no payload in JSON
        let data = if err_code == 0 { data } else { Vec::new() };
        Response { req_identifier, msg_incr, operation_id, err_code, err_msg, data }
    }
}

fn wires() -> impl Strategy<Value = Wire> {
    (prop_oneof![Just(WireFormat::Json), Just(WireFormat::Gob)], any::<bool>())
        .prop_map(|(format, gzip)| Wire { format, gzip })
}

proptest! {
    #[test]
    fn every_envelope_survives_every_wire(wire in wires(), request in requests(), response in responses()) {
        let limit = 1 << 20;
        let frame = wire.encode_request(&request);
        prop_assert_eq!(wire.decode_request(&frame, limit).unwrap(), request);
        let frame = wire.encode_response(&response);
        prop_assert_eq!(wire.decode_response(&frame, limit).unwrap(), response);
    }
}

#[test]
fn a_wire_is_bound_by_its_limit_only_where_frames_grow() {
    let request = Request { data: vec![0; 100_000], ..Request::default() };
    let packed = Wire { format: WireFormat::Gob, gzip: true };
    let frame = packed.encode_request(&request);
    assert!(frame.len() < 10_000);
    assert!(matches!(packed.decode_request(&frame, 10_000), Err(EnvelopeError::TooLarge { limit: 10_000 })));
    let plain = Wire { gzip: false, ..packed };
    assert_eq!(plain.decode_request(&plain.encode_request(&request), 0).unwrap(), request);
}

#[test]
fn sdk_types_are_told_apart() {
    for (value, format) in [("", Some(WireFormat::Gob)), ("go", Some(WireFormat::Gob)), ("js", Some(WireFormat::Json))]
    {
        assert_eq!(WireFormat::from_sdk_type(value), format);
    }
    assert_eq!(WireFormat::from_sdk_type("Go"), None);
    assert_eq!((WireFormat::Json.sdk_type(), WireFormat::Gob.sdk_type()), ("js", "go"));
}
