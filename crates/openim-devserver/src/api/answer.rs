//! Envelopes of answers (http.md 1.4, 1.5).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::domain::Fault;

/// The `data` member of a success.
pub(super) enum Answer {
    /// The message has no fields: no `data` at all.
    Empty,
    /// JSON text.
    Data(String),
}

impl Answer {
    /// Writes a value.
    pub(super) fn of(value: &impl Serialize) -> Result<Self, Fault> {
        serde_json::to_string(value).map(Self::Data).map_err(|error| Fault::internal(error.to_string()))
    }
}

/// A success.
pub(super) fn success(answer: &Answer) -> Response {
    enveloped(match answer {
        Answer::Empty => r#"{"errCode":0,"errMsg":"","errDlt":""}"#.into(),
        Answer::Data(json) => format!(r#"{{"errCode":0,"errMsg":"","errDlt":"","data":{json}}}"#),
    })
}

/// A JSON string that is no envelope.
pub(super) fn success_text(text: &str) -> Response {
    enveloped(format!("\"{text}\""))
}

/// A refusal; the HTTP status is 200 all the same.
pub(super) fn failure(fault: &Fault) -> Response {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Refusal<'a> {
        err_code: i32,
        err_msg: &'a str,
        err_dlt: &'a str,
    }
    let refusal = Refusal { err_code: fault.code, err_msg: &fault.message, err_dlt: &fault.detail };
    enveloped(serde_json::to_string(&refusal).unwrap_or_default())
}

/// A refusal of the calls that validate while binding: HTTP status 400.
pub(super) fn bad_request(fault: &Fault) -> Response {
    (StatusCode::BAD_REQUEST, failure(fault)).into_response()
}

/// A body that is not the JSON that the call wants.
pub(super) fn malformed(error: &serde_json::Error) -> Fault {
    Fault { message: format!("Error: Error: {error}").into(), ..Fault::args("") }
}

/// An unknown path, or a known one with another method than POST.
pub(super) async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "text/plain")], "404 page not found").into_response()
}

fn enveloped(body: String) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}
