//! Friend applications: one per ordered pair of users, pending until it is agreed to or refused (http.md 2.4).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use openim_proto::error_code;
use openim_proto::sdkws::FriendRequest;

use super::friend::BY_APPLICATION;
use super::{Caller, Fault, World};
use crate::store::{FriendRequestRow, sql};

/// `handleResult` of an application that nobody has handled.
const PENDING: i32 = 0;

/// What the receiver of an application says to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Let us be friends.
    Agree = 1,
    /// No.
    Refuse = -1,
}

impl Verdict {
    /// Reads `handleResult`.
    pub(crate) fn of(number: i32) -> Result<Self, Fault> {
        let known = [Self::Agree, Self::Refuse].into_iter().find(|verdict| *verdict as i32 == number);
        known.ok_or_else(|| Fault::args("req.HandleResult != -1/1"))
    }
}

/// Whether an application may be made between two users, of whom each has the other in his list or not.
fn check_application(from: &str, to: &str, both_known: bool, friends: [bool; 2]) -> Result<(), Fault> {
    if from == to {
        return Err(Fault::new(error_code::CAN_NOT_ADD_YOURSELF, format!("req.ToUserID, {to}=MISSING")));
    }
    if !both_known {
        return Err(Fault::not_found("user not found"));
    }
    // who was removed on one side only may apply again, in either direction
    if friends == [true, true] {
        return Err(Fault::new(error_code::RELATIONSHIP_ALREADY, "already friends has f"));
    }
    Ok(())
}

/// The application once it is handled, which happens only once.
fn handled(
    request: &FriendRequest,
    verdict: Verdict,
    handler: &str,
    message: &str,
    now: i64,
) -> Result<FriendRequest, Fault> {
    if request.handle_result != PENDING {
        let FriendRequest { from_user_id, to_user_id, .. } = request;
        return Err(match verdict {
            Verdict::Agree => Fault::args("the friend request has been processed"),
            Verdict::Refuse => Fault::new(
                error_code::FRIEND_REQUEST_HANDLED,
                format!("friend request has already been processed, from={from_user_id}, to={to_user_id}"),
            ),
        });
    }
    Ok(FriendRequest {
        handle_result: verdict as i32,
        // as on the real server, a refusal does not say whose it is
        handler_user_id: if verdict == Verdict::Agree { handler.into() } else { String::new() },
        handle_msg: message.into(),
        handle_time: now,
        ..request.clone()
    })
}

/// All applications.
#[derive(Default)]
pub(super) struct FriendRequests {
    /// Applicant to receiver to application.
    sent: HashMap<String, BTreeMap<String, FriendRequestRow>>,
    /// Receiver to applicants.
    received: HashMap<String, BTreeSet<String>>,
}

impl FriendRequests {
    /// Adds one, or replaces that of the same pair.
    pub(super) fn put(&mut self, row: FriendRequestRow) {
        let (from, to) = (row.record.from_user_id.clone(), row.record.to_user_id.clone());
        self.received.entry(to.clone()).or_default().insert(from.clone());
        self.sent.entry(from).or_default().insert(to, row);
    }

    fn get(&self, from: &str, to: &str) -> Option<&FriendRequestRow> {
        self.sent.get(from)?.get(to)
    }

    fn sent_by<'a>(&'a self, from: &str) -> impl Iterator<Item = &'a FriendRequestRow> {
        self.sent.get(from).into_iter().flat_map(BTreeMap::values)
    }

    fn received_by<'a>(&'a self, to: &'a str) -> impl Iterator<Item = &'a FriendRequestRow> {
        self.received.get(to).into_iter().flatten().filter_map(move |from| self.get(from, to))
    }
}

/// Newest first; `results` empty is any.
fn newest_first<'a>(rows: impl Iterator<Item = &'a FriendRequestRow>, results: &[i32]) -> Vec<&'a FriendRequestRow> {
    let mut rows: Vec<_> =
        rows.filter(|row| results.is_empty() || results.contains(&row.record.handle_result)).collect();
    rows.sort_by_key(|row| std::cmp::Reverse((row.record.create_time, row.ordinal)));
    rows
}

