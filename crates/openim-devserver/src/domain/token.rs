//! Login tokens: signed with the server's secret, and valid only while the server remembers them as normal.

use openim_proto::constants::platform;
use openim_proto::error_code;

use super::jwt::{Claims, Jwt};
use super::{Fault, World, multi_login};
use crate::store::{TokenRow, sql};

/// State of a token that may be used.
pub(super) const NORMAL: i32 = 0;

/// State of a token whose place another login took.
pub(super) const KICKED: i32 = 2;

/// From this level on, an account is a service and does not log in.
pub(super) const SERVICE_ACCOUNT: i32 = 3;

/// Issue times lie this far in the past, so that clocks may differ a little.
const ISSUED_BEFORE_S: i64 = 5;

impl World {
    /// Refuses a token that the server does not remember as normal.
    pub(crate) fn check_token(&self, claims: &Claims, token: &str) -> Result<(), Fault> {
        match self.token_state(&claims.user_id, claims.platform_id, token) {
            None => Err(Fault::new(error_code::TOKEN_NOT_EXIST, "")),
            Some(NORMAL) => Ok(()),
            Some(KICKED) => Err(Fault::new(error_code::TOKEN_KICKED, "")),
            Some(_) => Err(Fault::new(error_code::TOKEN_UNKNOWN, "")),
        }
    }

    /// What the server remembers of a token.
    pub(super) fn token_state(&self, user_id: &str, platform_id: i32, token: &str) -> Option<i32> {
        let tokens = self.users.get(user_id)?.tokens.get(&platform_id)?;
        tokens.iter().find(|(stored, _)| stored == token).map(|(_, state)| *state)
    }

    /// A new token of the administrator.
    pub(crate) fn issue_admin_token(&mut self, jwt: &Jwt, secret: &str, user_id: &str) -> Result<String, Fault> {
        if secret != self.config.secret {
            return Err(Fault::no_permission("secret invalid"));
        }
        if user_id != self.config.admin_user_id {
            let admin = &self.config.admin_user_id;
            return Err(Fault::args(format!("userID is error., userID={user_id}, adminUserID=[{admin}]")));
        }
        self.insert_token(jwt, user_id, platform::ADMIN)
    }

    /// A new token of a user; older ones end as the multi-login policy says.
    pub(crate) fn issue_user_token(&mut self, jwt: &Jwt, user_id: &str, platform_id: i32) -> Result<String, Fault> {
        if platform_id == platform::ADMIN {
            return Err(Fault::no_permission("platformID invalid. platformID must not be adminPlatformID"));
        }
        if user_id == self.config.admin_user_id {
            return Err(Fault::no_permission("don't get Admin token"));
        }
        let user = self.users.get(user_id).ok_or_else(|| Fault::not_found("record not found"))?;
        if user.info.app_manger_level >= SERVICE_ACCOUNT {
            return Err(Fault::args("app account can`t get token"));
        }
        let ended = multi_login::ended_by_token(self.config.multi_login, &user.tokens, platform_id);
        self.end_tokens(user_id, &ended);
        self.insert_token(jwt, user_id, platform_id)
    }

    /// Ends every login of a user on a platform.
    pub(crate) fn force_logout(&mut self, user_id: &str, platform_id: i32) {
        let tokens = self.users.get(user_id).and_then(|user| user.tokens.get(&platform_id));
        let ended: Vec<(i32, String)> =
            tokens.into_iter().flatten().map(|(token, _)| (platform_id, token.clone())).collect();
        self.end_tokens(user_id, &ended);
        let devices = self.online.devices(user_id).iter();
        let kicked = devices.filter(|device| device.handshake.platform_id == platform_id).cloned().collect();
        self.kick(kicked);
    }

    /// Marks tokens as kicked: whoever still uses one is refused with 1506.
    pub(super) fn end_tokens(&mut self, user_id: &str, tokens: &[(i32, String)]) {
        let Some(user) = self.users.get_mut(user_id) else { return };
        for (platform_id, token) in tokens {
            let stored = user.tokens.get_mut(platform_id).into_iter().flatten().find(|(stored, _)| stored == token);
            let Some(stored) = stored else { continue };
            stored.1 = KICKED;
            let row =
                TokenRow { user_id: user_id.into(), platform_id: *platform_id, token: token.clone(), state: KICKED };
            self.store.submit(move |batch| sql::write_token(batch.db()?, &row));
        }
    }

    fn insert_token(&mut self, jwt: &Jwt, user_id: &str, platform_id: i32) -> Result<String, Fault> {
        let now_ms = self.environment.now_ms();
        self.purge_expired_tokens(jwt, user_id, platform_id, now_ms);
        let now = now_ms / 1000;
        let user = self.users.get_mut(user_id).ok_or_else(|| Fault::not_found("record not found"))?;
        let tokens = user.tokens.entry(platform_id).or_default();
        let mut claims = Claims {
            user_id: user_id.into(),
            platform_id,
            exp: now + jwt.lifetime,
            iat: now - ISSUED_BEFORE_S,
            nbf: None,
        };
        let mut token = jwt.sign(&claims);
        // two tokens of one second must not be the same token
        while tokens.iter().any(|(stored, _)| *stored == token) {
            claims.iat -= 1;
            token = jwt.sign(&claims);
        }
        tokens.push((token.clone(), NORMAL));
        let row = TokenRow { user_id: user_id.into(), platform_id, token: token.clone(), state: NORMAL };
        self.store.submit(move |batch| sql::write_token(batch.db()?, &row));
        Ok(token)
    }

    fn purge_expired_tokens(&mut self, jwt: &Jwt, user_id: &str, platform_id: i32, now_ms: i64) {
        let Some(tokens) = self.users.get_mut(user_id).and_then(|user| user.tokens.get_mut(&platform_id)) else {
            return;
        };
        let (kept, expired) =
            std::mem::take(tokens).into_iter().partition(|(token, _)| jwt.read(token, now_ms).is_ok());
        *tokens = kept;
        for (token, _) in Vec::from_iter::<Vec<(String, i32)>>(expired) {
            let user_id = user_id.to_owned();
            self.store.submit(move |batch| sql::delete_token(batch.db()?, &user_id, platform_id, &token));
        }
    }
}
