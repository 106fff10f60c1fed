//! What a session hears of its socket: connection events, and pushes, which are applied in batches.

use std::sync::Arc;

use openim_proto::sdkws::{MsgData, PushMessages};
use openim_proto::{Message, error_code};
use tokio::sync::mpsc;

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
                batch.add(&first);
                while batch.messages < BATCH {
                    match inbound.try_recv() {
                        Ok(SocketEvent::Push(next)) => batch.add(&next),
                        Ok(other) => {
                            waiting = Some(other);
                            break;
                        }
                        Err(_) => break,
                    }
                }
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

/// Pushes that are applied in one transaction.
#[derive(Default)]
struct Batch {
    chats: Vec<(String, Vec<MsgData>)>,
    notifications: Vec<(String, Vec<MsgData>)>,
    messages: usize,
}

impl Batch {
    fn add(&mut self, payload: &[u8]) {
        match PushMessages::decode(payload) {
            Ok(push) => {
                for (id, pulled) in push.msgs {
                    self.messages += pulled.msgs.len();
                    self.chats.push((id, pulled.msgs));
                }
                for (id, pulled) in push.notification_msgs {
                    self.messages += pulled.msgs.len();
                    self.notifications.push((id, pulled.msgs));
                }
            }
            Err(error) => tracing::warn!(%error, "unreadable push"),
        }
    }

    fn apply(self, changes: &mut Changes<'_>) -> Result<()> {
        for (stream, messages) in &self.notifications {
            for message in messages {
                notifications::apply(changes, stream, message)?;
            }
        }
        for arrival in inbound::group(self.chats, Delivery::Announce) {
            inbound::apply(changes, arrival)?;
        }
        Ok(())
    }
}
