//! Profiles, presence, and what the server knows of this device.

use openim_core::{PushToken, SelfUpdate};

use crate::client::NativeClient;

super::methods! {
    get_self_user_info();
    set_self_info(update: SelfUpdate);
    get_users_info(user_ids: Vec<String>);
    get_user_client_config();
    subscribe_users_status(user_ids: Vec<String>);
    unsubscribe_users_status(user_ids: Vec<String>);
    get_subscribe_users_status();
    get_user_status(user_ids: Vec<String>);
    update_fcm_token(token: PushToken);
    set_app_badge(app_unread_count: i64);
}
