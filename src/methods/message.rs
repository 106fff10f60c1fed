//! Messages and history.

use napi_derive::napi;
use openim_core::{Done, HistoryParams, SendMessageParams};

use crate::answer::{done, parse};
use crate::client::NativeClient;

super::methods! {
    send_message(params: SendMessageParams);
    get_advanced_history_message_list(params: HistoryParams);
    get_advanced_history_message_list_reverse(params: HistoryParams);
}

#[napi]
impl NativeClient {
    /// Makes a text message; synchronous.
    #[napi]
    pub fn create_text_message(&self, params: String) -> String {
        let made = self.state.client().and_then(|client| client.create_text_message(parse(&params)?));
        self.state.answer_now(done(made.map(Done::quietly)))
    }
}
