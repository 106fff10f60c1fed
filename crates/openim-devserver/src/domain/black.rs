//! Black lists: whose messages a user does not want (http.md 2.4, 8.4). They are not versioned; clients read them whole.

use openim_proto::sdkws::{BlackInfo, PublicUserInfo};

use super::{Caller, Fault, World};
use crate::store::{BlackRow, sql};

impl World {
    /// An entry of a black list.
    pub(crate) fn black(&self, owner: &str, user_id: &str) -> Option<&BlackRow> {
        self.users.get(owner)?.blacks.get(user_id)
    }

    /// A black list in the order of insertion.
    pub(crate) fn blacks(&self, owner: &str) -> Vec<&BlackRow> {
        let mut rows: Vec<_> = self.users.get(owner).into_iter().flat_map(|user| user.blacks.values()).collect();
        rows.sort_by_key(|row| row.ordinal);
        rows
    }

    /// An entry with the public profile of who is in it; time in ms.
    pub(crate) fn black_info(&self, row: &BlackRow) -> BlackInfo {
        let profile = self.user_info(&row.black_user_id).map(|info| PublicUserInfo {
            user_id: info.user_id.clone(),
            nickname: info.nickname.clone(),
            face_url: info.face_url.clone(),
            ex: info.ex.clone(),
        });
        BlackInfo {
            owner_user_id: row.owner_user_id.clone(),
            create_time: row.create_time,
            black_user_info: profile,
            add_source: 0,
            operator_user_id: row.operator_user_id.clone(),
            ex: row.ex.clone(),
        }
    }

    /// Puts somebody on a black list; tells both sides (1207). He stays a friend if he is one.
    pub(crate) fn add_black(&mut self, caller: &Caller, owner: &str, user_id: &str, ex: String) -> Result<(), Fault> {
        // as on the real server, oneself counts as unknown
        if owner == user_id || !self.is_registered(user_id) {
            return Err(Fault::not_found("user not found"));
        }
        let row = BlackRow {
            ordinal: self.next_ordinal(),
            owner_user_id: owner.into(),
            black_user_id: user_id.into(),
            create_time: self.environment.now_ms(),
            operator_user_id: caller.user_id.to_string(),
            ex,
        };
        let user = self.users.get_mut(owner).ok_or_else(|| Fault::not_found("user not found"))?;
        if user.blacks.contains_key(user_id) {
            return Err(Fault::internal("blackUserID is on the list already"));
        }
        user.blacks.insert(user_id.into(), row.clone());
        self.store.submit(move |batch| sql::insert_black(batch.db()?, &row));
        self.notify_black_added(caller, owner, user_id);
        Ok(())
    }

    /// Takes somebody off a black list; tells both sides (1208), even if he was not on it.
    pub(crate) fn remove_black(&mut self, caller: &Caller, owner: &str, user_id: &str) -> Result<(), Fault> {
        let user = self.users.get_mut(owner).ok_or_else(|| Fault::not_found("user not found"))?;
        if user.blacks.remove(user_id).is_some() {
            let (owner, user_id) = (owner.to_owned(), user_id.to_owned());
            self.store.submit(move |batch| sql::delete_black(batch.db()?, &owner, &user_id));
        }
        self.notify_black_removed(caller, owner, user_id);
        Ok(())
    }
}
