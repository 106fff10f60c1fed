//! Conversations.

use napi_derive::napi;
use openim_core::{ConversationSource, Done, Page};

use crate::answer::{done, parse};
use crate::client::NativeClient;

super::methods! {
    get_all_conversation_list();
    get_conversation_list_split(page: Page);
    get_one_conversation(source: ConversationSource);
    get_multiple_conversation(conversation_ids: Vec<String>);
    get_total_unread_msg_count();
    mark_conversation_message_as_read(conversation_id: String);
    mark_all_conversation_message_as_read();
}

#[napi]
impl NativeClient {
    /// Computes a conversation id; synchronous. The name keeps OpenIM's capitals.
    #[napi(js_name = "getConversationIDBySessionType")]
    pub fn get_conversation_id_by_session_type(&self, params: String) -> String {
        let id = self.state.client().and_then(|client| {
            let source: ConversationSource = parse(&params)?;
            client.get_conversation_id_by_session_type(&source)
        });
        self.state.answer_now(done(id.map(Done::quietly)))
    }
}