impl World {
    /// Applies for a friendship, in place of an older application; tells both sides (1203).
    pub(crate) fn apply_for_friendship(
        &mut self,
        caller: &Caller,
        from: &str,
        to: &str,
        req_msg: String,
        ex: String,
    ) -> Result<(), Fault> {
        let both_known = self.is_registered(from) && self.is_registered(to);
        check_application(from, to, both_known, [self.is_friend(from, to), self.is_friend(to, from)])?;
        let record = FriendRequest {
            from_user_id: from.into(),
            to_user_id: to.into(),
            req_msg,
            ex,
            create_time: self.environment.now_ms(),
            ..FriendRequest::default()
        };
        let ordinal = self.next_ordinal();
        self.put_friend_request(FriendRequestRow { ordinal, record: record.clone() });
        let request = self.with_profiles(&record);
        self.notify_applied(caller, request);
        Ok(())
    }

    /// Handles an application. Agreeing makes both friends of each other (1201) and closes an application in the other
    /// direction; refusing tells both sides (1202).
    pub(crate) fn handle_application(
        &mut self,
        caller: &Caller,
        from: &str,
        to: &str,
        verdict: Verdict,
        message: &str,
    ) -> Result<(), Fault> {
        let pending = self.friend_requests.get(from, to);
        let FriendRequestRow { ordinal, record } =
            pending.ok_or_else(|| Fault::not_found("friend request not found"))?.clone();
        let now = self.environment.now_ms();
        let record = handled(&record, verdict, &caller.user_id, message, now)?;
        self.put_friend_request(FriendRequestRow { ordinal, record: record.clone() });
        if verdict == Verdict::Agree {
            let reverse = self.friend_requests.get(to, from).cloned();
            if let Some(FriendRequestRow { ordinal, record }) = reverse
                && let Ok(record) = handled(&record, verdict, &caller.user_id, message, now)
            {
                self.put_friend_request(FriendRequestRow { ordinal, record });
            }
            self.befriend(from, to, BY_APPLICATION, from);
        }
        let request = self.with_profiles(&record);
        self.notify_handled(caller, request, verdict);
        Ok(())
    }

    /// Applications that a user received.
    pub(crate) fn received_applications(&self, to: &str, results: &[i32]) -> Vec<FriendRequest> {
        self.shown(newest_first(self.friend_requests.received_by(to), results))
    }

    /// Applications that a user made.
    pub(crate) fn sent_applications(&self, from: &str, results: &[i32]) -> Vec<FriendRequest> {
        self.shown(newest_first(self.friend_requests.sent_by(from), results))
    }

    /// The applications between two users, in both directions.
    pub(crate) fn applications_between(&self, one: &str, other: &str) -> Vec<FriendRequest> {
        let both = [(one, other), (other, one)];
        self.shown(both.into_iter().filter_map(|(from, to)| self.friend_requests.get(from, to)).collect())
    }

    /// How many applications wait for a user that are newer than a time in ms; 0 counts all.
    pub(crate) fn unhandled_applications(&self, to: &str, since: i64) -> usize {
        let pending = newest_first(self.friend_requests.received_by(to), &[PENDING]);
        pending.into_iter().filter(|row| since == 0 || row.record.create_time > since).count()
    }

    fn shown(&self, rows: Vec<&FriendRequestRow>) -> Vec<FriendRequest> {
        rows.into_iter().map(|row| self.with_profiles(&row.record)).collect()
    }

