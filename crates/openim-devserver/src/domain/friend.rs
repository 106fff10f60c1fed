//! Friends: who stands in whose list (http.md 2.4, 8.3). A list is versioned, see [`Log::Friends`].

use std::collections::BTreeMap;

use openim_proto::jssdk::FriendInfoOnly;
use openim_proto::sdkws::{FriendInfo, UserInfo};

use super::version_log::{Change, Log, SORT_ELEMENT};
use super::{Caller, Fault, World};
use crate::store::{FriendRow, sql};

/// `addSource` of friends that the administrator brought together.
const IMPORTED: i32 = 1;

/// `addSource` of friends by an application.
pub(super) const BY_APPLICATION: i32 = 2;

/// The friends of one user by id.
pub(super) type Friends = BTreeMap<String, FriendRow>;

/// Which members of a friend to write; `None` leaves one alone.
#[derive(Debug, Clone, Default)]
pub(crate) struct FriendChange {
    /// Name that only the owner sees.
    pub(crate) remark: Option<String>,
    /// Stands before the others.
    pub(crate) is_pinned: Option<bool>,
    /// Opaque extension.
    pub(crate) ex: Option<String>,
}

impl FriendChange {
    fn sets_something(&self) -> bool {
        self.remark.is_some() || self.is_pinned.is_some() || self.ex.is_some()
    }

    fn apply(&self, record: &mut FriendInfoOnly) {
        if let Some(remark) = &self.remark {
            record.remark.clone_from(remark);
        }
        if let Some(ex) = &self.ex {
            record.ex.clone_from(ex);
        }
        record.is_pinned = self.is_pinned.unwrap_or(record.is_pinned);
    }
}

/// A list as clients show it: pinned friends first, then in the order of insertion.
fn in_order(friends: &Friends) -> Vec<&FriendInfoOnly> {
    let mut rows: Vec<_> = friends.values().collect();
    rows.sort_by_key(|row| (!row.record.is_pinned, row.ordinal));
    rows.into_iter().map(|row| &row.record).collect()
}

impl World {
    /// A friend in a list.
    pub(crate) fn friend(&self, owner: &str, friend: &str) -> Option<&FriendInfoOnly> {
        self.users.get(owner)?.friends.get(friend).map(|row| &row.record)
    }

    /// Whether `friend` stands in the list of `owner`; the other way round is another matter.
    pub(crate) fn is_friend(&self, owner: &str, friend: &str) -> bool {
        self.friend(owner, friend).is_some()
    }

    /// A list in its order.
    pub(crate) fn friends(&self, owner: &str) -> Vec<&FriendInfoOnly> {
        self.users.get(owner).map_or_else(Vec::new, |user| in_order(&user.friends))
    }

    /// The ids of a list in its order.
    pub(crate) fn friend_ids(&self, owner: &str) -> Vec<String> {
        self.friends(owner).into_iter().map(|record| record.friend_user_id.clone()).collect()
    }

    /// A friend as the lists give him: with the public part of his profile, and the time in seconds (http.md 1.8).
    pub(crate) fn friend_info(&self, record: &FriendInfoOnly) -> FriendInfo {
        let profile = self.user_info(&record.friend_user_id);
        let friend_user = UserInfo {
            user_id: record.friend_user_id.clone(),
            nickname: profile.map_or_else(String::new, |info| info.nickname.clone()),
            face_url: profile.map_or_else(String::new, |info| info.face_url.clone()),
            ex: profile.map_or_else(String::new, |info| info.ex.clone()),
            ..UserInfo::default()
        };
        FriendInfo {
            owner_user_id: record.owner_user_id.clone(),
            remark: record.remark.clone(),
            create_time: record.create_time / 1000,
            friend_user: Some(friend_user),
            add_source: record.add_source,
            operator_user_id: record.operator_user_id.clone(),
            ex: record.ex.clone(),
            is_pinned: record.is_pinned,
        }
    }

    /// Those of the ids that are friends, as the lists give them.
    pub(crate) fn find_friends(&self, owner: &str, friend_ids: &[String]) -> Vec<FriendInfo> {
        let found = friend_ids.iter().filter_map(|friend_id| self.friend(owner, friend_id));
        found.map(|record| self.friend_info(record)).collect()
    }

    /// Makes two users friends of each other; a relation that is there already stays as it is.
    pub(super) fn befriend(&mut self, one: &str, other: &str, add_source: i32, operator: &str) {
        for (owner, friend) in [(one, other), (other, one)] {
            self.insert_friends(owner, &[friend], add_source, operator);
        }
    }

    /// The administrator makes a user friends with others, without anybody's application; tells both sides (1201).
    pub(crate) fn import_friends(&mut self, caller: &Caller, owner: &str, friend_ids: &[String]) -> Result<(), Fault> {
        let knows = |user_id: &str| user_id != owner && self.is_registered(user_id);
        if !self.is_registered(owner) || !friend_ids.iter().all(|friend_id| knows(friend_id)) {
            return Err(Fault::not_found("user not found"));
        }
        let friends: Vec<&str> = friend_ids.iter().map(String::as_str).collect();
        self.insert_friends(owner, &friends, IMPORTED, &caller.user_id);
        for friend in &friends {
            self.insert_friends(friend, &[owner], IMPORTED, &caller.user_id);
        }
        for friend in friends {
            self.notify_imported(caller, owner, friend);
        }
        Ok(())
    }

