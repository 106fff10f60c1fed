//! Login and logout.

use openim_core::{LoginParams, Sensitive};

use crate::client::NativeClient;

super::methods! {
    login(params: LoginParams);
    logout();
    network_status_changed();
    update_token(token: Sensitive<String>);
    set_app_background_status(is_background: bool);
}