    /// The application with the names and avatars that both have now.
    fn with_profiles(&self, record: &FriendRequest) -> FriendRequest {
        let profile = |user_id: &str| {
            self.user_info(user_id).map(|info| (info.nickname.clone(), info.face_url.clone())).unwrap_or_default()
        };
        let (from_nickname, from_face_url) = profile(&record.from_user_id);
        let (to_nickname, to_face_url) = profile(&record.to_user_id);
        FriendRequest { from_nickname, from_face_url, to_nickname, to_face_url, ..record.clone() }
    }

    fn put_friend_request(&mut self, row: FriendRequestRow) {
        self.friend_requests.put(row.clone());
        self.store.submit(move |batch| sql::write_friend_request(batch.db()?, &row));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn code(outcome: Result<(), Fault>) -> i32 {
        outcome.map_or_else(|fault| fault.code, |()| 0)
    }

    #[test]
    fn an_application_needs_two_known_users_who_are_not_friends_both_ways() {
        for (from, to, known, friends, expected) in [
            ("alice", "bob", true, [false, false], 0),
            ("alice", "bob", true, [true, false], 0),
            ("alice", "bob", true, [false, true], 0),
            ("alice", "bob", true, [true, true], 1304),
            ("alice", "bob", false, [false, false], 1004),
            ("alice", "alice", true, [false, false], 1301),
            ("alice", "alice", false, [false, false], 1301),
        ] {
            assert_eq!(code(check_application(from, to, known, friends)), expected, "{from} {to} {known} {friends:?}");
        }
    }

    #[test]
    fn an_application_is_handled_once_and_a_refusal_does_not_say_by_whom() {
        let pending = FriendRequest { from_user_id: "alice".into(), to_user_id: "bob".into(), ..Default::default() };
        let agreed = handled(&pending, Verdict::Agree, "bob", "welcome", 7).unwrap();
        assert_eq!((agreed.handle_result, agreed.handler_user_id.as_str(), agreed.handle_time), (1, "bob", 7));
        let refused = handled(&pending, Verdict::Refuse, "bob", "no", 8).unwrap();
        assert_eq!((refused.handle_result, refused.handler_user_id.as_str()), (-1, ""));
        assert_eq!(refused.handle_msg, "no");
        for done in [agreed, refused] {
            assert_eq!(handled(&done, Verdict::Agree, "bob", "", 9).unwrap_err().code, 1001);
            assert_eq!(handled(&done, Verdict::Refuse, "bob", "", 9).unwrap_err().code, 1305);
        }
        assert_eq!(Verdict::of(1).unwrap(), Verdict::Agree);
        assert_eq!(Verdict::of(-1).unwrap(), Verdict::Refuse);
        assert!([0, 2, 5, -2].into_iter().all(|number| Verdict::of(number).is_err_and(|fault| fault.code == 1001)));
    }

    #[test]
    fn applications_are_found_from_both_ends_newest_first() {
        let row = |ordinal, from: &str, to: &str, create_time, handle_result| FriendRequestRow {
            ordinal,
            record: FriendRequest {
                from_user_id: from.into(),
                to_user_id: to.into(),
                create_time,
                handle_result,
                ..FriendRequest::default()
            },
        };
        let mut requests = FriendRequests::default();
        requests.put(row(1, "alice", "bob", 5, 1));
        requests.put(row(2, "carol", "bob", 5, 0));
        requests.put(row(3, "alice", "dave", 9, 0));
        let of = |rows: Vec<&FriendRequestRow>| rows.into_iter().map(|row| row.ordinal).collect::<Vec<_>>();
        assert_eq!(of(newest_first(requests.received_by("bob"), &[])), [2, 1]);
        assert_eq!(of(newest_first(requests.received_by("bob"), &[1, -1])), [1]);
        assert_eq!(of(newest_first(requests.sent_by("alice"), &[])), [3, 1]);
        requests.put(row(4, "alice", "bob", 10, 0));
        assert_eq!(of(newest_first(requests.received_by("bob"), &[])), [4, 2]);
        assert_eq!(of(newest_first(requests.received_by("nobody"), &[])), [0; 0]);
    }
}
