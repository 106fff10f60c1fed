//! History in both directions (client-behaviour.md 6.2): pages from the local rows, gaps filled on the way.

use std::collections::BTreeMap;
use std::sync::Arc;

use openim_proto::sdkws::PullOrder;
use serde::Deserialize;

use crate::client::{Client, Done};
use crate::error::{Error, Result};
use crate::model::AdvancedHistoryMessages;
use crate::pull;
use crate::session::Session;
use crate::store::messages::MessageRow;
use crate::store::{conversations, messages, seqs};
use crate::sync::gaps::{Coverage, Range};
use crate::sync::inbound::Delivery;

/// Requests that one page may cost; a gap that is wider still shows at the next page.
const ROUNDS: usize = 5;
/// Seqs in one request.
const SEQS_PER_ROUND: i64 = 100;
/// `errCode` of a page that stops at a gap (gateway.md 9.5).
const GAP_NOT_FILLED: i32 = 100;

/// Parameters of the history functions.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryParams {
    /// Conversation.
    #[serde(rename = "conversationID")]
    pub conversation_id: String,
    /// The page begins beside this message; empty = at the newest (older direction) or the oldest (newer direction).
    #[serde(rename = "startClientMsgID", default)]
    pub start_client_msg_id: String,
    /// Messages wanted, 1 to 1000.
    pub count: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Older,
    Newer,
}

impl Client {
    /// Messages before an anchor, oldest first.
    pub async fn get_advanced_history_message_list(
        &self,
        params: HistoryParams,
    ) -> Result<Done<AdvancedHistoryMessages>> {
        history(&self.session()?, params, Direction::Older).await
    }

    /// Messages after an anchor, oldest first.
    pub async fn get_advanced_history_message_list_reverse(
        &self,
        params: HistoryParams,
    ) -> Result<Done<AdvancedHistoryMessages>> {
        history(&self.session()?, params, Direction::Newer).await
    }
}

async fn history(
    session: &Arc<Session>,
    params: HistoryParams,
    direction: Direction,
) -> Result<Done<AdvancedHistoryMessages>> {
    if params.conversation_id.is_empty() {
        return Err(Error::args("conversationID", "must not be empty"));
    }
    if params.count == 0 || params.count > 1000 {
        return Err(Error::args("count", "must be from 1 to 1000"));
    }
    let mut round = 0;
    loop {
        let wanted = params.clone();
        let Some(page) = session.read(move |connection| Page::read(connection, &wanted, direction)).await? else {
            return Ok(Done::quietly(AdvancedHistoryMessages { is_end: true, ..Default::default() }));
        };
        if page.unknown.is_empty() || round == ROUNDS {
            return Ok(Done::quietly(page.into_api(&session.user_id, None)));
        }
        let order = if direction == Direction::Older { PullOrder::Desc } else { PullOrder::Asc };
        let gaps = BTreeMap::from([(params.conversation_id.clone(), page.unknown.clone())]);
        if let Err(error) = pull::fetch(session, gaps, order, Delivery::Silent).await {
            return Ok(Done::quietly(page.into_api(&session.user_id, Some(error))));
        }
        round += 1;
    }
}

/// A page as the local rows have it.
struct Page {
    direction: Direction,
    has_read_seq: i64,
    /// In the direction of reading.
    rows: Vec<MessageRow>,
    /// Seqs that the page claims and that are not known yet, nearest to the anchor.
    unknown: Vec<Range>,
    is_end: bool,
}

impl Page {
    /// `None` for an unknown conversation.
    fn read(connection: &rusqlite::Connection, params: &HistoryParams, direction: Direction) -> Result<Option<Self>> {
        let Some(conversation) = conversations::find(connection, &params.conversation_id)? else { return Ok(None) };
        let anchor = match params.start_client_msg_id.as_str() {
            "" if direction == Direction::Older => (i64::MAX, 0),
            "" => (-1, 0),
            id => {
                let row = messages::find(connection, conversation.id, id)?
                    .ok_or_else(|| Error::NotFound { what: "message", id: id.to_owned() })?;
                (row.position, row.place)
            }
        };
        let count = params.count as usize;
        let floor = conversation.min_seq.max(1);
        // one more than asked for tells whether the direction ends here
        let visible_from = conversation.min_seq;
        let mut rows = match direction {
            Direction::Older => messages::older(connection, conversation.id, anchor, visible_from, count + 1)?,
            Direction::Newer => messages::newer(connection, conversation.id, anchor, visible_from, count + 1)?,
        };
        let more = rows.len() > count;
        rows.truncate(count);
        let coverage = Coverage::new(conversation.local_max_seq, seqs::gaps(connection, conversation.id)?);
        let last = rows.last().filter(|_| rows.len() == count).map(|row| row.position);
        let (claimed, beyond) = match direction {
            Direction::Older => {
                let near = if anchor.1 > 0 { anchor.0 } else { anchor.0 - 1 };
                let far = last.unwrap_or(floor);
                ((far, near), (floor, far - 1))
            }
            Direction::Newer => {
                let far = last.unwrap_or(coverage.local_max);
                (((anchor.0 + 1).max(floor), far), (far + 1, coverage.local_max))
            }
        };
        Ok(Some(Self {
            direction,
            has_read_seq: conversation.has_read_seq,
            rows,
            unknown: coverage.nearest(claimed, SEQS_PER_ROUND, direction == Direction::Older),
            is_end: !more && coverage.unknown_within(claimed).is_empty() && coverage.unknown_within(beyond).is_empty(),
        }))
    }

    /// The API's page; with a failure it is cut at the first seq that is not known.
    fn into_api(mut self, me: &str, failure: Option<Error>) -> AdvancedHistoryMessages {
        if !self.unknown.is_empty() {
            let rows = std::mem::take(&mut self.rows).into_iter();
            let newest_unknown = self.unknown.last().map_or(0, |range| range.1);
            let oldest_unknown = self.unknown.first().map_or(i64::MAX, |range| range.0);
            self.rows = match self.direction {
                Direction::Older => rows.take_while(|row| row.position > newest_unknown).collect(),
                Direction::Newer => rows.take_while(|row| row.position < oldest_unknown).collect(),
            };
        }
        if self.direction == Direction::Older {
            self.rows.reverse();
        }
        AdvancedHistoryMessages {
            message_list: self.rows.into_iter().map(|row| row.into_api(self.has_read_seq, me)).collect(),
            is_end: self.is_end,
            err_code: if failure.is_some() { GAP_NOT_FILLED } else { 0 },
            err_msg: failure.map_or_else(String::new, |error| error.to_string()),
        }
    }
}
