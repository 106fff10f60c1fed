//! Whether the application is in the background (gateway.md 10.6).

use openim_proto::Message;
use openim_proto::constants::operation;
use openim_proto::sdkws::SetAppBackgroundStatusReq;

use crate::client::{Client, Done};
use crate::error::Result;

impl Client {
    /// In the background, messages that would notify are told by `OnRecvOfflineNewMessages`, and an iOS connection gets
    /// no pushes. Back in the foreground the client compares itself with the server at once and tells what it missed.
    /// Without a connection the next one says it.
    pub async fn set_app_background_status(&self, is_background: bool) -> Result<Done<()>> {
        let session = self.session()?;
        let was = session.set_background(is_background);
        if session.socket.is_connected() {
            let request = SetAppBackgroundStatusReq { user_id: session.user_id.clone(), is_background };
            match session.request(operation::SET_BACKGROUND, request.encode_to_vec()).await {
                Err(error) if error.is_connection_loss() => {}
                other => drop(other?),
            }
        }
        // without a connection the next one compares anyway
        if was && !is_background && session.socket.is_connected() {
            session.foreground.notify_one();
        }
        Ok(Done::quietly(()))
    }
}
