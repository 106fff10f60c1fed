//! Fetching messages: what a comparison found missing, gaps, and notification streams.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt, stream};
use openim_proto::constants::{MAX_SEQ, operation};
use openim_proto::msg::{ConversationSeqs, GetLastMessageReq, GetLastMessageResp, GetSeqMessageReq, GetSeqMessageResp};
use openim_proto::sdkws::{PullMessageBySeqsReq, PullMessageBySeqsResp, PullOrder, SeqRange};
use openim_proto::{Message, ids};
use tokio::sync::mpsc;

use crate::error::{Error, Result};
use crate::session::Session;
use crate::store::{conversations, outbox, seqs};
use crate::sync::Comparison;
use crate::sync::gaps::Range;
use crate::sync::inbound::{self, Arrival, Delivery};
use crate::sync::notifications;

/// Seqs in one request: keeps answers below the megabyte that clients may read (gateway.md 2.5).
const SEQS_PER_REQUEST: i64 = 500;
/// Newest seqs of a notification stream that are fetched: what older ones told is in the lists by now.
const MOST_OF_A_STREAM: i64 = 10_000;
/// Seqs of one notification stream in one request.
const STREAM_SEQS_PER_REQUEST: i64 = 100;
/// Requests on their way at once; their answers are applied in order, as many in a transaction as are there.
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
    Comparison { first, again }: Comparison,
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
    let (read, mut ready) = mpsc::channel(PIPELINE);
    let requests = Mutex::new(Requests::new(wanted, SEQS_PER_REQUEST));
    let requests = || requests.lock().unwrap_or_else(PoisonError::into_inner);
    let reading = async move {
        let mut answers = stream::iter(std::iter::from_fn(|| requests().next()))
            .map(|ranges| async move { (ranges.clone(), pull(session, ranges).await) })
            .buffered(PIPELINE);
        while let Some((asked, answer)) = answers.next().await {
            let answer = answer?;
            // the server has nothing there, whatever it said of the end: it is not asked for the rest
            let given: BTreeSet<&str> = answer.iter().map(|(id, ..)| id.as_str()).collect();
            let silent = asked.iter().filter(|(id, _)| !given.contains(id.as_str()));
            silent.for_each(|(id, _)| requests().leave_out(id));
            // nobody takes it: writing failed, and tells why
            if read.send(answer).await.is_err() {
                break;
            }
        }
        Ok::<_, Error>(())
    };
    // what was read while the last transaction ran is the next one
    let writing = async {
        let mut pulled = Vec::new();
        while ready.recv_many(&mut pulled, PIPELINE).await > 0 {
            apply(session, arrivals(pulled.drain(..).flatten(), delivery), first).await?;
        }
        Ok::<_, Error>(())
    };
    tokio::try_join!(reading, writing)?;
    if first { repair_previews(session).await } else { Ok(()) }
}

/// Fetches what was left to the history of conversations with a send whose outcome is open: that message may be there, and
/// would be sent a second time.
pub(crate) async fn doubtful_gaps(session: &Arc<Session>) -> Result<()> {
    let wanted = session.read(seqs::doubtful_gaps).await?;
    for ranges in Requests::new(wanted, SEQS_PER_REQUEST) {
        let pulled = pull(session, ranges).await?;
        apply(session, arrivals(pulled, Delivery::Silent), false).await?;
    }
    Ok(())
}

/// Of messages that this device lacks, the conversations whose one is the user's own. Nothing is stored.
pub(crate) async fn own(session: &Session, seqs: Vec<(String, i64)>) -> Result<BTreeSet<String>> {
    let ranges = seqs.into_iter().map(|(id, seq)| (id, (seq, seq))).collect();
    let mut own = BTreeSet::new();
    for ranges in Requests::new(ranges, SEQS_PER_REQUEST) {
        let pulled = pull(session, ranges).await?.into_iter();
        own.extend(
            pulled
                .filter(|(_, (seq, _), messages)| {
                    messages.iter().any(|message| message.seq == *seq && message.send_id == session.user_id)
                })
                .map(|(id, ..)| id),
        );
    }
    Ok(own)
}

