//! Profiles.

use crate::client::NativeClient;

super::methods! {
    get_self_user_info();
    get_users_info(user_ids: Vec<String>);
}
