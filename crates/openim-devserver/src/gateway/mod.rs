//! The message gateway: WebSocket connections of clients.

mod handshake;
mod head;
mod line;
mod operations;
mod raw_frame;
mod session;

use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::domain::Domain;

/// Accepts connections until the end.
pub(crate) async fn serve(listener: TcpListener, domain: Arc<Domain>, ended: CancellationToken, tasks: TaskTracker) {
    let connections = Arc::new(tokio::sync::Semaphore::new(domain.max_connections()));
    loop {
        // a server that stops lets nobody in any more, not even for a moment
        let accepted = tokio::select! {
            biased;
            () = ended.cancelled() => return,
            accepted = listener.accept() => accepted,
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
        biased;
        () = ended.cancelled() => return,
        opened = handshake::open(&mut stream, domain, full) => opened,
    };
    match opened {
        Ok(Some(opened)) => session::run(stream, opened, domain, ended).await,
        Ok(None) => {}
        Err(error) => tracing::debug!(%error, "a handshake broke off"),
    }
}
