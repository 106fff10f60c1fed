//! What follows a connect: the comparison with the server, the second one 1.5 s later (R13b), further ones for whoever
//! asks, and the work that commits ask for in between.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use openim_proto::constants::{MAX_SEQ, operation};
use openim_proto::msg::{GetConversationsHasReadAndMaxSeqReq, GetConversationsHasReadAndMaxSeqResp};
use openim_proto::sdkws::{GetMaxSeqReq, GetMaxSeqResp};
use openim_proto::{Message, ids};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::Result;
use crate::event::Event;
use crate::model::SyncStatus;
use crate::outbox::{Outbox, STORED_WITHIN};
use crate::session::Session;
use crate::store::meta;
use crate::sync::changes::FollowUp;
use crate::sync::{Comparison, reset};
use crate::{black, conversation, friend, friend_request, presence, pull, user};

/// The server misses pushes for about a second after a handshake (gateway.md 10.2).
const SECOND_COMPARISON_AFTER: Duration = Duration::from_millis(1500);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(30);

/// Runs once per connection and ends with it.
pub(crate) async fn after_connect(session: Arc<Session>, over: CancellationToken) {
    tokio::select! {
        () = over.cancelled() => {}
        () = synchronise(&session) => {}
    }
}

async fn synchronise(session: &Arc<Session>) {
    let connected = Instant::now();
    let first = session.new_device.load(Ordering::SeqCst);
    let again = session.socket.figures().0 > 1;
    tell_sync(session, Comparison { first, again }).await;
    let mut due = Outbox::resume(session, connected).max(Some(connected + SECOND_COMPARISON_AFTER));
    loop {
        let comparison = Comparison { first: false, again: true };
        tokio::select! {
            () = at(due) => {
                let begun = Instant::now();
                insist(session, comparison, false).await;
                due = Outbox::resume(session, begun);
            }
            // the server may still be storing what it accepted
            () = session.recheck.notified() => due = due.or_else(|| Some(Instant::now() + STORED_WITHIN)),
            () = session.foreground.notified() => tell_sync(session, comparison).await,
        }
    }
}

/// That moment, if there is one.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// A comparison that listeners hear of.
async fn tell_sync(session: &Arc<Session>, comparison: Comparison) {
    let first = comparison.first;
    tracing::info!(first, "sync begins");
    let begun = Instant::now();
    session.set_sync_status(SyncStatus::Syncing);
    session.emit(vec![Event::SyncServerStart(first)]);
    if first {
        session.emit(vec![Event::SyncServerProgress(1)]);
    }
    insist(session, comparison, true).await;
    if first {
        let new_device = session.new_device.clone();
        let done = session
            .commit(move |changes| {
                meta::set(changes.connection, meta::INITIAL_SYNC_DONE, "1")?;
                // here and not after the commit: whatever is applied next is news
                new_device.store(false, Ordering::SeqCst);
                Ok(())
            })
            .await;
        if let Err(error) = done {
            // the next login starts over, which loses nothing
            tracing::error!(%error, "the end of the first sync could not be stored");
        }
        session.emit(vec![Event::SyncServerProgress(100)]);
    }
    tracing::info!(first, elapsed_ms = begun.elapsed().as_millis() as u64, "in step with the server");
    session.emit(vec![Event::SyncServerFinish(first)]);
    session.set_sync_status(SyncStatus::Synced);
}

