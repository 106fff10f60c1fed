//! What notifications and answers say of people (client-behaviour.md 5.3, 5.4, 8.6): applications, friends, profiles.
//! Every effect comes from a difference of states, so what arrives twice, by push and by answer, is told once.

use std::collections::{BTreeMap, BTreeSet};

use openim_proto::constants::content_type;
use openim_proto::sdkws::{
    BlackAddedTips, FriendApplicationApprovedTips, FriendApplicationRejectedTips, FriendApplicationTips,
    FriendDeletedTips, FriendInfo, FriendRequest, FromToUserId, MsgData, UserInfo, UserInfoUpdatedTips,
};

use super::changes::Changes;
use super::lists::{Difference, differences};
use super::notifications::tips;
use crate::change::differing;
use crate::error::Result;
use crate::event::Event;
use crate::model::{Friend, FriendApplication};
use crate::store::blacks::{self, BlackRow};
use crate::store::friends::{self, FriendRow};
use crate::store::users::{self, UserRow};
use crate::store::{conversations, friend_requests};

/// Times below are seconds: some endpoints answer those (R18).
const SECONDS_BELOW: i64 = 100_000_000_000;

/// A time of the server in ms.
fn millis(time: i64) -> i64 {
    if time < SECONDS_BELOW { time.saturating_mul(1000) } else { time }
}

/// Whether a content type speaks of people.
pub(crate) fn concerns(kind: i32) -> bool {
    (content_type::FRIEND_APPLICATION_APPROVED..=content_type::FRIENDS_INFO_UPDATE).contains(&kind)
        || kind == content_type::USER_INFO_UPDATED
}

