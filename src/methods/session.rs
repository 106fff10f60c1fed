//! Login and logout.

use openim_core::LoginParams;

use crate::client::NativeClient;

super::methods! {
    login(params: LoginParams);
    logout();
    network_status_changed();
}
