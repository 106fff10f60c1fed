//! Records that an application keeps with its users, such as favourites (http.md 2.3). Their notifications are never
//! delivered by the real server, and never made here.

use super::{Fault, World};
use crate::store::{CommandRow, sql};

impl World {
    /// Keeps a record, in place of an older one of that kind and name.
    pub(crate) fn add_user_command(
        &mut self,
        user_id: &str,
        kind: i32,
        uuid: &str,
        value: String,
    ) -> Result<(), Fault> {
        let row = CommandRow {
            user_id: user_id.into(),
            kind,
            uuid: uuid.into(),
            ordinal: self.next_ordinal(),
            create_time: self.environment.now_ms(),
            value,
        };
        self.put_user_command(row)
    }

    /// Changes the value of a record; without one it stays.
    pub(crate) fn update_user_command(
        &mut self,
        user_id: &str,
        kind: i32,
        uuid: &str,
        value: Option<String>,
    ) -> Result<(), Fault> {
        let user = self.users.get(user_id).ok_or_else(|| Fault::not_found("user not found"))?;
        let known = user.commands.get(&(kind, uuid.to_owned()));
        let known = known.ok_or_else(|| Fault::not_found("user command not found"))?.clone();
        match value {
            Some(value) => self.put_user_command(CommandRow { value, ..known }),
            None => Ok(()),
        }
    }

    /// Forgets a record, if there is one.
    pub(crate) fn delete_user_command(&mut self, user_id: &str, kind: i32, uuid: &str) -> Result<(), Fault> {
        let user = self.users.get_mut(user_id).ok_or_else(|| Fault::not_found("user not found"))?;
        if user.commands.remove(&(kind, uuid.to_owned())).is_some() {
            let (user_id, uuid) = (user_id.to_owned(), uuid.to_owned());
            self.store.submit(move |batch| sql::delete_user_command(batch.db()?, &user_id, kind, &uuid));
        }
        Ok(())
    }

    /// The records of a user in the order in which they were added; `kind` `None` is any.
    pub(crate) fn user_commands(&self, user_id: &str, kind: Option<i32>) -> Vec<&CommandRow> {
        let rows = self.users.get(user_id).into_iter().flat_map(|user| user.commands.values());
        let mut rows: Vec<_> = rows.filter(|row| kind.is_none_or(|kind| row.kind == kind)).collect();
        rows.sort_by_key(|row| row.ordinal);
        rows
    }

    fn put_user_command(&mut self, row: CommandRow) -> Result<(), Fault> {
        let user = self.users.get_mut(row.user_id.as_str()).ok_or_else(|| Fault::not_found("user not found"))?;
        user.commands.insert((row.kind, row.uuid.clone()), row.clone());
        self.store.submit(move |batch| sql::write_user_command(batch.db()?, &row));
        Ok(())
    }
}
