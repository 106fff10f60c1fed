//! The log records of the process: configuration, export, and what the application takes.

use std::path::PathBuf;
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::{Function, PromiseRaw, Result};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use openim_core::{Done, Error};
use openim_log::{LogConfig, Logs, Wake};

use crate::answer::{self, done, parse};

/// How long the end of an environment may be held up by records that are not in their file yet.
const LAST_PATIENCE: Duration = Duration::from_millis(300);

/// Weak: it holds no process alive. One call in the queue is enough, since it only says that there is something.
type Bell = ThreadsafeFunction<(), (), (), napi::Status, false, true, 1>;

/// Replaces the configuration of the logs. `on_records` is called when there is something to take.
#[napi(ts_return_type = "Promise<string>")]
pub fn configure_logs<'env>(
    env: &'env Env,
    params: String,
    on_records: Option<Function<'_, (), ()>>,
) -> Result<PromiseRaw<'env, String>> {
    let wake = on_records.map(wake).transpose()?;
    env.add_env_cleanup_hook((), |()| {
        if let Ok(logs) = Logs::install() {
            logs.flush(LAST_PATIENCE);
        }
    })?;
    env.spawn_future(blocking(move || {
        let config: LogConfig = parse(&params)?;
        Logs::install().and_then(|logs| logs.configure(&config, wake)).map_err(failure)
    }))
}

/// Writes the files of the logs into one gzip file; its path.
#[napi(ts_return_type = "Promise<string>")]
pub fn export_logs<'env>(env: &'env Env, params: String) -> Result<PromiseRaw<'env, String>> {
    env.spawn_future(blocking(move || {
        let path: Option<PathBuf> = parse(&params)?;
        let written = Logs::install().and_then(|logs| logs.export(path.as_deref())).map_err(failure)?;
        Ok(written.display().to_string())
    }))
}

/// The next records as JSON text; null once there are no more for now.
#[napi]
pub fn take_logs() -> Option<String> {
    Logs::install().ok().and_then(Logs::take)
}

fn wake(on_records: Function<'_, (), ()>) -> Result<Wake> {
    let bell: Bell = on_records
        .build_threadsafe_function()
        .callee_handled::<false>()
        .weak::<true>()
        .max_queue_size::<1>()
        .build()?;
    Ok(Box::new(move || {
        // a full queue: a call that says the same is on its way
        matches!(bell.call((), ThreadsafeFunctionCallMode::NonBlocking), napi::Status::Ok | napi::Status::QueueFull)
    }))
}

/// The answer of work that touches the disk.
async fn blocking<T: serde::Serialize + Send + 'static>(
    work: impl FnOnce() -> std::result::Result<T, Error> + Send + 'static,
) -> Result<String> {
    let result = tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Error::Internal(format!("interrupted: {error}"))));
    Ok(answer::text(done(result.map(Done::quietly)), "", || 0))
}

fn failure(error: openim_log::Error) -> Error {
    match error {
        openim_log::Error::Setting { field, reason } => Error::args(field, reason),
        openim_log::Error::Io { path, source } => Error::DataDir { path, reason: source.to_string() },
        openim_log::Error::NoFolder => Error::args("logDir", "must be configured before logs can be exported"),
        other => Error::Internal(other.to_string()),
    }
}
