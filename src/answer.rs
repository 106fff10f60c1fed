//! Results as text. The native promise always resolves: `=<event>,<json>` or `!<error record>`; a rejected one would only
//! mean a dying environment.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use openim_core::{Done, Error};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::error::ErrorRecord;

/// The boxed work of a method: JSON text of the result.
pub(crate) type Work = Pin<Box<dyn Future<Output = Result<Done<String>, Error>> + Send>>;

/// Reads a parameter; an error names the field.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "params".to_owned() } else { path };
        let reason = error.inner().to_string();
        // serde_json ends with the position in a text that the caller never saw
        let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();
        Error::args(field, format!("is not valid: {reason}"))
    })
}

/// Writes a result.
pub(crate) fn done<T: Serialize>(result: Result<Done<T>, Error>) -> Result<Done<String>, Error> {
    let Done { value, event } = result?;
    let value = serde_json::to_string(&value).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Done { value, event })
}

/// Runs the work of a method until it ends, panics, or is cancelled. `last_event` is asked after a failure.
pub(crate) async fn run(
    method: &str,
    work: Work,
    cancel: CancellationToken,
    operation_id: &str,
    last_event: impl Fn() -> u64,
) -> String {
    let started = Instant::now();
    let result = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Error::Aborted),
        result = Unwinding(work) => result,
    };
    let elapsed_ms = started.elapsed().as_millis() as u64;
    match &result {
        Ok(_) => tracing::debug!(method, elapsed_ms, "call done"),
        Err(error) => {
            let (code, err_code) = (error.code(), error.err_code());
            tracing::info!(method, elapsed_ms, code, err_code, error = error.log_text(), "call failed");
        }
    }
    text(result, operation_id, last_event)
}

/// The answer text of a result.
pub(crate) fn text(result: Result<Done<String>, Error>, operation_id: &str, last_event: impl Fn() -> u64) -> String {
    match result {
        Ok(Done { value, event }) => format!("={event},{value}"),
        Err(error) => ErrorRecord::new(&error, operation_id, last_event()).to_answer(),
    }
}

/// Turns a panic of the work into an error.
struct Unwinding(Work);

impl Future for Unwinding {
    type Output = Result<Done<String>, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        std::panic::catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context)))
            .unwrap_or_else(|_| Poll::Ready(Err(Error::Internal("a call panicked; see the log".to_owned()))))
    }
}
