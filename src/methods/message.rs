//! Messages and history.

use napi::Env;
use napi::bindgen_prelude::{PromiseRaw, Result};
use napi_derive::napi;
use openim_core::{Done, HistoryParams, MessageKey, SendMessageParams};

use crate::answer::{Work, done, parse};
use crate::client::NativeClient;

super::methods! {
    cancel_send(key: MessageKey);
    resend_message(key: MessageKey);
    get_advanced_history_message_list(params: HistoryParams);
    get_advanced_history_message_list_reverse(params: HistoryParams);
}

#[napi]
impl NativeClient {
    /// Sends a message. The core is called here, on the JavaScript thread: messages leave in the order of the calls.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn send_message<'env>(
        &self,
        env: &'env Env,
        params: String,
        operation_id: String,
        cancel: u32,
    ) -> Result<PromiseRaw<'env, String>> {
        let sending = self.state.client().and_then(|client| {
            let params: SendMessageParams = parse(&params)?;
            Ok(client.send_message(params))
        });
        let work: Work = Box::pin(async move { done(sending?.await) });
        env.spawn_future(self.state.clone().answer("send_message", operation_id, cancel, work))
    }

    /// Makes a text message; synchronous.
    #[napi]
    pub fn create_text_message(&self, params: String) -> String {
        let made = self.state.client().and_then(|client| client.create_text_message(parse(&params)?));
        self.state.answer_now(done(made.map(Done::quietly)))
    }
}
