//! Files that are written from what this crate knows: `js/types.d.ts`, `js/keyless.js`, `js/refusals.js` and
//! `docs/errors.md`. The tests compare; with `UPDATE_GENERATED=1` (`cargo xtask gen`) they write.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use openim_core::model::{
    AdvancedHistoryMessages, AttachedInfoElem, Black, Body, ConnectionStatus, Conversation, Friend, FriendApplication,
    Friendship, GroupHasReadInfo, KEYS, Message, MessageSendState, OfflinePush, PublicUserInfo, Receipt, SelfUserInfo,
    SendError, Stats, SyncStatus, UserOnlineState,
};
use openim_core::{Error, Retry, SITUATIONS};
use openim_proto::constants::content_type;
use openim_proto::content;
use ts_rs::{Config, TS};

fn compare(path: &str, expected: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(&file, expected).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == expected, "{path} is not what the code says");
}

/// `export type …` with the doc comment of the Rust type, one member a line.
fn declare<T: TS>(out: &mut String, config: &Config) {
    let docs = comment(&T::docs().unwrap_or_default());
    let declaration = T::decl(config);
    let Some((head, members)) = declaration.split_once("{ \n") else {
        let _ = write!(out, "\n{docs}\nexport {declaration}\n");
        return;
    };
    let _ = write!(out, "\n{docs}\nexport {head}{{\n");
    for member in members.trim_end_matches("};").split("/**\n").skip(1) {
        let (text, field) = member.split_once("*/\n").expect("every member has a doc comment");
        let field = field.trim().trim_end_matches(',').replace('"', "'");
        let _ = write!(out, "  {}\n  {field};\n", comment(text));
    }
    out.push_str("};\n");
}

/// A doc comment in one line.
fn comment(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| !matches!(*word, "/**" | "*" | "*/"));
    format!("/** {} */", words.collect::<Vec<_>>().join(" "))
}

#[test]
fn the_payload_types() {
    let config = Config::new().with_large_int("number");
    let mut out = String::from("// Generated from the Rust structs by `cargo xtask gen`; not to be edited.\n");
    macro_rules! types {
        ($($kind:ty),* $(,)?) => { $(declare::<$kind>(&mut out, &config);)* };
    }
    types![
        content::TextElem,
        content::PictureBaseInfo,
        content::PictureElem,
        content::SoundElem,
        content::VideoElem,
        content::FileElem,
        content::AtUserInfo,
        content::AtTextElem,
        content::MergeElem,
        content::MessageEntity,
        content::CardElem,
        content::LocationElem,
        content::CustomElem,
        content::QuoteElem,
        content::FaceElem,
        content::AdvancedTextElem,
        content::MarkdownTextElem,
        content::TypingElem,
        content::NotificationElem,
        OfflinePush,
        GroupHasReadInfo,
        AttachedInfoElem,
        SendError,
        Message,
    ];
    out.push_str(&message_union());
    types![
        MessageSendState,
        AdvancedHistoryMessages,
        Conversation,
        SelfUserInfo,
        PublicUserInfo,
        UserOnlineState,
        Friend,
        Friendship,
        FriendApplication,
        Black,
        Receipt,
        ConnectionStatus,
        SyncStatus,
        Stats,
    ];
    compare("js/types.d.ts", &out);
}

/// The union that narrows on `contentType`: which element a content type has is asked of the code itself.
fn message_union() -> String {
    let mut members: BTreeMap<String, Vec<i32>> = BTreeMap::new();
    for &number in content_type::ALL {
        let body = serde_json::to_value(Body::from_content(number, "{}".to_owned())).unwrap();
        let key = body.as_object().unwrap().keys().next().unwrap().clone();
        members.entry(key).or_default().push(number);
    }
    let mut lines: Vec<(i32, String)> = members
        .into_iter()
        .map(|(key, numbers)| {
            let kind = if key == "content" {
                "string".to_owned()
            } else {
                let (first, rest) = key.split_at(1);
                format!("{}{rest}", first.to_uppercase())
            };
            let literals = numbers.iter().map(i32::to_string).collect::<Vec<_>>().join(" | ");
            (numbers[0], format!("  | {{ contentType: {literals}; {key}: {kind} }}"))
        })
        .collect();
    lines.sort();
    let lines: Vec<_> = lines.into_iter().map(|(_, line)| line).collect();
    format!(
        "\n/**\n * A message. `contentType` tells which element it has; a number that this version does not know keeps its\n \
         * text in `content` and is recognised by `isUnknownMessage`.\n */\nexport type MessageItem = MessageBase & (\n{}\n);\n",
        lines.join("\n")
    )
}

/// What gives the values of a message their names again.
#[test]
fn the_keys_of_messages() {
    let mut out = String::from(
        "// Generated from the Rust struct by `cargo xtask gen`; not to be edited.\n'use strict';\n\n/** The message of a \
         list of values: in events they cross without their names, which takes a third of the time. */\n\
         function messageOf(values) {\n  const message = {\n",
    );
    for (at, key) in KEYS.iter().enumerate() {
        let _ = match *key {
            "attachedInfoElem" => writeln!(out, "    {key}: values[{at}] ?? {},", attached_info_elem()),
            _ => writeln!(out, "    {key}: values[{at}],"),
        };
    }
    let _ = write!(
        out,
        "  }};\n  const element = values[{}];\n  for (const name in element) message[name] = element[name];\n  \
         return message;\n}}\n\nmodule.exports = {{ messageOf }};\n",
        KEYS.len()
    );
    compare("js/keyless.js", &out);
}

/// A literal of the default.
fn attached_info_elem() -> String {
    let members = serde_json::to_string(&AttachedInfoElem::default()).unwrap();
    members.replace('"', "").replace('{', "{ ").replace('}', " }").replace(':', ": ").replace(',', ", ")
}

#[test]
fn the_error_glossary() {
    let mut out = String::from(
        "# Errors\n\n<!-- Generated by `cargo xtask gen`; not to be edited. -->\n\nEvery rejected call is an `OpenIMError` with \
         `code`, `errCode`, `errMsg`, `operationID`, `retryable`, and for wrong\nparameters `field`. `code` is stable. \
         `errCode` below 10000 is the server's number; a refusal keeps the server's own number even\nwhere several share \
         one `code`.\n\n| code | errCode | retry | meaning |\n| --- | --- | --- | --- |\n",
    );
    for row in SITUATIONS {
        let retry = match row.retry {
            Retry::Network => "when the network is back",
            Retry::Transient => "after a while",
            _ => "no",
        };
        let _ = writeln!(out, "| `{}` | {} | {retry} | {} |", row.code, row.err_code, row.meaning);
    }
    compare("docs/errors.md", &out);
}

/// What JavaScript that speaks to the REST API itself calls a refusal.
#[test]
fn the_names_of_refusals() {
    let mut out = String::from(
        "// Generated from the error table by `cargo xtask gen`; not to be edited.\n'use strict';\n\n/** Name of a refusal \
         by its number, and whether the same call can succeed later; others are `OPENIM_SERVER`. */\n\
         module.exports = {\n",
    );
    let other = Error::server(0, "", "");
    for number in 1..10_000 {
        let refusal = Error::server(number, "", "");
        if refusal.code() != other.code() {
            let retryable = refusal.retry() != Retry::Permanent;
            let _ = writeln!(out, "  {number}: {{ code: '{}', retryable: {retryable} }},", refusal.code());
        }
    }
    out.push_str("};\n");
    compare("js/refusals.js", &out);
}
