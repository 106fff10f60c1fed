//! Fetching messages: what a comparison found missing, gaps, and notification streams.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use openim_proto::constants::operation;
use openim_proto::msg::{ConversationSeqs, GetLastMessageReq, GetLastMessageResp, GetSeqMessageReq, GetSeqMessageResp};
use openim_proto::sdkws::{PullMessageBySeqsReq, PullMessageBySeqsResp, PullOrder, SeqRange};
use openim_proto::{Message, ids};

use crate::error::{Error, Result};
use crate::session::Session;
use crate::store::{conversations, outbox, seqs};
use crate::sync::gaps::Range;
use crate::sync::inbound::{self, Arrival, Delivery};
use crate::sync::notifications;

/// Seqs in one request: keeps answers below the megabyte that clients may read (gateway.md 2.5).
const SEQS_PER_REQUEST: i64 = 500;
/// Seqs of one notification stream in one request.
const STREAM_SEQS_PER_REQUEST: i64 = 100;
/// Requests on their way at once; their answers are applied in order.
const PIPELINE: usize = 4;

pub(crate) fn decode<T: Message + Default>(answer: &[u8]) -> Result<T> {
    T::decode(answer).map_err(|error| Error::Protocol(format!("unreadable answer: {error}")))
}

/// Fetches what the server has beyond the local end of each conversation: of the most recent ones the newest messages, of
/// the others the newest one, and everything of those with a send whose outcome is open. `again`: everything, because
/// this session's listeners were connected before and must not miss a message. `times`: when each conversation was last
/// active.
pub(crate) async fn chats(
    session: &Arc<Session>,
    times: &BTreeMap<String, i64>,
    first: bool,
    again: bool,
) -> Result<()> {
    let (mut rows, doubtful) = session
        .read(|connection| Ok((conversations::all(connection)?, outbox::doubtful_conversations(connection)?)))
        .await?;
    let time = |id: &str| times.get(id).copied().unwrap_or(0);
    rows.sort_by_key(|row| std::cmp::Reverse(time(&row.conversation_id)));
    let mut wanted = Vec::new();
    for (rank, row) in rows.iter().enumerate() {
        let end = if row.max_seq > 0 { row.server_max_seq.min(row.max_seq) } else { row.server_max_seq };
        let count = if again || doubtful.contains(&row.id) {
            i64::MAX
        } else if rank < session.config.sync_pull_conversations as usize {
            i64::from(session.config.sync_pull_count)
        } else {
            1
        };
        let begin = (row.local_max_seq + 1).max(row.min_seq).max(end.saturating_sub(count).saturating_add(1));
        if begin <= end {
            wanted.push((row.conversation_id.clone(), (begin, end)));
        }
    }
    let delivery = if first { Delivery::Silent } else { Delivery::Announce };
    let mut answers = stream::iter(requests(wanted, SEQS_PER_REQUEST))
        .map(|ranges| async move { pull(session, ranges).await })
        .buffered(PIPELINE);
    while let Some(answer) = answers.next().await {
        let arrivals = answer?
            .into_iter()
            .map(|(conversation_id, range, messages)| Arrival {
                conversation_id,
                messages,
                answered: vec![range],
                delivery,
            })
            .collect();
        apply(session, arrivals, first).await?;
    }
    if first { repair_previews(session).await } else { Ok(()) }
}

/// Cuts ranges into requests.
fn requests(wanted: Vec<(String, Range)>, limit: i64) -> Vec<Vec<(String, Range)>> {
    let mut requests = Vec::new();
    let mut current = Vec::new();
    let mut room = limit;
    for (id, (mut begin, end)) in wanted {
        while begin <= end {
            let last = end.min(begin + room - 1);
            current.push((id.clone(), (begin, last)));
            room -= last - begin + 1;
            begin = last + 1;
            if room == 0 {
                requests.push(std::mem::take(&mut current));
                room = limit;
            }
        }
    }
    if !current.is_empty() {
        requests.push(current);
    }
    requests
}

type Pulled = Vec<(String, Range, Vec<openim_proto::sdkws::MsgData>)>;

/// One 1002 request. Conversations that the answer leaves out are left out here: the next comparison asks again.
async fn pull(session: &Session, ranges: Vec<(String, Range)>) -> Result<Pulled> {
    let request = PullMessageBySeqsReq {
        user_id: session.user_id.clone(),
        seq_ranges: ranges
            .iter()
            .map(|(id, (begin, end))| SeqRange {
                conversation_id: id.clone(),
                begin: *begin,
                end: *end,
                num: end - begin + 1,
            })
            .collect(),
        order: PullOrder::Asc as i32,
    };
    let answer = session.request(operation::PULL_BY_RANGE, request.encode_to_vec()).await?;
    let mut answer: PullMessageBySeqsResp = decode(&answer)?;
    answer.msgs.append(&mut answer.notification_msgs);
    let mut pulled = Vec::new();
    for (id, range) in ranges {
        if let Some(messages) = answer.msgs.remove(&id) {
            pulled.push((id, range, messages.msgs));
        }
    }
    Ok(pulled)
}

async fn apply(session: &Arc<Session>, arrivals: Vec<Arrival>, quiet: bool) -> Result<()> {
    session.room().await;
    session
        .commit(move |changes| {
            if quiet {
                changes.quiet();
            }
            arrivals.into_iter().try_for_each(|arrival| inbound::apply(changes, arrival))
        })
        .await?;
    Ok(())
}