    /// Takes a friend out of the owner's list, and of no other; tells both sides (1205). It is logged and told even if
    /// he was none.
    pub(crate) fn delete_friend(&mut self, caller: &Caller, owner: &str, friend: &str) -> Result<(), Fault> {
        let user = self.users.get_mut(owner).ok_or_else(|| Fault::not_found("user not found"))?;
        if user.friends.remove(friend).is_some() {
            let (owner, friend) = (owner.to_owned(), friend.to_owned());
            self.store.submit(move |batch| sql::delete_friend(batch.db()?, &owner, &friend));
        }
        self.log_change(Log::Friends, owner, &[friend], Change::Delete);
        self.notify_friend_deleted(caller, owner, friend);
        Ok(())
    }

    /// Sets the name that only the owner sees; tells both sides (1206).
    pub(crate) fn set_friend_remark(
        &mut self,
        caller: &Caller,
        owner: &str,
        friend: &str,
        remark: String,
    ) -> Result<(), Fault> {
        let change = FriendChange { remark: Some(remark), ..FriendChange::default() };
        if !self.change_friend(owner, friend, &change) {
            return Err(Fault::not_found("friend not found"));
        }
        self.log_change(Log::Friends, owner, &[friend], Change::Update);
        self.notify_remark_set(caller, owner, friend);
        Ok(())
    }

    /// Changes friends, ignoring who is none, and tells the owner's devices (1210). What is given makes a step of the
    /// list's version, even if nobody of the ids is a friend.
    pub(crate) fn update_friends(
        &mut self,
        caller: &Caller,
        owner: &str,
        friend_ids: &[String],
        change: &FriendChange,
    ) -> Result<(), Fault> {
        if !self.is_registered(owner) {
            return Err(Fault::not_found("user not found"));
        }
        if change.sets_something() {
            let sorted = change.is_pinned.map(|_| SORT_ELEMENT);
            let mut elements: Vec<&str> = sorted.into_iter().collect();
            // only who is there: an update must not hide that somebody left
            elements.extend(
                friend_ids.iter().map(String::as_str).filter(|friend| self.change_friend(owner, friend, change)),
            );
            self.log_change(Log::Friends, owner, &elements, Change::Update);
        }
        self.notify_friends_updated(caller, owner, friend_ids);
        Ok(())
    }

    /// Tells everybody who sees a user's name or avatar in a list that it changed, and his own friends (1209).
    pub(super) fn tell_friends_of_profile(&mut self, caller: &Caller, user_id: &str) {
        let mut told = self.friend_ids(user_id);
        for owner in self.owners_of_friend(user_id) {
            // not to his friends who removed him: they would be told that he is there again
            self.log_change(Log::Friends, &owner, &[user_id], Change::Update);
            if !self.is_friend(user_id, &owner) {
                told.push(owner);
            }
        }
        for friend in told {
            self.notify_friend_profile(caller, &friend, user_id);
        }
    }

    /// In whose lists a user stands, in the order of registration.
    fn owners_of_friend(&self, user_id: &str) -> Vec<String> {
        let mut owners: Vec<_> = self.users.values().filter(|user| user.friends.contains_key(user_id)).collect();
        owners.sort_by_key(|user| user.ordinal);
        owners.into_iter().map(|user| user.info.user_id.clone()).collect()
    }

    fn change_friend(&mut self, owner: &str, friend: &str, change: &FriendChange) -> bool {
        let Some(row) = self.users.get_mut(owner).and_then(|user| user.friends.get_mut(friend)) else { return false };
        change.apply(&mut row.record);
        let row = row.clone();
        self.store.submit(move |batch| sql::write_friend(batch.db()?, &row));
        true
    }

    /// Adds those who are missing to one list: one step of its version.
    fn insert_friends(&mut self, owner: &str, friends: &[&str], add_source: i32, operator: &str) {
        let create_time = self.environment.now_ms();
        let missing: Vec<&str> = friends.iter().filter(|friend| !self.is_friend(owner, friend)).copied().collect();
        if missing.is_empty() {
            return;
        }
        for friend in &missing {
            let record = FriendInfoOnly {
                owner_user_id: owner.into(),
                friend_user_id: (*friend).into(),
                create_time,
                add_source,
                operator_user_id: operator.into(),
                ..FriendInfoOnly::default()
            };
            let row = FriendRow { ordinal: self.next_ordinal(), record };
            if let Some(user) = self.users.get_mut(owner) {
                user.friends.insert((*friend).into(), row.clone());
            }
            self.store.submit(move |batch| sql::write_friend(batch.db()?, &row));
        }
        self.log_change(Log::Friends, owner, &missing, Change::Insert);
    }
}
