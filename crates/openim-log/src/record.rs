//! One record: what a line of a file and an entry of the application's log look like.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};

use crate::config::Level;
use crate::time;

/// Longer texts are cut: a record is a sentence, not a document.
const MAX_TEXT_BYTES: usize = 4096;

/// A record. Every field is always present.
#[derive(Debug, Serialize)]
pub(crate) struct Record<'a> {
    time: String,
    level: Level,
    /// Module that speaks.
    target: &'a str,
    message: Cow<'a, str>,
    /// Whom it is about; empty if nobody.
    #[serde(rename = "userID")]
    user_id: &'a str,
    /// 0 if no client's.
    #[serde(rename = "platformID")]
    platform_id: i64,
    /// Trace id of the call or request; empty if none.
    #[serde(rename = "operationID")]
    operation_id: &'a str,
    /// Everything else, by name.
    fields: &'a Map<String, Value>,
}

impl Record<'_> {
    /// One line of JSON, without its end.
    pub(crate) fn line(level: tracing::Level, target: &str, found: &Fields) -> String {
        let level = match level {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warn,
            tracing::Level::INFO => Level::Info,
            tracing::Level::DEBUG => Level::Debug,
            tracing::Level::TRACE => Level::Trace,
        };
        let record = Record {
            time: time::now(),
            level,
            target,
            message: Cow::Borrowed(&found.message),
            user_id: &found.user_id,
            platform_id: found.platform_id,
            operation_id: &found.operation_id,
            fields: &found.others,
        };
        // a struct of texts, numbers and a map cannot fail
        serde_json::to_string(&record).unwrap_or_default()
    }

    /// A record of this crate's own.
    pub(crate) fn own(level: tracing::Level, message: &str, fields: &[(&str, Value)]) -> String {
        let others = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Self::line(level, "openim_log", &Fields { message: message.to_owned(), others, ..Fields::default() })
    }
}

/// What a span or an event carries.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    message: String,
    user_id: String,
    platform_id: i64,
    operation_id: String,
    others: Map<String, Value>,
}

impl Fields {
    /// Adds those of an inner span; what both have is the inner one's.
    pub(crate) fn extend(&mut self, inner: &Self) {
        if !inner.user_id.is_empty() {
            self.user_id.clone_from(&inner.user_id);
        }
        if inner.platform_id != 0 {
            self.platform_id = inner.platform_id;
        }
        if !inner.operation_id.is_empty() {
            self.operation_id.clone_from(&inner.operation_id);
        }
        self.others.extend(inner.others.iter().map(|(name, value)| (name.clone(), value.clone())));
    }

    fn text(&mut self, field: &Field, mut value: String) {
        if value.len() > MAX_TEXT_BYTES {
            let end = (0..=MAX_TEXT_BYTES).rev().find(|at| value.is_char_boundary(*at)).unwrap_or(0);
            value.truncate(end);
            value.push('…');
        }
        match field.name() {
            "message" => self.message = value,
            "user_id" => self.user_id = value,
            "operation_id" => self.operation_id = value,
            name => drop(self.others.insert(name.to_owned(), Value::String(value))),
        }
    }

    fn other(&mut self, field: &Field, value: impl Into<Value>) {
        self.others.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.text(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value.to_owned());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        match field.name() {
            "platform_id" => self.platform_id = value,
            _ => self.other(field, value),
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.other(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.other(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.other(field, value);
    }
}
