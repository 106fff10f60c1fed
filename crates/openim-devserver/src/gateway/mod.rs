//! The message gateway: WebSocket connections of clients.

mod codec;
mod handshake;
mod head;
mod operations;
mod session;

use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::domain::Domain;

/// Connections that the gateway accepts.
const CONNECTION_LIMIT: usize = 100_000;

/// Accepts connections until the end.
pub(crate) async fn serve(listener: TcpListener, domain: Arc<Domain>, ended: CancellationToken, tasks: TaskTracker) {
    let connections = Arc::new(tokio::sync::Semaphore::new(CONNECTION_LIMIT));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ended.cancelled() => return,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // out of file descriptors: waiting is all that helps
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        let (domain, ended, connections) = (domain.clone(), ended.child_token(), connections.clone());
        tasks.spawn(async move {
            let place = connections.try_acquire();
            connection(stream, &domain, ended, place.is_err()).await;
        });
    }
}

async fn connection(mut stream: TcpStream, domain: &Arc<Domain>, ended: CancellationToken, full: bool) {
    let _ = stream.set_nodelay(true);
    let opened = tokio::select! {
        opened = handshake::open(&mut stream, domain, full) => opened,
        () = ended.cancelled() => return,
    };
    match opened {
        Ok(Some(opened)) => session::run(stream, opened, domain, ended).await,
        Ok(None) => {}
        Err(error) => tracing::debug!(%error, "a handshake broke off"),
    }
}
