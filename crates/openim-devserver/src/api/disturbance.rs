//! Levers at the door of the REST API.

use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tokio_util::sync::CancellationToken;

use super::App;
use super::answer::failure;
use crate::domain::{Caller, Fault};
use crate::faults::{Effect, Event, Point};

/// Lets a call pass, unless a lever has something against it. A call that is lost stays open until the caller gives up
/// or the server ends.
pub(super) async fn disturb(app: App, ended: CancellationToken, request: Request, next: Next) -> Response {
    let faults = app.environment.faults().clone();
    if !faults.any(Point::Request) && !faults.any(Point::Answer) {
        return next.run(request).await;
    }
    let user_id = request.extensions().get::<Caller>().map(|caller| caller.user_id.clone()).unwrap_or_default();
    let path = request.uri().path().to_owned();
    let event = Event { user_id: &user_id, path: Some(&path), ..Event::default() };
    let lost = async || {
        ended.cancelled().await;
        failure(&Fault::internal("the server is stopped"))
    };
    match faults.take(Point::Request, &event).map(|fate| fate.effect) {
        Some(Effect::Refuse { code, message }) => return failure(&Fault::made(code, message)),
        Some(_) => return lost().await,
        None => {}
    }
    let response = next.run(request).await;
    match faults.take(Point::Answer, &event).map(|fate| fate.effect) {
        Some(Effect::Drop) => lost().await,
        Some(Effect::Delay { ms }) => {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(ms.into())) => {}
                () = ended.cancelled() => {}
            }
            response
        }
        _ => response,
    }
}
