//! Who hears a client's events.

use std::time::Duration;

use openim_core::{Client, Event};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::gateway::Gateway;

/// How long a sound push may take before it is sent again, and how often it is. A batch that holds it is dropped as a
/// whole if the store refuses a part; the next one is another.
const PATIENCE: Duration = Duration::from_millis(500);
const TIMES: usize = 40;

/// Takes all events and passes on which online-only messages came.
pub struct Listener {
    heard: mpsc::UnboundedReceiver<String>,
}

impl Listener {
    /// Starts to listen; ends with the client.
    pub fn start(client: &Client) -> Self {
        let (tell, heard) = mpsc::unbounded_channel();
        let events = client.events();
        events.listen();
        tokio::spawn(async move {
            while let Some((_, event)) = events.next().await {
                if let Event::RecvOnlineOnlyMessages(messages) = event {
                    for message in messages {
                        // nobody listens any more: the case is over
                        let _ = tell.send(message.client_msg_id);
                    }
                }
            }
        });
        Self { heard }
    }

    /// Pushes something sound until it is heard.
    pub async fn hears(&mut self, gateway: &Gateway, id: &str) -> Result<(), String> {
        for _ in 0..TIMES {
            gateway.push_sound(id).await;
            let heard = async { while self.heard.recv().await.is_some_and(|heard| heard != id) {} };
            if timeout(PATIENCE, heard).await.is_ok() {
                return Ok(());
            }
        }
        Err(format!("{id} is not heard"))
    }
}
