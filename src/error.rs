//! The record in which an error crosses: the facade makes an `OpenIMError` of it.

use openim_core::{Error, Retry};
use serde::Serialize;

/// An error as data.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorRecord<'a> {
    code: &'a str,
    err_code: i32,
    err_msg: String,
    #[serde(rename = "operationID")]
    operation_id: &'a str,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// Number of the last event before the failure: the facade delivers up to there first.
    event: u64,
}

impl<'a> ErrorRecord<'a> {
    pub(crate) fn new(error: &'a Error, operation_id: &'a str, event: u64) -> Self {
        Self {
            code: error.code(),
            err_code: error.err_code(),
            err_msg: error.to_string(),
            operation_id,
            retryable: error.retry() != Retry::Permanent,
            field: match error {
                Error::Args { field, .. } => Some(field),
                _ => None,
            },
            event,
        }
    }

    /// `!<json>`.
    pub(crate) fn to_answer(&self) -> String {
        format!("!{}", serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned()))
    }
}

/// The record of a failure of the dev server.
#[cfg(feature = "devserver")]
pub(crate) fn dev_server_answer(error: &openim_devserver::Error) -> String {
    use openim_devserver::Error as E;
    let (code, err_code) = match error {
        E::Config { .. } | E::Args { .. } | E::RemoteNotAllowed { .. } => ("OPENIM_ARGS", 10002),
        E::AddressInUse { .. } | E::Listen { .. } => ("OPENIM_ADDRESS", 10000),
        E::DataDir { .. } => ("OPENIM_DATA_DIR", 10002),
        E::DatabaseInUse { .. } => ("OPENIM_DB_IN_USE", 10006),
        E::DatabaseDamaged { .. } => ("OPENIM_DB_CORRUPT", 10006),
        E::DatabaseTooNew { .. } => ("OPENIM_DB_TOO_NEW", 10006),
        E::Stopped => ("OPENIM_CLOSED", 10008),
        E::Refused { code, .. } => (Error::server(*code, "", "").code(), *code),
        _ => ("OPENIM_DATABASE", 10006),
    };
    let record = ErrorRecord {
        code,
        err_code,
        err_msg: error.to_string(),
        operation_id: "",
        retryable: false,
        field: match error {
            E::Args { field, .. } => Some(field),
            _ => None,
        },
        event: 0,
    };
    record.to_answer()
}
