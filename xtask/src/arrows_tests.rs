//! One forbidden arrow per rule, and the permitted ones beside it.

use serde_json::json;

use super::*;

const CORE_LIB: &str = "pub mod model; mod error; mod store; mod net; mod sync; mod client; mod message;
    pub use client::Client; pub use model::{Message, Conversation as Chat}; pub fn version() {}";
const SERVER_LIB: &str = "mod config; mod store; mod domain; mod api; mod gateway; mod account; mod faults;";

fn problems(house: &str, lib: &str, module: &str, text: &str) -> Problems {
    let floors = FLOORS.iter().find(|(folder, _)| *folder == house).unwrap().1;
    let house = House::new(floors, lib, [module.to_owned()].into_iter());
    house.problems(&File { shown: format!("src/{module}"), module, text })
}

fn core(module: &str, text: &str) -> Problems {
    problems("crates/openim-core", CORE_LIB, module, text)
}

fn server(module: &str, text: &str) -> Problems {
    problems("crates/openim-devserver", SERVER_LIB, module, text)
}

#[test]
fn the_message_names_file_line_and_both_floors() {
    let found = core("net/socket.rs", "use std::io;\n\nuse crate::store::Writer;");
    assert_eq!(found, ["src/net/socket.rs:3: `net` (net) must not use `store` (store)"]);
}

#[test]
fn nouns_of_the_core_use_each_other_and_everything_below() {
    let text = "use crate::{client, message, sync::unread, store, net::socket, model, error::Error};";
    assert_eq!(core("message.rs", text), Problems::new());
    assert_eq!(core("message/send.rs", text), Problems::new());
}

#[test]
fn sync_uses_the_store_but_neither_the_net_nor_nouns() {
    assert_eq!(core("sync/inbound.rs", "use crate::{store, model}; use super::gaps;"), Problems::new());
    assert_eq!(core("sync/inbound.rs", "use crate::net::Socket;").len(), 1);
    assert_eq!(core("sync/inbound.rs", "use crate::message::send;").len(), 1);
    assert_eq!(core("sync/inbound.rs", "use super::super::net::Socket;").len(), 1);
}

#[test]
fn store_and_net_know_nothing_of_each_other_nor_of_what_is_above() {
    for other in ["net", "sync", "client"] {
        assert_eq!(core("store/writer.rs", &format!("fn f() {{ crate::{other}::go() }}")).len(), 1, "{other}");
    }
    for other in ["store", "sync", "client"] {
        assert_eq!(core("net/socket.rs", &format!("use crate::{other}::Thing;")).len(), 1, "{other}");
    }
}

#[test]
fn leaves_use_only_leaves() {
    assert_eq!(core("model/message.rs", "use crate::error::Error;"), Problems::new());
    for other in ["store", "net", "sync", "message"] {
        assert_eq!(core("model/message.rs", &format!("use crate::{other}::Thing;")).len(), 1, "{other}");
    }
}

#[test]
fn reexports_and_items_of_the_root_hide_no_arrow() {
    assert_eq!(core("store/writer.rs", "use crate::{Message, Chat};"), Problems::new());
    assert_eq!(core("store/writer.rs", "use crate::Client;").len(), 1);
    assert_eq!(core("store/writer.rs", "fn f() { crate::version() }").len(), 1);
    assert_eq!(core("message.rs", "use crate::*;").len(), 1);
}

#[test]
fn the_root_names_everything() {
    assert_eq!(core("lib.rs", "pub use crate::store::Writer;"), Problems::new());
}

#[test]
fn the_server_flows_from_its_doors_to_the_store() {
    assert_eq!(server("lib.rs", "use crate::{api, gateway};"), Problems::new());
    assert_eq!(server("api/auth.rs", "use crate::{domain::Tokens, faults};"), Problems::new());
    assert_eq!(server("domain/seq.rs", "use crate::store::Rows;"), Problems::new());
    assert_eq!(server("api/auth.rs", "use crate::store::Rows;").len(), 1);
    for other in ["api", "gateway", "account"] {
        assert_eq!(server("domain/seq.rs", &format!("use crate::{other}::Thing;")).len(), 1, "{other}");
    }
    for other in ["domain", "api", "gateway"] {
        assert_eq!(server("store/rows.rs", &format!("use crate::{other}::Thing;")).len(), 1, "{other}");
    }
}

fn workspace(from: &str, to: &[&str]) -> Value {
    let dependencies: Vec<Value> = to.iter().map(|name| json!({ "name": name })).collect();
    let mut packages: Vec<Value> =
        CRATES.iter().filter(|(name, _)| *name != from).map(|(name, _)| json!({ "name": name })).collect();
    packages.push(json!({ "name": from, "manifest_path": "Cargo.toml", "dependencies": dependencies }));
    json!({ "packages": packages })
}

#[test]
fn crates_depend_downwards_only() {
    for (name, allowed) in CRATES {
        assert_eq!(crate_problems(&workspace(name, allowed)), Problems::new());
        let forbidden: Vec<&str> = CRATES.iter().map(|(other, _)| *other).filter(|o| !allowed.contains(o)).collect();
        assert_eq!(crate_problems(&workspace(name, &forbidden)).len(), forbidden.len(), "{name}");
    }
    assert_eq!(crate_problems(&workspace("openim-core", &["serde"])), Problems::new());
    assert_eq!(crate_problems(&workspace("openim-new", &[])).len(), 1);
}

#[test]
fn names_that_say_nothing_are_refused() {
    for inside in ["utils.rs", "store/helpers.rs", "common/mod.rs", "session_manager.js", "misc.d.ts"] {
        assert_eq!(file_problems(inside, inside, "").len(), 1, "{inside}");
    }
    assert_eq!(file_problems("a.rs", "a.rs", "mod utils { }").len(), 1);
    assert_eq!(file_problems("store/commonest.rs", "store/commonest.rs", "mod rows;"), Problems::new());
}

#[test]
fn files_that_are_too_long_are_refused_unless_generated() {
    assert_eq!(file_problems("js/a.js", "a.js", &"\n".repeat(500)), Problems::new());
    assert_eq!(file_problems("js/a.js", "a.js", &"\n".repeat(501)).len(), 1);
    assert_eq!(file_problems("js/types.d.ts", "types.d.ts", &"\n".repeat(5000)), Problems::new());
}