/// Conversations whose newest messages are all deleted show an older one (client-behaviour.md 4.3).
async fn repair_previews(session: &Arc<Session>) -> Result<()> {
    let blank: Vec<String> = session
        .read(|connection| {
            let rows = conversations::all(connection)?.into_iter();
            Ok(rows
                .filter(|row| row.local_max_seq > 0 && row.latest_message == 0)
                .map(|row| row.conversation_id)
                .collect())
        })
        .await?;
    for part in blank.chunks(100) {
        let request = GetLastMessageReq { user_id: session.user_id.clone(), conversation_i_ds: part.to_vec() };
        let answer = session.request(operation::PULL_CONV_LAST_MESSAGE, request.encode_to_vec()).await?;
        let answer: GetLastMessageResp = decode(&answer)?;
        let arrivals = answer
            .msgs
            .into_iter()
            .map(|(conversation_id, message)| Arrival {
                conversation_id,
                messages: vec![message],
                answered: Vec::new(),
                delivery: Delivery::Silent,
            })
            .collect();
        apply(session, arrivals, true).await?;
    }
    Ok(())
}

/// Fetches the gaps that pushes left, newest first, and announces what they held.
pub(crate) async fn gaps(session: &Arc<Session>) -> Result<()> {
    loop {
        let gaps = session.read(|connection| seqs::live_gaps(connection, 50)).await?;
        let mut wanted: BTreeMap<String, Vec<Range>> = BTreeMap::new();
        let mut room = SEQS_PER_REQUEST;
        for (id, (begin, end)) in gaps {
            let count = (end - begin + 1).min(100).min(room);
            if count > 0 {
                room -= count;
                wanted.entry(id).or_default().push((end - count + 1, end));
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        fetch(session, wanted, PullOrder::Desc, Delivery::Announce).await?;
    }
}

/// One 1005 request for exact seqs, applied. What the answer lacks does not exist; `Desc` answers tell where the user's
/// window begins.
pub(crate) async fn fetch(
    session: &Arc<Session>,
    wanted: BTreeMap<String, Vec<Range>>,
    order: PullOrder,
    delivery: Delivery,
) -> Result<()> {
    let conversations = wanted
        .iter()
        .map(|(id, ranges)| ConversationSeqs {
            conversation_id: id.clone(),
            seqs: ranges.iter().flat_map(|(begin, end)| *begin..=*end).collect(),
        })
        .collect();
    let request = GetSeqMessageReq { user_id: session.user_id.clone(), conversations, order: order as i32 };
    let answer = session.request(operation::PULL_BY_SEQS, request.encode_to_vec()).await?;
    let mut answer: GetSeqMessageResp = decode(&answer)?;
    let arrivals = wanted
        .into_iter()
        .map(|(conversation_id, mut answered)| {
            let pulled = answer.msgs.remove(&conversation_id).unwrap_or_default();
            if pulled.is_end && order == PullOrder::Desc && pulled.end_seq > 1 {
                answered.push((1, pulled.end_seq - 1));
            }
            Arrival { conversation_id, messages: pulled.msgs, answered, delivery }
        })
        .collect();
    apply(session, arrivals, false).await
}

/// Brings the notification streams to the server's end. A new device starts at the end: the past of notifications is in
/// the lists already.
pub(crate) async fn streams(session: &Arc<Session>, newest: &BTreeMap<String, i64>, first: bool) -> Result<()> {
    let newest: BTreeMap<String, i64> =
        newest.iter().filter(|(id, _)| ids::is_notification(id)).map(|(id, seq)| (id.clone(), *seq)).collect();
    if first {
        let begin = move |changes: &mut crate::sync::changes::Changes<'_>| {
            newest.iter().try_for_each(|(id, seq)| seqs::advance_cursor(changes.connection, id, *seq))
        };
        session.commit(begin).await?;
        return Ok(());
    }
    let wanted = session
        .read(move |connection| {
            let mut wanted = Vec::new();
            for (id, end) in newest {
                let begin = seqs::cursor(connection, &id)?.unwrap_or(0) + 1;
                if begin <= end {
                    wanted.push((id, (begin, end)));
                }
            }
            Ok(wanted)
        })
        .await?;
    for ranges in requests(wanted, STREAM_SEQS_PER_REQUEST) {
        let asked = ranges.clone();
        let pulled = pull(session, ranges).await?;
        session
            .commit(move |changes| {
                for (id, _, messages) in &pulled {
                    for message in messages.iter().filter(|message| message.content_type != 0) {
                        notifications::apply(changes, id, message)?;
                    }
                }
                // an empty part of a stream is left out of the answer: it is handled all the same
                asked.iter().try_for_each(|(id, (_, end))| seqs::advance_cursor(changes.connection, id, *end))
            })
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ranges_are_cut_and_short_ones_share_a_request() {
        let wanted = vec![("a".to_owned(), (1, 3)), ("b".to_owned(), (5, 11)), ("c".to_owned(), (2, 2))];
        let cut = requests(wanted, 5);
        assert_eq!(
            cut,
            vec![
                vec![("a".to_owned(), (1, 3)), ("b".to_owned(), (5, 6))],
                vec![("b".to_owned(), (7, 11))],
                vec![("c".to_owned(), (2, 2))],
            ]
        );
    }
}
