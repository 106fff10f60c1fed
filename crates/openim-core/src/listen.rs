//! What a session hears of its socket: connection events, and pushes, which are applied in batches.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use openim_proto::constants::msg_from;
use openim_proto::sdkws::{MsgData, PushMessages};
use openim_proto::{Message, error_code};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, timeout_at};

use crate::connect;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::net::{Push, SocketEvent};
use crate::presence;
use crate::session::Session;
use crate::store::Weight;
use crate::sync::changes::Changes;
use crate::sync::inbound::{self, Delivery};
use crate::sync::{notifications, people};

/// Messages in one transaction, about.
const BATCH: usize = 2000;
/// Messages that are quickly stored.
const LIGHT_BATCH: usize = 16;
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
        if session.is_over() && !matches!(event, SocketEvent::Push(_)) {
            // the gateway closes after a logout, perhaps before the session has ended: that is no news
            continue;
        }
        match event {
            SocketEvent::Connecting { first } => {
                session.connecting();
                if first {
                    session.emit(vec![Event::Connecting]);
                }
            }
            SocketEvent::Connected(over) => {
                session.renewal.proven();
                session.emit(vec![Event::ConnectSuccess]);
                session.connected();
                session.spawn(connect::after_connect(session.clone(), over));
            }
            SocketEvent::Failed(error) => {
                session.emit(vec![Event::ConnectFailed { err_code: error.err_code(), err_msg: error.to_string() }]);
                session.disconnected(Some(error));
            }
            SocketEvent::Lost => session.disconnected(None),
            SocketEvent::Refused { error, token } => {
                session.disconnected(None);
                // not here: the socket's events go on while the application is asked
                let renewing = session.clone();
                session.spawn(async move { drop(renewing.renew(&token, error).await) });
            }
            SocketEvent::Kicked => {
                let code = error_code::TOKEN_KICKED;
                session.end_with(Error::server(code, error_code::name(code), ""));
            }
            SocketEvent::OnlineStatus(payload) => {
                session.room().await;
                presence::pushed(&session, &payload);
            }
            SocketEvent::Push(first) => {
                let mut batch = Batch::default();
                batch.add(&session, first);
                waiting = gather(&session, &mut inbound, &mut batch).await;
                tracing::debug!(messages = batch.messages, "pushed");
                session.room().await;
                let weight = if batch.messages > LIGHT_BATCH { Weight::Heavy } else { Weight::Light };
                let new_device = session.new_device.clone();
                let job = move |changes: &mut Changes<'_>| {
                    if new_device.load(Ordering::SeqCst) {
                        changes.quiet();
                    }
                    batch.apply(changes)
                };
                let applied = session.commit_then(weight, job, |_| ()).await;
                if let Err(error) = applied {
                    // nothing was applied and no cursor moved: the comparison brings it again
                    tracing::error!(%error, "pushed messages could not be stored");
                    session.recheck.notify_one();
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
            SocketEvent::Push(next) => batch.add(session, next),
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
    /// Kept until everything is applied: the memory is taken as long.
    rooms: Vec<OwnedSemaphorePermit>,
}

impl Batch {
    fn add(&mut self, session: &Session, Push { payload, room }: Push) {
        self.rooms.push(room);
        match PushMessages::decode(payload.as_slice()) {
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
        // some notifications come twice, as a message of the chat as well, and that copy first (R13d)
        let is_copy =
            |message: &&MsgData| message.msg_from == msg_from::SYSTEM && people::concerns(message.content_type);
        for (chat, messages) in &self.chats {
            for copy in messages.iter().filter(is_copy) {
                notifications::note(changes, chat, copy);
                people::apply(changes, copy)?;
            }
        }
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
