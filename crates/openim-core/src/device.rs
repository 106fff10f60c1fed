//! What the server's push service should know of this device.

use serde::{Deserialize, Serialize};

use crate::client::{Client, Done};
use crate::error::{Error, Result};
use crate::sensitive::Sensitive;

/// Parameters of `updateFcmToken`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PushToken {
    /// What the push service calls this device.
    pub fcm_token: Sensitive<String>,
    /// Until when it is good, ms; 0 = not known.
    #[serde(default)]
    pub expire_time: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PushTokenRequest<'a> {
    #[serde(rename = "platformID")]
    platform_id: i32,
    fcm_token: &'a str,
    account: &'a str,
    expire_time: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BadgeRequest<'a> {
    #[serde(rename = "userID")]
    user_id: &'a str,
    app_unread_count: i32,
}

impl Client {
    /// Tells the push service's token of this device, for pushes while it is offline.
    pub async fn update_fcm_token(&self, token: PushToken) -> Result<Done<()>> {
        if token.fcm_token.reveal().is_empty() {
            return Err(Error::args("fcmToken", "must not be empty"));
        }
        let session = self.session()?;
        let request = PushTokenRequest {
            platform_id: session.config.platform_id,
            fcm_token: token.fcm_token.reveal(),
            account: &session.user_id,
            expire_time: token.expire_time,
        };
        let _: serde::de::IgnoredAny = session.rest("/third/fcm_update_token", &request).await?;
        Ok(Done::quietly(()))
    }

    /// Tells the number on the application's icon, so that offline pushes go on counting from there.
    pub async fn set_app_badge(&self, app_unread_count: i64) -> Result<Done<()>> {
        let app_unread_count = i32::try_from(app_unread_count)
            .ok()
            .filter(|count| *count >= 0)
            .ok_or_else(|| Error::args("appUnreadCount", "must be from 0 to 2147483647"))?;
        let session = self.session()?;
        let request = BadgeRequest { user_id: &session.user_id, app_unread_count };
        let _: serde::de::IgnoredAny = session.rest("/third/set_app_badge", &request).await?;
        Ok(Done::quietly(()))
    }
}
