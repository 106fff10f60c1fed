//! Settings that the server hands to clients: defaults of everybody and a user's own.

use std::collections::BTreeMap;

use super::{Fault, World};
use crate::store::{ConfigRow, sql};

/// Setting that advertises read receipts in groups.
const GROUP_READ_RECEIPT: &str = "groupReadReceipt";

impl World {
    /// The defaults with the user's own settings over them; an empty user gives the defaults.
    pub(crate) fn client_config(&self, user_id: &str) -> Result<BTreeMap<String, String>, Fault> {
        if !user_id.is_empty() && !self.is_registered(user_id) {
            return Err(Fault::not_found("user not found"));
        }
        let of = |wanted: &str| {
            self.client_configs
                .iter()
                .filter(move |((user, _), _)| user == wanted)
                .map(|((_, key), value)| (key.clone(), value.clone()))
                .collect::<BTreeMap<_, _>>()
        };
        let mut configs = of("");
        // what this server can do; not a stored setting
        if self.config.group_read_receipt {
            configs.insert(GROUP_READ_RECEIPT.into(), "1".into());
        }
        if !user_id.is_empty() {
            configs.extend(of(user_id));
        }
        Ok(configs)
    }

    /// Sets settings of a user, or the defaults.
    pub(crate) fn set_client_config(&mut self, user_id: &str, configs: BTreeMap<String, String>) -> Result<(), Fault> {
        if !user_id.is_empty() && !self.is_registered(user_id) {
            return Err(Fault::not_found("user not found"));
        }
        for (key, value) in configs {
            self.client_configs.insert((user_id.into(), key.clone()), value.clone());
            let row = ConfigRow { user_id: user_id.into(), key, value };
            self.store.submit(move |batch| sql::write_client_config(batch.db()?, &row));
        }
        Ok(())
    }

    /// Removes settings of a user, or of the defaults.
    pub(crate) fn delete_client_config(&mut self, user_id: &str, keys: Vec<String>) {
        for key in keys {
            if self.client_configs.remove(&(user_id.into(), key.clone())).is_some() {
                let user_id = user_id.to_owned();
                self.store.submit(move |batch| sql::delete_client_config(batch.db()?, &user_id, &key));
            }
        }
    }

    /// The stored settings that match; empty arguments match everything.
    pub(crate) fn find_client_configs(&self, user_id: &str, key: &str) -> Vec<(String, String, String)> {
        self.client_configs
            .iter()
            .filter(|((user, name), _)| (user_id.is_empty() || user == user_id) && (key.is_empty() || name == key))
            .map(|((user, name), value)| (user.clone(), name.clone(), value.clone()))
            .collect()
    }
}
