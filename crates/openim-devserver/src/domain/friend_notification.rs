//! What users are told about friends, applications and black lists (http.md 2.10.2: 1201 to 1210; gateway.md 11.14).
//! Both sides get it on all devices, whoever acts on it. Versions in the tips are empty, as on the real server.

use openim_proto::constants::content_type;
use openim_proto::sdkws::{
    BlackAddedTips, BlackDeletedTips, FriendApplicationApprovedTips, FriendApplicationRejectedTips,
    FriendApplicationTips, FriendDeletedTips, FriendInfoChangedTips, FriendRequest, FriendsInfoUpdateTips,
    FromToUserId, UserInfoUpdatedTips,
};

use super::friend_request::Verdict;
use super::notification::Kind;
use super::{Caller, World};

const APPROVED: Kind =
    Kind::pushed(content_type::FRIEND_APPLICATION_APPROVED, "Someone applies to add your friend application")
        .with_chat_copy()
        .with_offline_push();
const REJECTED: Kind =
    Kind::pushed(content_type::FRIEND_APPLICATION_REJECTED, "Someone rejected your friend application")
        .with_offline_push();
const APPLIED: Kind =
    Kind::pushed(content_type::FRIEND_APPLICATION, "Somebody applies to add you as a friend").with_offline_push();
const DELETED: Kind = Kind::pushed(content_type::FRIEND_DELETED, "deleted a friend");
const REMARK_SET: Kind = Kind::pushed(content_type::FRIEND_REMARK_SET, "Your friend's profile has been changed");
const BLACK_ADDED: Kind = Kind::pushed(content_type::BLACK_ADDED, "blocked a user");
const BLACK_DELETED: Kind = Kind::pushed(content_type::BLACK_DELETED, "Remove a blocked user");
const PROFILE_CHANGED: Kind = Kind::pushed(content_type::FRIEND_INFO_UPDATED, "friend info updated");
const FRIENDS_UPDATED: Kind = Kind::pushed(content_type::FRIENDS_INFO_UPDATE, "friend info updated");

fn pair(from: &str, to: &str) -> Option<FromToUserId> {
    Some(FromToUserId { from_user_id: from.into(), to_user_id: to.into() })
}

impl World {
    /// 1203, from the applicant.
    pub(super) fn notify_applied(&mut self, caller: &Caller, request: FriendRequest) {
        let (from, to) = (request.from_user_id.clone(), request.to_user_id.clone());
        let tips = FriendApplicationTips { from_to_user_id: pair(&from, &to), request: Some(request) };
        self.notify(&APPLIED, &from, &to, &tips, &caller.operation_id);
    }

    /// 1201 or 1202, from who handled it to the applicant; the pair in the tips is that of the application.
    pub(super) fn notify_handled(&mut self, caller: &Caller, request: FriendRequest, verdict: Verdict) {
        let (from, to) = (request.from_user_id.clone(), request.to_user_id.clone());
        let (from_to_user_id, handle_msg) = (pair(&from, &to), request.handle_msg.clone());
        match verdict {
            Verdict::Agree => {
                let tips = FriendApplicationApprovedTips {
                    from_to_user_id,
                    handle_msg,
                    request: Some(request),
                    ..FriendApplicationApprovedTips::default()
                };
                self.notify(&APPROVED, &to, &from, &tips, &caller.operation_id);
            }
            Verdict::Refuse => {
                let tips = FriendApplicationRejectedTips { from_to_user_id, handle_msg, request: Some(request) };
                self.notify(&REJECTED, &to, &from, &tips, &caller.operation_id);
            }
        }
    }

    /// 1201 of a friendship that nobody applied for.
    pub(super) fn notify_imported(&mut self, caller: &Caller, owner: &str, friend: &str) {
        let tips = FriendApplicationApprovedTips {
            from_to_user_id: pair(owner, friend),
            ..FriendApplicationApprovedTips::default()
        };
        self.notify(&APPROVED, friend, owner, &tips, &caller.operation_id);
    }

    /// 1205.
    pub(super) fn notify_friend_deleted(&mut self, caller: &Caller, owner: &str, friend: &str) {
        let tips = FriendDeletedTips { from_to_user_id: pair(owner, friend), ..FriendDeletedTips::default() };
        self.notify(&DELETED, owner, friend, &tips, &caller.operation_id);
    }

    /// 1206.
    pub(super) fn notify_remark_set(&mut self, caller: &Caller, owner: &str, friend: &str) {
        let tips = FriendInfoChangedTips { from_to_user_id: pair(owner, friend), ..FriendInfoChangedTips::default() };
        self.notify(&REMARK_SET, owner, friend, &tips, &caller.operation_id);
    }

    /// 1207.
    pub(super) fn notify_black_added(&mut self, caller: &Caller, owner: &str, user_id: &str) {
        let tips = BlackAddedTips { from_to_user_id: pair(owner, user_id) };
        self.notify(&BLACK_ADDED, owner, user_id, &tips, &caller.operation_id);
    }

    /// 1208.
    pub(super) fn notify_black_removed(&mut self, caller: &Caller, owner: &str, user_id: &str) {
        let tips = BlackDeletedTips { from_to_user_id: pair(owner, user_id) };
        self.notify(&BLACK_DELETED, owner, user_id, &tips, &caller.operation_id);
    }

    /// 1209, from who changed the profile to a friend of its owner.
    pub(super) fn notify_friend_profile(&mut self, caller: &Caller, friend: &str, changed: &str) {
        let tips = UserInfoUpdatedTips { user_id: changed.into() };
        self.notify(&PROFILE_CHANGED, &caller.user_id, friend, &tips, &caller.operation_id);
    }

    /// 1210, to the owner's own devices.
    pub(super) fn notify_friends_updated(&mut self, caller: &Caller, owner: &str, friend_ids: &[String]) {
        let tips = FriendsInfoUpdateTips {
            from_to_user_id: pair("", owner),
            friend_i_ds: friend_ids.to_vec(),
            ..FriendsInfoUpdateTips::default()
        };
        self.notify(&FRIENDS_UPDATED, owner, owner, &tips, &caller.operation_id);
    }
}
