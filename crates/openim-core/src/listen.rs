//! What a session hears of its socket: connection events, and pushes, which are applied in batches.

use std::sync::Arc;
use std::time::Duration;

use openim_proto::sdkws::{MsgData, PushMessages};
use openim_proto::{Message, error_code};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::connect;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::net::SocketEvent;
use crate::session::Session;
use crate::sync::changes::{Changes, FollowUp};
use crate::sync::inbound::{self, Delivery};
use crate::sync::notifications;

/// Messages in one transaction, about.
const BATCH: usize = 2000;
/// How long pushes of messages that this device sent wait for more.
const OWN_PUSH_PATIENCE: Duration = Duration::from_millis(10);

/// Follows the socket: connection events, and pushes in batches.
pub(crate) async fn listen(session: Arc<Session>, mut inbound: mpsc::Receiver<SocketEvent>) {
    let mut waiting = None;
    loop {
        let event = match waiting.take() {
            Some(event) => event,
            None => match inbound.recv().await {
                Some(event) => event,
                None => return,
            },
        };
        match event {
            SocketEvent::Connecting { first } => {
                session.connecting();
                if first {
                    session.emit(vec![Event::Connecting]);
                }
            }
            SocketEvent::Connected(over) => {
                session.emit(vec![Event::ConnectSuccess]);
                session.connected();
                session.spawn(connect::after_connect(session.clone(), over));
            }
            SocketEvent::Failed(error) => {
                session.emit(vec![Event::ConnectFailed { err_code: error.err_code(), err_msg: error.to_string() }]);
                session.disconnected(Some(error));
            }
            SocketEvent::Lost => session.disconnected(None),
            SocketEvent::Refused(error) => session.end_with(error),
            SocketEvent::Kicked => {
                let code = error_code::TOKEN_KICKED;
                session.end_with(Error::server(code, error_code::name(code), ""));
            }
            SocketEvent::Push(first) => {
                let mut batch = Batch::default();
                batch.add(&session, &first);
                waiting = gather(&session, &mut inbound, &mut batch).await;
                session.room().await;
                if let Err(error) = session.commit(move |changes| batch.apply(changes)).await {
                    // nothing was applied and no cursor moved: the comparison brings it again
                    tracing::error!(%error, "pushed messages could not be stored");
                    session.ask(FollowUp { comparison: true, ..FollowUp::default() });
                }
            }
        }
    }
}

/// Adds the pushes that have arrived by now; an event of another kind is left for later. The seqs of messages that this
/// device sent concern nobody at once: they wait a moment for company instead of a transaction each.
async fn gather(
    session: &Session,
    inbound: &mut mpsc::Receiver<SocketEvent>,
    batch: &mut Batch,
) -> Option<SocketEvent> {
    let deadline = Instant::now() + OWN_PUSH_PATIENCE;
    while batch.messages < BATCH {
        let next = match inbound.try_recv() {
            Ok(next) => next,
            Err(_) if batch.urgent => break,
            Err(_) => match timeout_at(deadline, inbound.recv()).await {
                Ok(Some(next)) => next,
                Ok(None) | Err(_) => break,
            },
        };
        match next {
            SocketEvent::Push(next) => batch.add(session, &next),
            other => return Some(other),
        }
    }
    None
}

/// Pushes that are applied in one transaction.
#[derive(Default)]
struct Batch {
    chats: Vec<(String, Vec<MsgData>)>,
    notifications: Vec<(String, Vec<MsgData>)>,
    messages: usize,
    /// Holds something that listeners wait for.
    urgent: bool,
}

impl Batch {
    fn add(&mut self, session: &Session, payload: &[u8]) {
        match PushMessages::decode(payload) {
            Ok(push) => {
                for (id, pulled) in push.msgs {
                    self.messages += pulled.msgs.len();
                    self.urgent |= !pulled.msgs.iter().all(|message| session.sent_here(message));
                    self.chats.push((id, pulled.msgs));
                }
                for (id, pulled) in push.notification_msgs {
                    self.messages += pulled.msgs.len();
                    self.urgent = true;
                    self.notifications.push((id, pulled.msgs));
                }
            }
            Err(error) => tracing::warn!(%error, "unreadable push"),
        }
    }

    /// Messages first: a receipt speaks of seqs, and the push that gives an own message its seq may be in the same batch.
    /// The order of the events does not depend on it.
    fn apply(self, changes: &mut Changes<'_>) -> Result<()> {
        for arrival in inbound::group(self.chats, Delivery::Announce) {
            inbound::apply(changes, arrival)?;
        }
        for (stream, messages) in &self.notifications {
            for message in messages {
                notifications::apply(changes, stream, message)?;
            }
        }
        Ok(())
    }
}
