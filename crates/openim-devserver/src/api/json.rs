//! Reading request bodies as Go does: keys in any letter case, unknown keys ignored, `null` the same as absent.

use serde::de::{DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};
use serde_json::{Error, Map, Value};

/// Reads a body.
pub(super) fn parse<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, Error> {
    match serde_json::from_slice(body)? {
        Value::Null => Ok(T::default()),
        value => T::deserialize(Lenient(value)),
    }
}

/// A JSON value that matches the keys of structs in any letter case.
struct Lenient(Value);

/// An object of which `null` members count as absent.
struct Members {
    members: serde_json::map::IntoIter,
    fields: &'static [&'static str],
    value: Option<Value>,
}

struct Elements(std::vec::IntoIter<Value>);

impl<'de> Deserializer<'de> for Lenient {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(elements) => visitor.visit_seq(Elements(elements.into_iter())),
            Value::Object(members) => visitor.visit_map(Members::new(members, &[])),
            // by hand: the value's own way would bring the code for arrays and objects along for every type
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(value) => value.deserialize_any(visitor),
            Value::String(value) => visitor.visit_string(value),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(members) => visitor.visit_map(Members::new(members, fields)),
            // an array is no struct, although serde would take it
            Value::Array(_) => Err(serde::de::Error::invalid_type(serde::de::Unexpected::Seq, &visitor)),
            plain => Self(plain).deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl Members {
    fn new(members: Map<String, Value>, fields: &'static [&'static str]) -> Self {
        Self { members: members.into_iter(), fields, value: None }
    }
}

impl<'de> MapAccess<'de> for Members {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.members.find(|(_, value)| !value.is_null()) else { return Ok(None) };
        self.value = Some(value);
        let known = self.fields.iter().find(|field| field.eq_ignore_ascii_case(&key));
        match known {
            Some(field) => seed.deserialize((*field).into_deserializer()).map(Some),
            None => seed.deserialize(key.into_deserializer()).map(Some),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(Lenient(self.value.take().unwrap_or_default()))
    }
}

impl<'de> SeqAccess<'de> for Elements {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.next().map(|element| seed.deserialize(Lenient(element))).transpose()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Outer {
        user_list: Vec<Inner>,
        count: i64,
        name: Option<String>,
        configs: BTreeMap<String, String>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Inner {
        id: String,
    }

    #[test]
    fn letter_case_nulls_and_unknown_keys_do_not_matter() {
        let text = br#"{"USERLIST":[{"Id":"a"},{"id":null}],"count":null,"Name":"n","x":[{}],"configs":{"KEY":"v"}}"#;
        let read: Outer = parse(text).unwrap();
        assert_eq!(read.user_list, [Inner { id: "a".into() }, Inner::default()]);
        assert_eq!((read.count, read.name.as_deref()), (0, Some("n")));
        assert_eq!(read.configs.get("KEY").map(String::as_str), Some("v"));
        assert_eq!(parse::<Outer>(b"null").unwrap(), Outer::default());
        for wrong in ["[]", "", "{", r#"{"count":"1"}"#, r#"{"name":1}"#, r#"{"userList":[[]]}"#] {
            assert!(parse::<Outer>(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
