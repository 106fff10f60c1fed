//! What a server is started with. Every field has a default; unknown and wrong fields are refused by name.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::Error;

/// The secret of every fresh installation; too well known for an address that others can reach.
pub const DEFAULT_SECRET: &str = "openIM123";

/// Settings of a [`crate::DevServer`].
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Config {
    /// Address that all three listeners bind.
    pub host: String,
    /// Port of the REST API; 0 picks a free one.
    pub api_port: u16,
    /// Port of the message gateway; 0 picks a free one.
    pub ws_port: u16,
    /// Port of the account API; 0 picks a free one.
    pub account_port: u16,
    /// Folder of the database; without it everything is in memory and gone with the server.
    pub data_dir: Option<PathBuf>,
    /// Key of the tokens, and the password of `/auth/get_admin_token`.
    pub secret: String,
    /// The IM administrator; created with the database.
    #[serde(rename = "adminUserID")]
    pub admin_user_id: String,
    /// Allows `host` to be an address that other machines reach, provided that the secret is not the default one.
    pub allow_remote: bool,
    /// How many logins a user may have at the same time.
    pub multi_login: MultiLogin,
    /// Connections that the gateway holds; one more is refused with 1601.
    pub max_connections: usize,
    /// Life of a token in days.
    pub token_expire_days: u32,
    /// Refuses single-chat messages to users who do not have the sender in their friend list.
    pub friend_verify: bool,
    /// Offers read receipts in groups and advertises them in the client configuration.
    pub group_read_receipt: bool,
}

/// Which older logins a new one ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct MultiLogin {
    /// 0: none; 1: those of the same platform; 4: those of the same class (mobile, PC, pad; every other platform is a
    /// class of its own); 5: PCs end nobody, and all other platforms together have one login.
    pub policy: u8,
    /// Under policy 0, how many tokens a platform keeps; the oldest go first.
    pub max_num_one_end: usize,
}

impl Default for MultiLogin {
    fn default() -> Self {
        Self { policy: 1, max_num_one_end: 30 }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            api_port: 0,
            ws_port: 0,
            account_port: 0,
            data_dir: None,
            secret: DEFAULT_SECRET.into(),
            admin_user_id: "imAdmin".into(),
            allow_remote: false,
            multi_login: MultiLogin::default(),
            max_connections: 100_000,
            token_expire_days: 90,
            friend_verify: false,
            group_read_receipt: true,
        }
    }
}

/// Everything but the secret.
impl fmt::Debug for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Config")
            .field("host", &self.host)
            .field("ports", &[self.api_port, self.ws_port, self.account_port])
            .field("data_dir", &self.data_dir)
            .field("admin_user_id", &self.admin_user_id)
            .field("multi_login", &self.multi_login)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Reads a configuration from JSON; the error names the field that is wrong.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let wrong = |error: serde_json::Error| Error::Config { reason: error.to_string() };
        let fields: Map<String, Value> = serde_json::from_str(text).map_err(wrong)?;
        // one by one, because serde does not say which field has the wrong type
        for (name, value) in &fields {
            let field = Map::from_iter([(name.clone(), value.clone())]);
            Self::deserialize(Value::Object(field))
                .map_err(|error| Error::Config { reason: format!("{name}: {error}") })?;
        }
        serde_json::from_value(Value::Object(fields)).map_err(wrong)
    }

    /// Refuses what would not work or would not be safe.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.secret.is_empty() {
            return Err(Error::Config { reason: "secret is empty".into() });
        }
        if self.admin_user_id.is_empty() {
            return Err(Error::Config { reason: "adminUserID is empty".into() });
        }
        if self.token_expire_days == 0 {
            return Err(Error::Config { reason: "tokenExpireDays is 0".into() });
        }
        if !matches!(self.multi_login.policy, 0 | 1 | 4 | 5) {
            let reason = format!("is {}, known are 0, 1, 4 and 5", self.multi_login.policy);
            return Err(Error::Args { field: "multiLogin.policy".into(), reason });
        }
        if self.multi_login.max_num_one_end == 0 {
            return Err(Error::Args { field: "multiLogin.maxNumOneEnd".into(), reason: "must be at least 1".into() });
        }
        if self.max_connections == 0 {
            return Err(Error::Args { field: "maxConnections".into(), reason: "must be at least 1".into() });
        }
        let remote_is_safe = self.allow_remote && self.secret != DEFAULT_SECRET;
        if !self.is_loopback() && !remote_is_safe {
            return Err(Error::RemoteNotAllowed { host: self.host.clone() });
        }
        Ok(())
    }

    fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn fields_have_defaults_and_wrong_ones_are_named() {
        let config = Config::from_json(r#"{"apiPort":7,"multiLogin":{"policy":0}}"#).unwrap();
        assert_eq!((config.api_port, config.ws_port, config.secret.as_str()), (7, 0, "openIM123"));
        assert_eq!(config.multi_login, MultiLogin { policy: 0, max_num_one_end: 30 });
        assert!(!format!("{config:?}").contains("openIM123"), "the secret stays out of logs");
        for (text, field) in [(r#"{"apiPrt":7}"#, "apiPrt"), (r#"{"apiPort":"x"}"#, "apiPort: invalid type")] {
            let error = Config::from_json(text).unwrap_err().to_string();
            assert!(error.contains(field), "{error}");
        }
    }

    #[test]
    fn senseless_limits_are_refused_by_name() {
        let with = |policy, max_num_one_end, max_connections| {
            let multi_login = MultiLogin { policy, max_num_one_end };
            Config { multi_login, max_connections, ..Config::default() }.check()
        };
        for policy in [0, 1, 4, 5] {
            assert!(with(policy, 1, 1).is_ok());
        }
        for (refused, name) in [
            (with(2, 1, 1), "multiLogin.policy"),
            (with(0, 0, 1), "multiLogin.maxNumOneEnd"),
            (with(0, 1, 0), "maxConnections"),
        ] {
            assert!(matches!(refused, Err(Error::Args { field, .. }) if field == name), "{name}");
        }
    }

    #[test]
    fn other_machines_get_in_only_on_purpose_and_with_a_secret() {
        let open = Config { host: "0.0.0.0".into(), ..Config::default() };
        assert!(matches!(open.check(), Err(Error::RemoteNotAllowed { .. })));
        let allowed = Config { allow_remote: true, ..open };
        assert!(matches!(allowed.check(), Err(Error::RemoteNotAllowed { .. })));
        assert!(Config { secret: "s3cret".into(), ..allowed }.check().is_ok());
        assert!(Config { host: "::1".into(), ..Config::default() }.check().is_ok());
    }
}