/// Ranges cut into requests, one at a time: how many there are is the server's word.
struct Requests {
    wanted: VecDeque<(String, Range)>,
    limit: i64,
}

impl Requests {
    fn new(wanted: Vec<(String, Range)>, limit: i64) -> Self {
        Self { wanted: wanted.into(), limit }
    }

    /// Forgets what is still to be asked of a conversation.
    fn leave_out(&mut self, conversation_id: &str) {
        self.wanted.retain(|(id, _)| id != conversation_id);
    }
}

impl Iterator for Requests {
    type Item = Vec<(String, Range)>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut request = Vec::new();
        let mut room = self.limit;
        while room > 0
            && let Some((id, (begin, end))) = self.wanted.pop_front()
        {
            let last = end.min(begin + room - 1);
            room -= last - begin + 1;
            if last < end {
                self.wanted.push_front((id.clone(), (last + 1, end)));
            }
            request.push((id, (begin, last)));
        }
        (!request.is_empty()).then_some(request)
    }
}

type PulledRange = (String, Range, Vec<openim_proto::sdkws::MsgData>);

/// What was pulled, to be applied: each range is answered.
fn arrivals(pulled: impl IntoIterator<Item = PulledRange>, delivery: Delivery) -> Vec<Arrival> {
    let arrival =
        |(conversation_id, range, messages)| Arrival { conversation_id, messages, answered: vec![range], delivery };
    pulled.into_iter().map(arrival).collect()
}

/// One 1002 request. Conversations that the answer leaves out are left out here: the next comparison asks again.
async fn pull(session: &Session, ranges: Vec<(String, Range)>) -> Result<Vec<PulledRange>> {
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
    let asked = ranges.len();
    let answer = session.request(operation::PULL_BY_RANGE, request.encode_to_vec()).await?;
    let mut answer: PullMessageBySeqsResp = decode(&answer)?;
    answer.msgs.append(&mut answer.notification_msgs);
    let mut pulled = Vec::new();
    for (id, range) in ranges {
        if let Some(messages) = answer.msgs.remove(&id) {
            pulled.push((id, range, messages.msgs));
        }
    }
    let messages: usize = pulled.iter().map(|(_, _, messages)| messages.len()).sum();
    tracing::debug!(ranges = asked, answered = pulled.len(), messages, "pulled");
    Ok(pulled)
}

async fn apply(session: &Arc<Session>, arrivals: Vec<Arrival>, quiet: bool) -> Result<()> {
    session.room().await;
    session
        .commit_many(move |changes| {
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
        tracing::info!(conversations = wanted.len(), seqs = SEQS_PER_REQUEST - room, "pushes left gaps: filling them");
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
            if pulled.is_end && order == PullOrder::Desc && (2..=MAX_SEQ).contains(&pulled.end_seq) {
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
        session.commit_many(begin).await?;
        return Ok(());
    }
    let wanted = session
        .read(move |connection| {
            let mut wanted = Vec::new();
            for (id, end) in newest {
                let begin = (seqs::cursor(connection, &id)?.unwrap_or(0) + 1).max(end - MOST_OF_A_STREAM + 1);
                if begin <= end {
                    wanted.push((id, (begin, end)));
                }
            }
            Ok(wanted)
        })
        .await?;
    for ranges in Requests::new(wanted, STREAM_SEQS_PER_REQUEST) {
        let asked = ranges.clone();
        let pulled = pull(session, ranges).await?;
        session
            .commit_many(move |changes| {
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
        let cut: Vec<_> = Requests::new(wanted, 5).collect();
        assert_eq!(
            cut,
            vec![
                vec![("a".to_owned(), (1, 3)), ("b".to_owned(), (5, 6))],
                vec![("b".to_owned(), (7, 11))],
                vec![("c".to_owned(), (2, 2))],
            ]
        );
        let endless = vec![("a".to_owned(), (1, i64::MAX / 2))];
        let mut requests = Requests::new(endless.clone(), 5);
        requests.next();
        requests.leave_out("a");
        assert_eq!(requests.next(), None);
        assert_eq!(Requests::new(endless, 5).nth(1), Some(vec![("a".to_owned(), (6, 10))]));
    }
}
