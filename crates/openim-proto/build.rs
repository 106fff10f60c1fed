//! Compiles `proto/*.proto` without an external compiler and gives every message the JSON form that Go servers write
//! (gateway.md 0.3, http.md 1.7): proto names as keys, zero values written, `null` for empty lists and absent
//! sub-messages, empty maps left out, bytes as base64. On input `null` and absence mean the default.

use std::io::Result;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FileDescriptorProto};

const FILES: [&str; 5] = ["sdkws.proto", "msg.proto", "conversation.proto", "push.proto", "jssdk.proto"];

fn main() -> Result<()> {
    println!("cargo:rerun-if-changed=proto");
    let set = protox::compile(FILES, ["proto"]).map_err(std::io::Error::other)?;
    let mut config = prost_build::Config::new();
    config.btree_map(["."]);
    config.message_attribute(".", "#[derive(serde::Serialize, serde::Deserialize)] #[serde(default)]");
    for file in set.file.iter().filter(|file| file.package().starts_with("openim.")) {
        for message in &file.message_type {
            annotate(&mut config, file, message);
        }
    }
    config.compile_fds(set)
}

fn annotate(config: &mut prost_build::Config, file: &FileDescriptorProto, message: &DescriptorProto) {
    for field in &message.field {
        let path = format!(".{}.{}.{}", file.package(), message.name(), field.name());
        let is_map = message.nested_type.iter().any(|nested| {
            nested.options.as_ref().is_some_and(|options| options.map_entry())
                && field.type_name().ends_with(&format!(".{}", nested.name()))
        });
        let form = if is_map {
            r#"skip_serializing_if = "std::collections::BTreeMap::is_empty", deserialize_with = "crate::json::or_default""#
        } else if field.label() == Label::Repeated {
            r#"serialize_with = "crate::json::null_if_empty", deserialize_with = "crate::json::or_default""#
        } else if field.r#type() == Type::Bytes {
            r#"with = "crate::json::base64_bytes""#
        } else if field.r#type() == Type::Message {
            // `Option<T>`: null and absence are already `None`
            ""
        } else {
            r#"deserialize_with = "crate::json::or_default""#
        };
        config.field_attribute(&path, format!("#[serde(rename = {:?}, {form})]", field.name()));
    }
}