/// Applies a notification, or the copy of one in a chat.
pub(crate) fn apply(changes: &mut Changes<'_>, message: &MsgData) -> Result<()> {
    let mine = |parties: Option<FromToUserId>| parties.is_some_and(|parties| parties.from_user_id == changes.me);
    match message.content_type {
        content_type::FRIEND_APPLICATION => {
            let request = tips::<FriendApplicationTips>(message).and_then(|tips| tips.request);
            application_or_ask(changes, request)
        }
        content_type::FRIEND_APPLICATION_APPROVED => {
            changes.follow_up.friends = true;
            let request = tips::<FriendApplicationApprovedTips>(message).and_then(|tips| tips.request);
            application_or_ask(changes, request)
        }
        content_type::FRIEND_APPLICATION_REJECTED => {
            let request = tips::<FriendApplicationRejectedTips>(message).and_then(|tips| tips.request);
            application_or_ask(changes, request)
        }
        content_type::FRIEND_DELETED | content_type::FRIEND_REMARK_SET => {
            // only the one who did it has another list now
            changes.follow_up.friends |=
                tips::<FriendDeletedTips>(message).is_some_and(|tips| mine(tips.from_to_user_id));
            Ok(())
        }
        content_type::BLACK_ADDED | content_type::BLACK_DELETED => {
            changes.follow_up.blacks |= tips::<BlackAddedTips>(message).is_some_and(|tips| mine(tips.from_to_user_id));
            Ok(())
        }
        content_type::FRIEND_ADDED | content_type::FRIEND_INFO_UPDATED | content_type::FRIENDS_INFO_UPDATE => {
            changes.follow_up.friends = true;
            Ok(())
        }
        content_type::USER_INFO_UPDATED => {
            changes.follow_up.self_info |=
                tips::<UserInfoUpdatedTips>(message).is_some_and(|tips| tips.user_id == changes.me);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn application_or_ask(changes: &mut Changes<'_>, request: Option<FriendRequest>) -> Result<()> {
    match request {
        Some(request) => application(changes, request, i64::MIN),
        None => {
            changes.follow_up.friend_requests = true;
            Ok(())
        }
    }
}

/// What an application is to listeners who know `before`; `None` if there is nothing new. An unknown one is new if
/// something happened to it after `since`, ms.
fn news(before: Option<&FriendApplication>, after: &FriendApplication, since: i64) -> Option<Told> {
    let told = match after.handle_result {
        0 => Told::Added,
        1 => Told::Accepted,
        _ => Told::Rejected,
    };
    let new = match before {
        None => after.create_time.max(after.handle_time) > since,
        Some(before) => after.create_time > before.create_time || after.handle_result != before.handle_result,
    };
    new.then_some(told)
}

/// Whether what is known of an application is newer than what came.
fn is_stale(before: &FriendApplication, after: &FriendApplication) -> bool {
    after.create_time < before.create_time
        || after.create_time == before.create_time && before.handle_result != 0 && after.handle_result == 0
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Added,
    Accepted,
    Rejected,
}

/// Stores an application and tells what is new about it.
pub(crate) fn application(changes: &mut Changes<'_>, request: FriendRequest, since: i64) -> Result<()> {
    let after = FriendApplication {
        from_user_id: request.from_user_id,
        from_nickname: request.from_nickname,
        from_face_url: request.from_face_url,
        to_user_id: request.to_user_id,
        to_nickname: request.to_nickname,
        to_face_url: request.to_face_url,
        handle_result: request.handle_result.clamp(-1, 1),
        req_msg: request.req_msg,
        create_time: millis(request.create_time),
        handler_user_id: request.handler_user_id,
        handle_msg: request.handle_msg,
        handle_time: millis(request.handle_time),
        ex: request.ex,
        attached_info: String::new(),
    };
    if after.from_user_id != changes.me && after.to_user_id != changes.me {
        return Ok(());
    }
    let known = friend_requests::get(changes.connection, &after.from_user_id, &after.to_user_id)?;
    let (before, hidden) = known.map_or((None, false), |(before, hidden)| (Some(before), hidden));
    if before.as_ref().is_some_and(|before| is_stale(before, &after)) {
        return Ok(());
    }
    let told = news(before.as_ref(), &after, since);
    friend_requests::put(changes.connection, &after)?;
    if hidden && before.is_some_and(|before| before.create_time == after.create_time) {
        return friend_requests::hide(changes.connection, &after.from_user_id, &after.to_user_id);
    }
    match told {
        Some(Told::Added) => changes.tell(Event::FriendApplicationAdded(after)),
        Some(Told::Accepted) => changes.tell(Event::FriendApplicationAccepted(after)),
        Some(Told::Rejected) => changes.tell(Event::FriendApplicationRejected(after)),
        None => {}
    }
    Ok(())
}

/// The user's applications that the server no longer has.
pub(crate) fn application_gone(changes: &mut Changes<'_>, application: FriendApplication) -> Result<()> {
    friend_requests::remove(changes.connection, &application.from_user_id, &application.to_user_id)?;
    changes.tell(Event::FriendApplicationDeleted(application));
    Ok(())
}

/// Changes of the friend list.
pub(crate) struct FriendList {
    /// Who is no friend any more.
    pub(crate) delete: Vec<String>,
    /// Friends as they are now.
    pub(crate) put: Vec<FriendInfo>,
    /// `put` is the whole list.
    pub(crate) whole: bool,
    /// The ids in the server's order, where it was asked for.
    pub(crate) order: Option<Vec<String>>,
}

/// Whose friend record it is; the server leaves out nobody's, but a record without one is passed over.
pub(crate) fn friend_id(friend: &FriendInfo) -> Option<&str> {
    friend.friend_user.as_ref().map(|user| user.user_id.as_str())
}

/// The ids that pages left out: the list moved while they were read.
pub(crate) fn missing(pages: &[FriendInfo], ids: &[String]) -> Vec<String> {
    let read: BTreeSet<&str> = pages.iter().filter_map(friend_id).collect();
    ids.iter().filter(|id| !read.contains(id.as_str())).cloned().collect()
}

impl FriendList {
    /// The list from its pages, what they left out, and the ids, which were read after them and decide.
    pub(crate) fn whole(pages: Vec<FriendInfo>, missing: Vec<FriendInfo>, ids: Vec<String>) -> Self {
        let listed: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        let is_listed = |friend: &FriendInfo| friend_id(friend).is_some_and(|id| listed.contains(id));
        let put = pages.into_iter().chain(missing).filter(is_listed).collect();
        Self { delete: Vec::new(), put, whole: true, order: Some(ids) }
    }
}

/// Whether changes leave open where friends stand in the server's order, which is that of the beginnings: beginnings are
/// told in seconds, so those of one second, and one that began again, may stand anywhere. The first `inserted` of `put`
/// are new to the server's log; `known` is who is on the list here.
pub(crate) fn order_is_unclear(put: &[FriendInfo], inserted: usize, known: &BTreeSet<String>) -> bool {
    let is_known = |friend: &&FriendInfo| friend_id(friend).is_some_and(|id| known.contains(id));
    let mut seconds = BTreeSet::new();
    put.iter().take(inserted).any(|friend| is_known(&friend))
        || put
            .iter()
            .filter(|friend| !is_known(friend))
            .any(|friend| !seconds.insert(millis(friend.create_time) / 1000))
}

/// Applies what the server says of the friend list and tells how it differs. `now`: when it said so, ms.
pub(crate) fn friend_list(changes: &mut Changes<'_>, mut list: FriendList, now: i64) -> Result<()> {
    // the server's order is that of the beginnings, unless it says another
    list.put.sort_by_key(|friend| friend.create_time);
    let touched: Vec<String> =
        list.delete.iter().cloned().chain(list.put.iter().filter_map(friend_id).map(str::to_owned)).collect();
    let state = |changes: &Changes<'_>| -> Result<BTreeMap<String, Friend>> {
        let found = if list.whole {
            friends::page(changes.connection, 0, -1, false, changes.me)?
        } else {
            let mut found = Vec::new();
            for user_id in &touched {
                found.extend(friends::get(changes.connection, user_id, changes.me)?);
            }
            found
        };
        Ok(found.into_iter().map(|friend| (friend.user_id.clone(), friend)).collect())
    };
    let before = state(changes)?;
    let mut shown = BTreeMap::new();
    for user_id in touched.iter().chain(before.keys()) {
        shown.insert(user_id.clone(), users::shown(changes.connection, user_id)?);
    }
    if list.whole {
        for user_id in before.keys().filter(|user_id| !touched.contains(user_id)) {
            friends::remove(changes.connection, user_id)?;
        }
    }
    for user_id in &list.delete {
        friends::remove(changes.connection, user_id)?;
    }
    for friend in list.put.iter().cloned() {
        let Some(user) = friend.friend_user else { continue };
        let row = FriendRow {
            user_id: user.user_id.clone(),
            remark: friend.remark,
            create_time: millis(friend.create_time),
            add_source: friend.add_source,
            operator_user_id: friend.operator_user_id,
            ex: friend.ex,
            is_pinned: friend.is_pinned,
        };
        users::put_names(changes.connection, &profile_row(user, now))?;
        friends::put(changes.connection, &row)?;
    }
    if let Some(order) = &list.order {
        friends::set_order(changes.connection, order)?;
    }
    for (user_id, before) in shown {
        if users::shown(changes.connection, &user_id)? != before {
            shown_differently(changes, &user_id)?;
        }
    }
    for difference in differences(before, state(changes)?) {
        match difference {
            Difference::Added(friend) => changes.tell(Event::FriendAdded(friend)),
            Difference::Changed { before, after } => {
                let fields = || differing(&before, &after);
                changes.tell_which(Event::FriendInfoChanged(after.clone()), fields);
            }
            Difference::Deleted(friend) => changes.tell(Event::FriendDeleted(friend)),
        }
    }
    Ok(())
}

/// Makes the black list what the server says and tells how it differs.
pub(crate) fn black_list(changes: &mut Changes<'_>, list: Vec<openim_proto::sdkws::BlackInfo>) -> Result<()> {
    let before = blacks::by_user(changes.connection, changes.me)?;
    let mut rows = Vec::with_capacity(list.len());
    for black in list {
        let Some(user) = black.black_user_info else { continue };
        users::seen(changes.connection, &user.user_id, &user.nickname, &user.face_url)?;
        rows.push(BlackRow {
            user_id: user.user_id,
            create_time: millis(black.create_time),
            add_source: black.add_source,
            operator_user_id: black.operator_user_id,
            ex: black.ex,
        });
    }
    blacks::replace(changes.connection, &rows)?;
    for difference in differences(before, blacks::by_user(changes.connection, changes.me)?) {
        match difference {
            Difference::Added(black) => changes.tell(Event::BlackAdded(black)),
            Difference::Deleted(black) => changes.tell(Event::BlackDeleted(black)),
            // a rename, which its profile tells
            Difference::Changed { .. } => {}
        }
    }
    Ok(())
}

/// Stores a profile that the server gave. Whoever shows it hears of a new name or avatar.
pub(crate) fn profile(changes: &mut Changes<'_>, row: &UserRow) -> Result<()> {
    let before = friends::get(changes.connection, &row.user_id, changes.me)?;
    if !users::put(changes.connection, row)? {
        return Ok(());
    }
    shown_differently(changes, &row.user_id)?;
    if let (Some(before), Some(after)) = (before, friends::get(changes.connection, &row.user_id, changes.me)?) {
        changes.tell_which(Event::FriendInfoChanged(after.clone()), || differing(&before, &after));
    }
    Ok(())
}

fn shown_differently(changes: &mut Changes<'_>, user_id: &str) -> Result<()> {
    for id in conversations::visible_with(changes.connection, user_id)? {
        changes.conversation_changed(id);
    }
    Ok(())
}

/// A profile as a row.
pub(crate) fn profile_row(user: UserInfo, now: i64) -> UserRow {
    UserRow {
        user_id: user.user_id,
        nickname: user.nickname,
        face_url: user.face_url,
        ex: user.ex,
        create_time: user.create_time,
        global_recv_msg_opt: user.global_recv_msg_opt,
        fetched_at: now,
    }
}

#[cfg(test)]
#[path = "people_tests.rs"]
mod tests;