/// Repeats the comparison until it succeeds. The connection's end ends it from outside.
async fn insist(session: &Arc<Session>, comparison: Comparison, tell: bool) {
    let mut delay = Duration::from_secs(1);
    let mut told = !tell;
    while let Err(error) = compare(session, comparison).await {
        let retry_in_ms = delay.as_millis() as u64;
        tracing::warn!(code = error.code(), error = error.log_text(), retry_in_ms, "comparison with the server failed");
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
async fn compare(session: &Arc<Session>, comparison: Comparison) -> Result<()> {
    let _one = session.comparing.lock().await;
    let known = session.read(reset::Known::read).await?;
    let (newest, seqs) = if comparison.first {
        // the past of notifications is skipped up to here, so what it did to the read cursors must be in these
        let newest = newest(session).await?;
        (newest, read_seqs(session).await?)
    } else {
        tokio::try_join!(newest(session), read_seqs(session))?
    };
    let reset = forget_with_server(session, &known, &newest, &seqs).await?;
    if reset {
        session.emit(vec![Event::SyncServerStart(true)]);
    }
    let comparison = Comparison { first: comparison.first || reset, ..comparison };
    let first = comparison.first;
    let lists = async {
        // a list that cannot be read does not hold up messages (client-behaviour.md 4.2)
        for (list, result) in [
            ("own profile", user::sync_self(session, first).await.map(drop)),
            // before the friends that they made
            ("applications", friend_request::poll(session, first).await.map(drop)),
            ("friends", friend::sync(session, first).await.map(drop)),
            ("black list", black::sync(session, first).await.map(drop)),
            ("conversations", conversation::sync_list(session, first).await),
            ("online states", presence::resubscribe(session).await),
        ] {
            if let Err(error) = result {
                if error.is_connection_loss() {
                    return Err(error);
                }
                tracing::warn!(list, code = error.code(), error = error.log_text(), "a list could not be synced");
            }
        }
        Ok(())
    };
    lists.await?;
    progress(session, first, 4);
    let times = seqs.seqs.iter().map(|(id, seqs)| (id.clone(), seqs.max_seq_time)).collect();
    let behind = conversation::apply_seqs(session, seqs, comparison).await?;
    progress(session, first, 10);
    pull::chats(session, &times, comparison).await?;
    pull::gaps(session).await?;
    pull::doubtful_gaps(session).await?;
    // after the messages: receipts speak of their seqs
    pull::streams(session, &newest, first).await?;
    if let Err(error) = user::fetch_unknown(session).await {
        tracing::info!(error = error.log_text(), "profiles of peers could not be fetched");
    }
    conversation::tell_read_cursors(session, behind).await?;
    if reset {
        session.emit(vec![Event::SyncServerFinish(true)]);
    }
    Ok(())
}

/// Forgets the seqs that the server forgot; true if this is a server that lost most of them.
async fn forget_with_server(
    session: &Session,
    known: &reset::Known,
    newest: &BTreeMap<String, i64>,
    seqs: &GetConversationsHasReadAndMaxSeqResp,
) -> Result<bool> {
    // of chats 1001 and 1006 may differ for a moment while a message is being stored
    let mut both = newest.clone();
    for (id, seqs) in &seqs.seqs {
        let newest = both.entry(id.clone()).or_default();
        *newest = (*newest).max(seqs.max_seq);
    }
    let forgotten = reset::forgotten(known, &both);
    let most = forgotten.most;
    if forgotten != reset::Forgotten::default() {
        session.commit_many(move |changes| reset::forget(changes.connection, &forgotten)).await?;
    }
    Ok(most)
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
    let mut newest = pull::decode::<GetMaxSeqResp>(&answer)?.max_seqs;
    newest.retain(|_, seq| can_be(*seq));
    Ok(newest)
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
    answer.seqs.retain(|id, seqs| !ids::is_notification(id) && can_be(seqs.max_seq) && can_be(seqs.has_read_seq));
    Ok(answer)
}

/// Whether a server can mean it; what it says of other conversations counts all the same.
fn can_be(seq: i64) -> bool {
    (0..=MAX_SEQ).contains(&seq)
}

/// Does what commits ask for, one piece after another. What fails for want of a connection is part of the next
/// comparison anyway.
pub(crate) async fn follow(session: Arc<Session>) {
    loop {
        let asked = session.asked().await;
        if let Err(error) = respond(&session, asked).await {
            tracing::info!(error = error.log_text(), ?asked, "what a commit asked for failed");
        }
    }
}

async fn respond(session: &Arc<Session>, asked: FollowUp) -> Result<()> {
    if asked.self_info {
        user::sync_self(session, false).await?;
    }
    if asked.friend_requests {
        friend_request::poll(session, false).await?;
    }
    if asked.friends {
        friend::sync(session, false).await?;
    }
    if asked.blacks {
        black::sync(session, false).await?;
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
        session.recheck.notify_one();
    }
    Ok(())
}
