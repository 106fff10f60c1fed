//! What follows a connect: the comparison with the server, the second one 1.5 s later (R13b), and the work that commits
//! ask for in between.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use openim_proto::constants::operation;
use openim_proto::msg::{GetConversationsHasReadAndMaxSeqReq, GetConversationsHasReadAndMaxSeqResp};
use openim_proto::sdkws::{GetMaxSeqReq, GetMaxSeqResp};
use openim_proto::{Message, ids};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::Result;
use crate::event::Event;
use crate::model::SyncStatus;
use crate::outbox::Outbox;
use crate::session::Session;
use crate::store::meta;
use crate::sync::changes::FollowUp;
use crate::{conversation, pull, user};

/// The server misses pushes for about a second after a handshake (gateway.md 10.2).
const SECOND_COMPARISON_AFTER: Duration = Duration::from_millis(1500);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(30);

/// Which comparison it is.
#[derive(Debug, Clone, Copy)]
struct Comparison {
    /// The first sync of this device.
    first: bool,
    /// Not the first one of this session: listeners have heard of everything up to here and expect no hole.
    again: bool,
}

/// Runs once per connection and ends with it.
pub(crate) async fn after_connect(session: Arc<Session>, over: CancellationToken) {
    tokio::select! {
        () = over.cancelled() => {}
        () = synchronise(&session) => {}
    }
}

async fn synchronise(session: &Arc<Session>) {
    let connected = Instant::now();
    let first = match session.read(|connection| meta::get(connection, meta::INITIAL_SYNC_DONE)).await {
        Ok(done) => done.is_none(),
        Err(error) => {
            tracing::error!(%error, "the database does not tell whether this device is new");
            false
        }
    };
    session.set_sync_status(SyncStatus::Syncing);
    session.emit(vec![Event::SyncServerStart(first)]);
    if first {
        session.emit(vec![Event::SyncServerProgress(1)]);
    }
    let again = session.socket.figures().0 > 1;
    insist(session, Comparison { first, again }, true).await;
    if first {
        let done = session.commit(|changes| meta::set(changes.connection, meta::INITIAL_SYNC_DONE, "1")).await;
        if let Err(error) = done {
            // the next login starts over, which loses nothing
            tracing::error!(%error, "the end of the first sync could not be stored");
        }
        session.emit(vec![Event::SyncServerProgress(100)]);
    }
    session.emit(vec![Event::SyncServerFinish(first)]);
    session.set_sync_status(SyncStatus::Synced);
    Outbox::resume(session, false);

    tokio::time::sleep_until(connected + SECOND_COMPARISON_AFTER).await;
    insist(session, Comparison { first: false, again: true }, false).await;
    Outbox::resume(session, true);
}

/// Repeats the comparison until it succeeds. The connection's end ends it from outside.
async fn insist(session: &Arc<Session>, comparison: Comparison, tell: bool) {
    let mut delay = Duration::from_secs(1);
    let mut told = !tell;
    while let Err(error) = compare(session, comparison).await {
        tracing::warn!(%error, "comparison with the server failed");
        if !told {
            told = true;
            session.set_sync_status(SyncStatus::Failed);
            session.emit(vec![Event::SyncServerFailed(comparison.first)]);
        }
        tokio::time::sleep(delay).await;
        delay = (delay * 2).min(MAX_RETRY_DELAY);
    }
}

/// Brings the local state to the server's: lists, cursors, streams, messages. "No change" fires nothing.
async fn compare(session: &Arc<Session>, Comparison { first, again }: Comparison) -> Result<()> {
    let lists = async {
        // a list that cannot be read does not hold up messages (client-behaviour.md 4.2)
        for (list, result) in [
            ("own profile", user::sync_self(session, first).await),
            ("conversations", conversation::sync_list(session, first).await),
        ] {
            if let Err(error) = result {
                if error.is_connection_loss() {
                    return Err(error);
                }
                tracing::warn!(list, %error, "list could not be synced");
            }
        }
        Ok(())
    };
    let (lists, newest, seqs) = tokio::join!(lists, newest(session), read_seqs(session));
    let (newest, seqs) = (newest?, seqs?);
    lists?;
    progress(session, first, 4);
    let times = seqs.seqs.iter().map(|(id, seqs)| (id.clone(), seqs.max_seq_time)).collect();
    let behind = conversation::apply_seqs(session, seqs, first, again).await?;
    progress(session, first, 10);
    pull::chats(session, &times, first, again).await?;
    pull::gaps(session).await?;
    // after the messages: receipts speak of their seqs
    pull::streams(session, &newest, first).await?;
    if let Err(error) = user::fetch_unknown(session).await {
        tracing::debug!(%error, "profiles of peers could not be fetched");
    }
    conversation::tell_read_cursors(session, behind).await
}

fn progress(session: &Session, first: bool, value: u8) {
    if first {
        session.emit(vec![Event::SyncServerProgress(value)]);
    }
}

/// 1001: newest seq of every stream.
async fn newest(session: &Session) -> Result<BTreeMap<String, i64>> {
    let request = GetMaxSeqReq { user_id: session.user_id.clone() };
    let answer = session.request(operation::GET_NEWEST_SEQ, request.encode_to_vec()).await?;
    Ok(pull::decode::<GetMaxSeqResp>(&answer)?.max_seqs)
}

/// 1006: newest seq, read cursor and time of every conversation.
async fn read_seqs(session: &Session) -> Result<GetConversationsHasReadAndMaxSeqResp> {
    let request = GetConversationsHasReadAndMaxSeqReq {
        user_id: session.user_id.clone(),
        conversation_i_ds: Vec::new(),
        return_pinned: false,
    };
    let answer = session.request(operation::GET_CONV_MAX_READ_SEQ, request.encode_to_vec()).await?;
    let mut answer: GetConversationsHasReadAndMaxSeqResp = pull::decode(&answer)?;
    answer.seqs.retain(|id, _| !ids::is_notification(id));
    Ok(answer)
}

/// Does what commits ask for, one piece after another. What fails for want of a connection is part of the next
/// comparison anyway.
pub(crate) async fn follow(session: Arc<Session>) {
    loop {
        let asked = session.asked().await;
        if let Err(error) = respond(&session, asked).await {
            tracing::debug!(%error, ?asked, "follow-up failed");
        }
    }
}

async fn respond(session: &Arc<Session>, asked: FollowUp) -> Result<()> {
    if asked.self_info {
        user::sync_self(session, false).await?;
    }
    if asked.conversations {
        conversation::sync_list(session, false).await?;
    }
    if asked.gaps {
        pull::gaps(session).await?;
    }
    if asked.streams {
        pull::streams(session, &newest(session).await?, false).await?;
    }
    if asked.profiles {
        user::fetch_unknown(session).await?;
    }
    if asked.comparison {
        // the server may still be storing what it accepted (R5)
        tokio::time::sleep(SECOND_COMPARISON_AFTER).await;
        compare(session, Comparison { first: false, again: true }).await?;
        Outbox::resume(session, true);
    }
    Ok(())
}
